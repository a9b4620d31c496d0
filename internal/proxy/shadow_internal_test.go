package proxy

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/homeward/homeward/internal/upstream"
	"github.com/homeward/homeward/route"
	"github.com/homeward/homeward/topology"
)

// shadowed is an exchange with na1 under a topology with this shadow of it.
func shadowed(tb testing.TB, share float64) *exchange {
	tb.Helper()
	table, err := route.Compile(&topology.Topology{
		Version: 1, Facade: topology.Facade{Hosts: []string{"localhost"}, LegacyCell: "na1"},
		Cells:   []topology.Cell{{Name: "na1", Region: "r", Jurisdiction: "us", Gateways: []string{"http://127.0.0.1:1"}}},
		Shadows: []topology.Shadow{{Name: "next", Of: "na1", Gateways: []string{"http://127.0.0.1:2"}, Share: share, Paths: []string{"/crm/*"}}},
	})
	if err != nil {
		tb.Fatal(err)
	}
	state, err := NewState(table, upstream.Applied{Cells: make([]upstream.Pools, 1), Shadows: make([]*upstream.Pool, 1)})
	if err != nil {
		tb.Fatal(err)
	}
	p := New(state, nil, nil, nil)
	x := p.newExchange(context.Background(), &Inbound{Method: "GET", Origin: "/crm/v3/objects"}, nil)
	x.state = state
	return x
}

// A request that no shadow takes costs no allocation, and sees nothing of the
// shadows from then on.
func TestUnsampledCostsNothing(t *testing.T) {
	x := shadowed(t, 1e-9)
	if n := testing.AllocsPerRun(1000, func() {
		x.sample = x.sampled()
		x.sample.sent(x.in.Fields)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if x.sample != nil {
		t.Error("a share of nearly nothing took a request")
	}
	if x := shadowed(t, 100); x.sampled() == nil {
		t.Error("a share of 100 took none")
	}
}

// A server that shuts down waits for the copies that it ends, even when the time
// for its clients is over.
func TestShutdownWaitsForCopies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := shadowed(t, 100)
		x.proxy.log, x.proxy.now = slog.New(slog.DiscardHandler), time.Now
		c, h := x.proxy.copies, x.state.shadows[0][0]
		server := OpenServer(x.proxy, nil)
		if !c.admit(h) {
			t.Fatal("no place for a copy")
		}
		over, cancel := context.WithCancel(t.Context())
		cancel()
		done := make(chan struct{})
		go func() {
			_ = server.Shutdown(over, 0)
			close(done)
		}()
		synctest.Wait()
		select {
		case <-done:
			t.Error("the shutdown did not wait")
		default:
		}
		if c.base.Err() == nil || c.admit(h) {
			t.Error("the copy was not ended, or another may begin")
		}
		c.leave(h)
		<-done
	})
}

func TestDigest(t *testing.T) {
	c := newCopies(nil, nil)
	digestOf := func(limit int64, pieces ...string) *digest {
		d := &digest{limit: limit}
		d.hash.SetSeed(c.seed)
		for _, p := range pieces {
			d.add([]byte(p))
		}
		return d
	}
	if digestOf(10, "abc", "", "def").content() != digestOf(9, "abcdef").content() {
		t.Error("the pieces that a content comes in make a difference")
	}
	if digestOf(10, "abc").content() == digestOf(10, "abd").content() || digestOf(10).content() == digestOf(10, "a").content() {
		t.Error("two contents are told to be one")
	}
	if d := digestOf(5, "abc", "def"); !d.over(10) || digestOf(5, "abcde").over(5) || !digestOf(5, "abcde").over(4) {
		t.Error("what was not hashed whole counts as whole")
	}
}
