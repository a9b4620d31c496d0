package edge_test

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/homeward/homeward/internal/proxy"
)

// A drain ends what has no end of its own within its window, and in order: an
// event stream whole, a WebSocket without a reset.
func TestDrainEndsWhatLasts(t *testing.T) {
	w := newMatrixWorld(t, gatewayKinds[0])
	var bodies []io.ReadCloser
	var sockets []*socket
	for _, c := range w.ways() {
		if c.name == "http3" {
			continue // whose connections are another server's to end
		}
		resp, err := c.http.Do(c.request(t, "GET", "/sse?n=1000&ms=3600000", nil, 0))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(resp.Body, make([]byte, 5)); err != nil {
			t.Fatal(err)
		}
		bodies = append(bodies, resp.Body)
		s, _ := c.socket(t, "/ws")
		s.send(ws.NewTextFrame([]byte("a")))
		s.expect(ws.OpText, []byte("a"))
		sockets = append(sockets, s)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := w.edge.Shutdown(ctx, 200*time.Millisecond); err != nil {
		t.Errorf("not all ended by themselves: %v", err)
	}
	for i, b := range bodies {
		if _, err := io.ReadAll(b); err != nil {
			t.Errorf("event stream %d: %v", i, err)
		}
		b.Close()
	}
	for i, s := range sockets {
		if _, err := io.ReadAll(s.rw); err != nil {
			t.Errorf("WebSocket %d: %v", i, err)
		}
	}
	eventually(t, "all are over", func() bool { return w.seen.count() >= len(bodies)+len(sockets) })
	for _, rec := range w.seen.all() {
		if rec.Aborted != proxy.NotAborted {
			t.Errorf("%s %s recorded as broken off by %q", rec.Proto, rec.Path, rec.Aborted)
		}
	}
}
