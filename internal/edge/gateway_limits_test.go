package edge_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/topology"
)

// A head that the edge takes and a gateway does not is refused at the edge: the
// gateway would end the connection, and the requests of other clients with it.
func TestHeadTooLargeForTheGatewayHarmsNobody(t *testing.T) {
	goOn := make(chan struct{})
	server := &http.Server{
		MaxHeaderBytes: 4 << 10, Protocols: new(http.Protocols),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
			<-goOn
			_, _ = io.WriteString(w, "whole")
		}),
	}
	server.Protocols.SetUnencryptedHTTP2(true)
	l := listen(t)
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	w := newWorld(t, func(top *topology.Topology) {
		top.Cells[2].Gateways, top.Cells[2].GRPCGateways = []string{"h2c://" + l.Addr().String()}, nil
	}, testcell.Options{})
	c := w.way("h2c")
	other, err := c.http.Do(c.request(t, "GET", "/x", nil, 0))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Body.Close()
	req := c.request(t, "GET", "/x", nil, 0)
	req.Header.Set("X-Large", strings.Repeat("~", 25_000))
	if r := c.do(t, req); r.StatusCode != 431 || r.kind() != "too-large" {
		t.Errorf("%d %s", r.StatusCode, r.kind())
	}
	close(goOn)
	if b, err := io.ReadAll(other.Body); err != nil || string(b) != "whole" {
		t.Errorf("another client got %q, %v", b, err)
	}
}
