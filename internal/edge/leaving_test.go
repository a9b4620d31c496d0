package edge_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/homeward/homeward/internal/proxy"
	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/topology"
)

// holding is a world whose gateway takes 10 bytes of a body and no more. With
// first, its first connection takes all, and goes away when DATA comes.
type holding struct {
	*world
	held  chan struct{} // has a value for each request that came to where no more is taken
	reset chan http2.ErrCode
}

func newHolding(t *testing.T, first bool) *holding {
	h := &holding{held: make(chan struct{}, 1), reset: make(chan http2.ErrCode, 1)}
	var goesAway atomic.Bool
	goesAway.Store(first)
	addr := origin(t, func(c *net.TCPConn, r *bufio.Reader) {
		away, window := goesAway.Swap(false), uint32(10)
		if away {
			window = 1 << 16
		}
		if _, err := io.ReadFull(r, make([]byte, len(http2.ClientPreface))); err != nil {
			return
		}
		fr := http2.NewFramer(c, r)
		fr.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
		_ = fr.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: window})
		for {
			f, err := fr.ReadFrame()
			if err != nil {
				return
			}
			switch f := f.(type) {
			case *http2.SettingsFrame:
				if !f.IsAck() {
					_ = fr.WriteSettingsAck()
				}
			case *http2.DataFrame:
				if away {
					_ = fr.WriteGoAway(0, http2.ErrCodeNo, nil)
				} else {
					select {
					case h.held <- struct{}{}:
					default: // what is taken came in more pieces than one
					}
				}
			case *http2.RSTStreamFrame:
				h.reset <- f.ErrCode
			}
		}
	})
	h.world = newWorld(t, func(top *topology.Topology) {
		top.Timeouts.Write = topology.Duration(time.Hour)
		top.Cells[2].Gateways, top.Cells[2].GRPCGateways = []string{"h2c://" + addr}, nil
	}, testcell.Options{})
	return h
}

// A client that leaves is noticed though the cell takes no more of its body, on the
// first attempt and on one that follows.
func TestClientsThatLeaveWhileTheyAreHeldBack(t *testing.T) {
	for about, first := range map[string]bool{"": false, " once more": true} {
		for _, name := range []string{"http2", "h2c", "http3"} { // one of HTTP/1.1 shows that it left behind its body only
			for _, mediaType := range []string{"text/plain", "application/grpc"} {
				t.Run(name+" with "+mediaType+about, func(t *testing.T) {
					h := newHolding(t, first)
					c := h.way(name)
					ctx, leave := context.WithCancel(t.Context())
					req := c.request(t, "POST", "/x", bytes.NewReader(content(1000)), -1).WithContext(ctx)
					req.Header.Set("Content-Type", mediaType)
					gone := make(chan struct{})
					go func() {
						defer close(gone)
						if resp, err := c.http.Do(req); err == nil {
							t.Errorf("answered with %d", resp.StatusCode)
							resp.Body.Close()
						}
					}()
					<-h.held
					leave()
					<-gone
					select {
					case code := <-h.reset:
						if code != http2.ErrCodeCancel {
							t.Errorf("reset with %s", code)
						}
					case <-time.After(patience):
						t.Error("the cell was not told")
					}
				})
			}
		}
	}
}

// A client that leaves before there is a connection for its request says nothing
// about the cell.
func TestClientsThatLeaveBeforeThereIsRoom(t *testing.T) {
	for _, name := range []string{"http2", "h2c", "http3"} { // an HTTP/1.1 client is not watched that early
		t.Run(name, func(t *testing.T) {
			dialed, done := make(chan struct{}, 1), make(chan struct{})
			defer close(done)
			addr := origin(t, func(*net.TCPConn, *bufio.Reader) {
				dialed <- struct{}{}
				<-done
			})
			w := newWorld(t, func(top *topology.Topology) {
				top.Timeouts.Connect = topology.Duration(patience)
				top.Cells[2].Gateways, top.Cells[2].GRPCGateways = []string{"h2c://" + addr}, nil
			}, testcell.Options{})
			c := w.way(name)
			ctx, leave := context.WithCancel(t.Context())
			req := c.request(t, "GET", "/x", nil, 0).WithContext(ctx)
			go func() {
				<-dialed
				leave()
			}()
			if resp, err := c.http.Do(req); err == nil {
				t.Errorf("answered with %d", resp.StatusCode)
				resp.Body.Close()
			}
			rec := w.seen.await(t, func(r proxy.Record) bool { return r.Path == "/x" })
			if rec.Aborted != proxy.ClientAborted || rec.Kind != proxy.NoProblem {
				t.Errorf("recorded as %q, broken off by %q", rec.Kind, rec.Aborted)
			}
		})
	}
}
