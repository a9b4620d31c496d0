package upstream_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/homeward/homeward/internal/testleak"
	"github.com/homeward/homeward/internal/upstream"
	"github.com/homeward/homeward/topology"
)

func TestMain(m *testing.M) { testleak.Main(m) }

// gateway accepts connections and holds them.
type gateway struct {
	net.Listener
	conns chan net.Conn
}

func newGateway(t *testing.T) *gateway {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gateway{Listener: l, conns: make(chan net.Conn, 100)}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			g.conns <- c
		}
	}()
	t.Cleanup(func() { l.Close() })
	return g
}

func (g *gateway) url() string { return "http://" + g.Addr().String() }

// clock is a clock that the test moves.
type clock struct{ at atomic.Int64 }

func (c *clock) now() time.Time { return time.Unix(c.at.Load(), 0) }

func declared(gateways ...string) *topology.Topology {
	return (&topology.Topology{
		Version: 1, Facade: topology.Facade{Hosts: []string{"api.test"}, LegacyCell: "na1"},
		Cells: []topology.Cell{{Name: "na1", Region: "r", Jurisdiction: "us", Gateways: gateways}},
	}).WithDefaults()
}

func open(t *testing.T, c *clock, top *topology.Topology) (*upstream.Set, *upstream.Pool) {
	t.Helper()
	s := upstream.OpenSet(c.now, slog.New(slog.DiscardHandler), nil)
	t.Cleanup(s.Close)
	applied, err := s.Apply(top)
	if err != nil {
		t.Fatal(err)
	}
	return s, applied.Cells[0].Main
}

func get(t *testing.T, p *upstream.Pool) *upstream.Lease {
	t.Helper()
	c, err := p.Get(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestReuse(t *testing.T) {
	g, c := newGateway(t), &clock{}
	_, p := open(t, c, declared(g.url()))
	first := get(t, p)
	second := get(t, p)
	if first.Reused || second.Reused {
		t.Error("a fresh connection counts as reused")
	}
	first.Conn.Release(true)
	second.Conn.Release(true)
	if got := get(t, p); got.Conn != second.Conn || !got.Reused {
		t.Error("not the connection used last")
	}
	second.Conn.Release(false)
	if p.Opened() != 2 || p.Open() != 1 || p.Reused() != 1 {
		t.Errorf("opened %d, open %d, reused %d", p.Opened(), p.Open(), p.Reused())
	}
	c.at.Add(3600)
	if got := get(t, p); got.Conn == first.Conn {
		t.Error("a connection was reused that is too old")
	}
}

// A connection that ended, or on which an answer to no request waits, is not
// used for a request.
func TestQuietConnectionsOnly(t *testing.T) {
	for name, disturb := range map[string]func(net.Conn){
		"ended": func(c net.Conn) { c.Close() },
		"loud":  func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n") },
	} {
		g := newGateway(t)
		_, p := open(t, &clock{}, declared(g.url()))
		c := get(t, p)
		c.Conn.Release(true)
		disturb(<-g.conns)
		for deadline := time.Now().Add(time.Minute); ; {
			next := get(t, p)
			reused := next.Conn == c.Conn
			next.Conn.Release(reused)
			if !reused {
				break
			}
			if time.Now().After(deadline) { // the byte or the end needs a moment to arrive
				t.Fatalf("%s: the connection is still used", name)
			}
		}
	}
}

func TestGatewaysThatAreDown(t *testing.T) {
	g, c := newGateway(t), &clock{}
	// A port that was free a moment ago may be another test's by now; to listen on
	// this one needs a privilege.
	_, p := open(t, c, declared("http://127.0.0.1:1", g.url()))
	for range 10 {
		get(t, p).Conn.Release(false)
	}
	if p.Failed() > 1 {
		t.Errorf("a gateway that is down was tried %d times within its pause", p.Failed())
	}
	c.at.Add(60)
	for range 2 {
		get(t, p).Conn.Release(false)
	}
	if p.Failed() != 2 {
		t.Errorf("a gateway that was down is not tried again: %d failures", p.Failed())
	}
	g.Close()
	if _, err := p.Get(context.Background()); !errors.Is(err, upstream.ErrUnavailable) {
		t.Errorf("all gateways down: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := p.Get(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a request that was given up: %v", err)
	}
}

func TestRequestsSpreadOverGateways(t *testing.T) {
	a, b := newGateway(t), newGateway(t)
	_, p := open(t, &clock{}, declared(a.url(), b.url()))
	for range 20 {
		c := get(t, p)
		c.Conn.Release(true)
	}
	<-a.conns
	<-b.conns
	if p.Opened() != 2 {
		t.Errorf("%d connections to two gateways, want one each", p.Opened())
	}
}

// What does not change keeps its pool; what changes gets a new one and the old
// keeps nothing.
// A connection of HTTP/2 is made for one timeouts.write; one of HTTP/1.1 takes that
// of each exchange, and is kept.
func TestApplyAnotherWriteTimeout(t *testing.T) {
	for scheme, kept := range map[string]bool{"http": true, "h2c": false} {
		top := declared(scheme + "://127.0.0.1:1")
		s, p := open(t, &clock{}, top)
		changed := top.WithDefaults()
		changed.Timeouts.Write++
		next, err := s.Apply(changed)
		if err != nil || (next.Cells[0].Main == p) != kept {
			t.Errorf("%s: kept the pool: %v, %v", scheme, !kept, err)
		}
	}
}

func TestApply(t *testing.T) {
	g := newGateway(t)
	top := declared(g.url())
	s, p := open(t, &clock{}, top)
	c := get(t, p)
	same, err := s.Apply(top.WithDefaults())
	if err != nil || same.Cells[0].Main != p || same.Cells[0].GRPC != p || len(same.Retired) != 0 {
		t.Errorf("the same declaration made another pool: %v", err)
	}
	changed := top.WithDefaults()
	changed.Timeouts.Connect++
	next, err := s.Apply(changed)
	if err != nil || next.Cells[0].Main == p || len(next.Retired) != 1 || next.Retired[0] != p {
		t.Fatalf("another declaration kept the pool: %v", err)
	}
	if next.Cells[0].Main.Opened() != 1 {
		t.Error("the counters of the cell start anew")
	}
	s.Retire(next.Retired)
	s.Close()
	c.Conn.Release(true)
	if p.Open() != 0 {
		t.Errorf("%d connections of a retired pool are open", p.Open())
	}
	if _, err := s.Apply(top); !errors.Is(err, upstream.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}
