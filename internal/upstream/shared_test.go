package upstream_test

import (
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/homeward/homeward/internal/upstream"
	"github.com/homeward/homeward/topology"
)

// sharing is a gateway of HTTP/2 that counts its connections.
type sharing struct {
	net.Listener
	accepted atomic.Int64
	full     atomic.Bool // it closes every new connection
	deaf     atomic.Bool // it says nothing on every connection but the first

	mu    sync.Mutex
	conns []net.Conn
}

// newSharing starts one that allows so many streams on a connection.
func newSharing(t *testing.T, streams int) *sharing {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &sharing{Listener: l}
	server := &http.Server{Protocols: new(http.Protocols), HTTP2: &http.HTTP2Config{MaxConcurrentStreams: streams}}
	server.Protocols.SetUnencryptedHTTP2(true)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(g)
	}()
	t.Cleanup(func() { server.Close(); <-done; g.breakOff() })
	return g
}

func (g *sharing) Accept() (net.Conn, error) {
	for {
		c, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		g.accepted.Add(1)
		if g.full.Load() {
			c.Close()
			continue
		}
		g.mu.Lock()
		g.conns = append(g.conns, c)
		first := len(g.conns) == 1
		g.mu.Unlock()
		if first || !g.deaf.Load() {
			return c, nil
		}
	}
}

func (g *sharing) breakOff() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range g.conns {
		c.Close()
	}
}

func (g *sharing) pool(t *testing.T) *upstream.Pool {
	t.Helper()
	set := upstream.OpenSet(upstream.Options{})
	t.Cleanup(set.Close)
	top := declared("h2c://" + g.Addr().String())
	top.Timeouts.Connect = topology.Duration(time.Minute) // all of a burst wait for connections made one by one
	applied, err := set.Apply(top)
	if err != nil {
		t.Fatal(err)
	}
	return applied.Cells[0].Main.Pool(0)
}

// leases takes n at once, each a moment after the one before.
func leases(t *testing.T, n int, take func(context.Context) (upstream.Lease, error)) []upstream.Lease {
	t.Helper()
	all := make([]upstream.Lease, n)
	var taken sync.WaitGroup
	for i := range all {
		taken.Go(func() {
			var err error
			if all[i], err = take(context.Background()); err != nil {
				t.Error(err)
			}
		})
		time.Sleep(time.Microsecond)
	}
	taken.Wait()
	return all
}

// A burst of requests makes no more connections than it needs, and neither do
// those that failed together when their connections ended.
func TestBurstsShareConnections(t *testing.T) {
	const requests, streams = 1000, 100
	g := newSharing(t, streams)
	p := g.pool(t)
	first := leases(t, requests, p.Get)
	if n := g.accepted.Load(); n != requests/streams {
		t.Errorf("%d connections for %d requests, of which each carries %d", n, requests, streams)
	}
	g.breakOff()
	for _, l := range first {
		l.HTTP2.Release()
	}
	for p.Open() > 0 {
		time.Sleep(time.Millisecond)
	}
	second := leases(t, requests, func(ctx context.Context) (upstream.Lease, error) { return p.Fresh(ctx, &first[0]) })
	if n := g.accepted.Load() - requests/streams; n != requests/streams {
		t.Errorf("%d connections for %d requests whose connection ended", n, requests)
	}
	for _, l := range second {
		if l.HTTP2 == first[0].HTTP2 {
			t.Fatal("the connection that failed was given again")
		}
		l.HTTP2.Release()
	}
}

// A gateway that takes no further connection still has those that it took.
func TestFullGatewayKeepsServing(t *testing.T) {
	g := newSharing(t, 2)
	p := g.pool(t)
	a, b := get(t, p), get(t, p)
	g.full.Store(true)
	if _, err := p.Get(t.Context()); err == nil {
		t.Fatal("a third request found a place")
	}
	a.HTTP2.Release()
	b.HTTP2.Release()
	before := g.accepted.Load()
	get(t, p).HTTP2.Release()
	if g.accepted.Load() != before {
		t.Error("dialed with free places on a connection that lives")
	}
}

// A request that waits for a connection to be made takes the place that another
// leaves on one that is there.
func TestPlaceThatBecomesFree(t *testing.T) {
	g := newSharing(t, 1)
	g.deaf.Store(true)
	top := declared("h2c://" + g.Addr().String())
	top.Timeouts.Connect = topology.Duration(time.Hour)
	set := upstream.OpenSet(upstream.Options{})
	t.Cleanup(set.Close)
	applied, err := set.Apply(top)
	if err != nil {
		t.Fatal(err)
	}
	p := applied.Cells[0].Main.Pool(0)
	first := get(t, p)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	waiting := make(chan error)
	for range 2 {
		go func() {
			l, err := p.Get(ctx)
			if err == nil {
				l.HTTP2.Release()
			}
			waiting <- err
		}()
	}
	for g.accepted.Load() < 2 {
		time.Sleep(time.Millisecond)
	}
	first.HTTP2.Release()
	for range 2 {
		if err := <-waiting; err != nil {
			t.Error(err)
		}
	}
}
