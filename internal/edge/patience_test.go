package edge_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/topology"
)

// Timeouts for the client's part run only while the client is waited for: a cell
// may take longer between two pieces of its answer.
func TestSlowAnswersOutliveTheClientsTimeouts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(top *topology.Topology) {
		top.Timeouts.Write = topology.Duration(brief)
		top.Timeouts.Body = topology.Duration(brief)
	}, testcell.Options{})
	var begun []*http.Response
	clients := w.clients()
	for _, client := range clients {
		req, err := http.NewRequest("POST", fmt.Sprintf("%s/sse?n=2&ms=%d", client.base, (2*brief).Milliseconds()), strings.NewReader("hi"))
		if err != nil {
			t.Fatal(err)
		}
		req.Host = "localhost"
		resp, err := client.http.Do(req)
		if err != nil {
			t.Fatalf("%s: %v", client.name, err)
		}
		defer resp.Body.Close()
		begun = append(begun, resp)
	}
	for i, resp := range begun {
		if body, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != 200 || strings.Count(string(body), "data:") != 2 {
			t.Errorf("%s: %d %q %v", clients[i].name, resp.StatusCode, body, err)
		}
	}
}

// A gateway that takes a connection and then neither reads nor answers.
func TestGatewayThatTakesNoBody(t *testing.T) {
	t.Parallel()
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
		top.Timeouts.Write = topology.Duration(brief)
		top.Timeouts.ResponseHeader = topology.Duration(brief)
		top.Cells[0].Gateways = []string{"http://" + silent.Addr().String()}
	}, testcell.Options{})
	const size = 32 << 20 // more than the buffers of both connections, less than what is read of a refused body
	var asking sync.WaitGroup
	for _, client := range w.clients() {
		pr, pw := io.Pipe()
		go func() { _, _ = io.CopyN(pw, new(pattern), size) }()
		req, err := http.NewRequest("POST", client.base+"/x", pr)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = "localhost"
		asking.Go(func() {
			defer pr.Close()
			resp, err := client.http.Do(req)
			if err != nil {
				t.Errorf("%s: %v", client.name, err)
				return
			}
			defer resp.Body.Close()
			if kind := resp.Header.Get("Homeward-Error"); resp.StatusCode != 504 || kind != "upstream-timeout" {
				t.Errorf("%s: %d %q", client.name, resp.StatusCode, kind)
			}
		})
	}
	asking.Wait()
}
