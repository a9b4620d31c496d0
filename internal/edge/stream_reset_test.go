package edge_test

import (
	"io"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/net/http2"

	"github.com/homeward/homeward/internal/testcell"
)

// Clients that open streams only to reset them cost the others nothing but time,
// and leave nothing behind, at the edge or in the cell.
func TestStreamsThatAreResetAtOnce(t *testing.T) {
	const streams = 10_000
	w := newWorld(t, nil, testcell.Options{})
	clients := w.clients()
	ask := func() {
		for _, c := range clients {
			req := way{client: c}.request(t, "GET", "/x", nil, 0)
			if r := c.do(t, req); r.StatusCode != 200 || r.report.Cell != "eu1" {
				t.Errorf("%s: %d", c.name, r.StatusCode)
			}
		}
	}
	ask()
	goroutines := runtime.NumGoroutine()
	for left := streams; left > 0; {
		f, opened := w.frames(t), make(chan int, 1)
		go func() { opened <- f.resetStreams(left) }()
		for attacked := true; attacked; {
			ask()
			select {
			case n := <-opened:
				left, attacked = left-n, false
			default:
			}
		}
		f.nc.Close()
	}
	eventually(t, "no request is under way", func() bool { return strings.Contains(w.metrics(), `homeward_requests_open{type="short"} 0`) })
	eventually(t, "nothing of the streams is left", func() bool { return runtime.NumGoroutine() <= goroutines+20 })
	eventually(t, "the cell is free", func() bool { return w.cells["na1"].Open() <= 1 })
	ask()
}

// resetStreams opens and resets up to n streams, for as long as the edge lets it,
// and returns how many.
func (f *frames) resetStreams(n int) int {
	go func() { _, _ = io.Copy(io.Discard, f.nc) }()
	for i := range n {
		id := uint32(2*i + 1)
		if f.begin(id, true, ":method", "GET", ":scheme", "http", ":path", "/slow?ms=3600000", ":authority", "localhost") != nil ||
			f.fr.WriteRSTStream(id, http2.ErrCodeCancel) != nil {
			return i + 1
		}
	}
	return n
}
