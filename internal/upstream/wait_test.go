package upstream_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/homeward/homeward/internal/upstream"
	"github.com/homeward/homeward/topology"
)

// eventually waits for a state that other goroutines bring about.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

// crowded is a pool of one gateway with so many connections, which wait for so long.
func crowded(t *testing.T, connections int, patience time.Duration) *upstream.Pool {
	t.Helper()
	g := newGateway(t)
	top := declared(g.url())
	top.Limits.UpstreamConnections, top.Timeouts.PoolWait = connections, topology.Duration(patience)
	_, p := open(t, &clock{}, top)
	return p
}

type leased struct {
	number int
	upstream.Lease
	err error
}

// take starts requests one after the other, each once the one before waits.
func take(t *testing.T, ctx context.Context, p *upstream.Pool, n int) <-chan leased {
	t.Helper()
	got := make(chan leased, n)
	for i := range n {
		before := p.Waited()
		go func() {
			l, err := p.Get(ctx)
			got <- leased{i, l, err}
		}()
		eventually(t, "the request waits", func() bool { return p.Waited() > before })
	}
	return got
}

// At the limit requests wait, and a connection that is given back goes to the one that
// has waited longest, as does the place of one that was closed.
func TestLongestWaitingFirst(t *testing.T) {
	for name, reusable := range map[string]bool{"given back": true, "closed": false} {
		p := crowded(t, 1, time.Hour)
		l := get(t, p)
		waiting := take(t, t.Context(), p, 4)
		for i := range 4 {
			l.Conn.Release(reusable)
			next := <-waiting
			if next.err != nil || next.number != i {
				t.Fatalf("%s: request %d is served as number %d: %v", name, next.number, i, next.err)
			}
			l = next.Lease
			if l.Reused != reusable || p.Open() != 1 {
				t.Errorf("%s: reused %v, %d connections open", name, l.Reused, p.Open())
			}
		}
		l.Conn.Release(false)
	}
}

func TestWaitIsBounded(t *testing.T) {
	p := crowded(t, 1, time.Millisecond)
	l := get(t, p)
	if _, err := p.Get(t.Context()); !errors.Is(err, upstream.ErrBusy) {
		t.Errorf("waited for too long: %v", err)
	}
	l.Conn.Release(true)
	get(t, p).Conn.Release(true)
}

// A client that leaves while its request waits takes nothing with it.
func TestClientThatLeavesTheQueue(t *testing.T) {
	p := crowded(t, 1, time.Hour)
	l := get(t, p)
	ctx, cancel := context.WithCancel(t.Context())
	left := take(t, ctx, p, 3)
	stays := take(t, t.Context(), p, 1)
	cancel()
	for range 3 {
		if l := <-left; !errors.Is(l.err, context.Canceled) {
			t.Errorf("a client that left got %v", l.err)
		}
	}
	l.Conn.Release(true)
	if next := <-stays; next.err != nil || !next.Reused {
		t.Errorf("the connection was lost: %v", next.err)
	} else {
		next.Conn.Release(true)
	}
}

// Clients that leave at the moment in which they are served pass on what they got.
func TestNothingIsLostInTheQueue(t *testing.T) {
	p := crowded(t, 2, time.Hour)
	done := make(chan struct{})
	for range 8 {
		go func() {
			defer func() { done <- struct{}{} }()
			for i := range 200 {
				ctx, cancel := context.WithCancel(t.Context())
				if i%2 == 0 {
					go cancel()
				}
				l, err := p.Get(ctx)
				if err == nil {
					l.Conn.Release(i%5 > 0)
				}
				cancel()
			}
		}()
	}
	for range 8 {
		<-done
	}
	a, b := get(t, p), get(t, p) // both places are there
	if p.Open() != 2 {
		t.Errorf("%d connections open", p.Open())
	}
	a.Conn.Release(true)
	b.Conn.Release(true)
}

// A request that failed on a kept connection gets a new one, though there are
// others, and though there are as many as there may be.
func TestFreshIsNew(t *testing.T) {
	p := crowded(t, 2, time.Hour)
	failed, other := get(t, p), get(t, p)
	failed.Conn.Release(true)
	other.Conn.Release(true)
	failed = get(t, p)
	failed.Conn.Release(false)
	fresh, err := p.Fresh(t.Context(), &failed)
	if err != nil || fresh.Reused {
		t.Fatalf("reused %v, %v", fresh.Reused, err)
	}
	second, err := p.Fresh(t.Context(), &failed)
	if err != nil || second.Reused || p.Open() != 2 {
		t.Fatalf("at the limit: reused %v, %v, %d open", second.Reused, err, p.Open())
	}
	fresh.Conn.Release(false)
	second.Conn.Release(false)
}

// What is stuck in one lane takes nothing from another.
func TestLanesShareNoConnections(t *testing.T) {
	g := newGateway(t)
	top := declared(g.url())
	top.Lanes = append([]topology.Lane{{Name: "batch", Match: topology.LaneMatch{Methods: []string{"PUT"}}}}, top.Lanes...)
	top.Limits.UpstreamConnections, top.Timeouts.PoolWait = 1, topology.Duration(time.Millisecond)
	s := upstream.OpenSet(upstream.Options{Now: new(clock).now})
	t.Cleanup(s.Close)
	lanes := apply(t, s, top).Cells[0].Main
	stuck := get(t, lanes.Pool(0))
	if _, err := lanes.Pool(0).Get(t.Context()); !errors.Is(err, upstream.ErrBusy) {
		t.Errorf("the lane is not at its limit: %v", err)
	}
	get(t, lanes.Pool(1)).Conn.Release(true)
	stuck.Conn.Release(true)
	if l := get(t, lanes.Pool(1)); l.Conn == stuck.Conn {
		t.Error("a lane has another's connection")
	} else {
		l.Conn.Release(true)
	}
}
