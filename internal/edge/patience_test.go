package edge_test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/topology"
)

// Timeouts for the client's part run only while the client is waited for: a cell
// may take longer between two pieces of its answer.
func TestSlowAnswersOutliveTheClientsTimeouts(t *testing.T) {
	w := newWorld(t, func(top *topology.Topology) {
		top.Timeouts.Write = topology.Duration(100 * time.Millisecond)
		top.Timeouts.Body = topology.Duration(100 * time.Millisecond)
	}, testcell.Options{})
	for _, client := range w.clients() {
		req, err := http.NewRequest("POST", client.base+"/sse?n=3&ms=250", strings.NewReader("hi"))
		if err != nil {
			t.Fatal(err)
		}
		req.Host = "localhost"
		if r := client.do(t, req); r.StatusCode != 200 || strings.Count(string(r.body), "data:") != 3 {
			t.Errorf("%s: %d %q %v", client.name, r.StatusCode, r.body, r.err)
		}
	}
}

// A gateway that takes a connection and then neither reads nor answers.
func TestGatewayThatTakesNoBody(t *testing.T) {
	silent := listen(t)
	var held []net.Conn
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := silent.Accept()
			if err != nil {
				return
			}
			held = append(held, c)
		}
	}()
	t.Cleanup(func() {
		silent.Close()
		<-done
		for _, c := range held {
			c.Close()
		}
	})
	w := newWorld(t, func(top *topology.Topology) {
		top.Timeouts.Write = topology.Duration(100 * time.Millisecond)
		top.Timeouts.ResponseHeader = topology.Duration(100 * time.Millisecond)
		top.Cells[0].Gateways = []string{"http://" + silent.Addr().String()}
	}, testcell.Options{})
	const size = 32 << 20 // more than the buffers of both connections, less than what is read of a refused body
	for _, client := range w.clients() {
		pr, pw := io.Pipe()
		go func() { _, _ = io.CopyN(pw, new(pattern), size) }()
		req, err := http.NewRequest("POST", client.base+"/x", pr)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = "localhost"
		r := client.do(t, req)
		pr.Close()
		if r.StatusCode != 504 || r.kind() != "upstream-timeout" {
			t.Errorf("%s: %d %q", client.name, r.StatusCode, r.kind())
		}
	}
}
