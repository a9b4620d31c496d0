package upstream_test

import (
	"context"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/homeward/homeward/internal/eventloop"
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

func newGateway(t testing.TB) *gateway {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gateway{Listener: l, conns: make(chan net.Conn, 10)}
	done := make(chan struct{})
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			select {
			case g.conns <- c:
			case <-done:
				return
			}
		}
	}()
	t.Cleanup(func() { close(done); l.Close() })
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
	s := upstream.OpenSet(upstream.Options{Now: c.now})
	t.Cleanup(s.Close)
	applied, err := s.Apply(top)
	if err != nil {
		t.Fatal(err)
	}
	return s, applied.Cells[0].Main.Pool(0)
}

func get(t *testing.T, p *upstream.Pool) upstream.Lease {
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

// A gateway at which exchanges take longer gets fewer of them.
func TestRequestsGoWhereFewerAreUnderWay(t *testing.T) {
	slow, quick := newGateway(t), newGateway(t)
	_, p := open(t, &clock{}, declared(slow.url(), quick.url()))
	atSlow := 0
	for range 100 {
		l := get(t, p)
		if l.Gateway() == slow.Addr().String() {
			atSlow++ // and stays there
			continue
		}
		l.Conn.Release(true)
	}
	if atSlow != 1 {
		t.Errorf("%d requests wait at a gateway that answers none, beside one that is free", atSlow)
	}
}

// What a request pays for a connection that is there is no garbage.
func TestReuseAllocatesNothing(t *testing.T) {
	a, b := newGateway(t), newGateway(t)
	var allowed float64
	loop, err := eventloop.Open()
	if err == nil {
		t.Cleanup(loop.Close)
	} else {
		allowed = 4 // what package net takes for a look at a socket
	}
	s := upstream.OpenSet(upstream.Options{Loop: loop})
	t.Cleanup(s.Close)
	applied, err := s.Apply(declared(a.url(), b.url()))
	if err != nil {
		t.Fatal(err)
	}
	once := func() {
		l, err := applied.Cells[0].Main.Pool(0).Get(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		l.Answered()
		l.Conn.Release(true)
	}
	once()
	once() // each gateway has an idle connection now
	if n := testing.AllocsPerRun(1000, once); n > allowed {
		t.Errorf("%v allocations", n)
	}
}
