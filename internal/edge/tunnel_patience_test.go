package edge_test

import (
	"io"
	"sync"
	"testing"

	"github.com/homeward/homeward/internal/proxy"
	"github.com/homeward/homeward/topology"
)

// openTunnel is one of many that wait for the same timeout at the same time.
type openTunnel struct {
	*socket
	name string
}

// tunnels are open between every client and both kinds of gateways.
type tunnels struct {
	t      *testing.T
	worlds []*world
	open   []openTunnel
}

// openTunnels has begin called with each as soon as it is open.
func openTunnels(t *testing.T, change func(*topology.Topology), script func(tunnelEnd), begin func(*socket)) *tunnels {
	t.Helper()
	all := &tunnels{t: t}
	for _, scheme := range []string{"http", "h2c"} {
		w := tunnelWorld(t, scheme, change, script)
		all.worlds = append(all.worlds, w)
		for _, c := range w.ways() {
			s, resp := c.socket(t, "/tunnel")
			if s == nil {
				t.Fatalf("%s to %s: refused with %d", c.name, scheme, resp.StatusCode)
			}
			begin(s)
			all.open = append(all.open, openTunnel{s, c.name + " to " + scheme})
		}
	}
	return all
}

// recorded waits for the records of all, and holds each to who broke it off.
func (all *tunnels) recorded(by proxy.Abort) {
	all.t.Helper()
	n := len(all.open) / len(all.worlds)
	for _, w := range all.worlds {
		eventually(all.t, "all tunnels are over", func() bool { return w.seen.count() >= n })
		for _, rec := range w.seen.all() {
			if rec.Type != proxy.WebSocket || rec.Aborted != by {
				all.t.Errorf("%s to %s: recorded as %q, broken off by %q, want %q", rec.Proto, w.top.Cells[2].Gateways[0], rec.Type, rec.Aborted, by)
			}
		}
		if got := w.seen.count(); got != n {
			all.t.Errorf("%d requests recorded, want %d", got, n)
		}
	}
}

// leave ends the clients' sides.
func (all *tunnels) leave() {
	for _, s := range all.open {
		_ = s.whole()
	}
}

// A tunnel in which nothing moves ends for both.
func TestTunnelThatIsIdle(t *testing.T) {
	t.Parallel()
	ended := make(chan bool, 10)
	all := openTunnels(t, func(top *topology.Topology) { top.Timeouts.Stream = topology.Duration(brief) }, func(e tunnelEnd) {
		_, _ = io.Copy(e, e)
		ended <- true
	}, func(s *socket) { s.write([]byte("abc")) })
	for _, s := range all.open {
		if got, _ := io.ReadAll(s.rw); string(got) != "abc" {
			t.Errorf("%s: heard %q", s.name, got)
		}
	}
	for range all.open {
		<-ended
	}
	all.recorded(proxy.NotAborted)
	all.leave()
}

func takenSoon(top *topology.Topology) { top.Timeouts.Write = topology.Duration(brief) }

// Neither side that takes nothing holds the other for ever.
func TestTunnelWhoseClientTakesNothing(t *testing.T) {
	t.Parallel()
	ended := make(chan bool, 10)
	all := openTunnels(t, takenSoon, func(e tunnelEnd) {
		for {
			if _, err := e.Write(make([]byte, 64<<10)); err != nil {
				break
			}
		}
		ended <- true
	}, func(*socket) {})
	all.recorded(proxy.ClientAborted)
	for range all.open {
		<-ended
	}
	all.leave()
}

func TestTunnelWhoseCellTakesNothing(t *testing.T) {
	t.Parallel()
	leave := make(chan struct{})
	all := openTunnels(t, takenSoon, func(tunnelEnd) { <-leave }, func(*socket) {})
	var writing sync.WaitGroup
	for _, s := range all.open {
		writing.Go(func() {
			for {
				if _, err := s.rw.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		})
	}
	writing.Wait()
	all.recorded(proxy.UpstreamAborted)
	close(leave)
	all.leave()
}
