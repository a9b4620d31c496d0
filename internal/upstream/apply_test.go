package upstream_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/homeward/homeward/internal/upstream"
	"github.com/homeward/homeward/topology"
)

func apply(t *testing.T, s *upstream.Set, top *topology.Topology) upstream.Applied {
	t.Helper()
	a, err := s.Apply(top.WithDefaults())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// A change re-opens the connections that it concerns and no others.
func TestApplyKeepsConnections(t *testing.T) {
	lane := func(name string) topology.Lane {
		return topology.Lane{Name: name, Match: topology.LaneMatch{Headers: []string{"X-" + name}}}
	}
	other := newGateway(t)
	for name, c := range map[string]struct {
		change func(*topology.Topology)
		kept   []string // lanes
	}{
		"nothing":       {func(*topology.Topology) {}, []string{"a", "b", "default"}},
		"timeouts":      {func(top *topology.Topology) { top.Timeouts.Connect++; top.Timeouts.PoolWait++; top.Timeouts.Write++ }, []string{"a", "b", "default"}},
		"limits":        {func(top *topology.Topology) { top.Limits.UpstreamConnections = 7 }, []string{"a", "b", "default"}},
		"probes":        {func(top *topology.Topology) { top.Cells[0].Health = &topology.Health{} }, []string{"a", "b", "default"}},
		"another cell":  {func(top *topology.Topology) { top.Cells = append(top.Cells, cellNamed("eu1", other.url())) }, []string{"a", "b", "default"}},
		"a cell before": {func(top *topology.Topology) { top.Cells = slices.Insert(top.Cells, 0, cellNamed("eu1", other.url())) }, []string{"a", "b", "default"}},
		"one more gateway": {func(top *topology.Topology) {
			top.Cells[0].Gateways = append(top.Cells[0].Gateways, "http://127.0.0.1:1")
		},
			[]string{"a", "b", "default"}},
		"lanes in another order": {func(top *topology.Topology) { top.Lanes[0], top.Lanes[1] = top.Lanes[1], top.Lanes[0] }, []string{"a", "b", "default"}},
		"a lane less":            {func(top *topology.Topology) { top.Lanes = top.Lanes[1:] }, []string{"b", "default"}},
		"a lane renamed":         {func(top *topology.Topology) { top.Lanes[0].Name = "c" }, []string{"b", "default"}},
		"another gateway":        {func(top *topology.Topology) { top.Cells[0].Gateways = []string{other.url()} }, nil},
		"another client certificate": {func(top *topology.Topology) {
			top.Cells[0].TLS = &topology.TLS{ServerName: "x.test"}
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t)
			top := declared(g.url())
			top.Lanes = []topology.Lane{lane("a"), lane("b"), {Name: topology.DefaultLane}}
			s := upstream.OpenSet(upstream.Options{Now: new(clock).now})
			t.Cleanup(s.Close)
			before := apply(t, s, top)
			for i := range top.Lanes {
				get(t, before.Cells[0].Main.Pool(i)).Conn.Release(true)
			}
			next := top.WithDefaults()
			c.change(next)
			after := apply(t, s, next)
			cell := slices.IndexFunc(next.Cells, func(c topology.Cell) bool { return c.Name == "na1" })
			var kept []string
			for i := range next.Lanes {
				l, err := after.Cells[cell].Main.Pool(i).Get(t.Context())
				for err == nil && l.Gateway() != g.Addr().String() && c.kept != nil { // the gateway that was added does not listen
					l.Conn.Release(false)
					l, err = after.Cells[cell].Main.Pool(i).Get(t.Context())
				}
				if err != nil {
					t.Fatal(err)
				}
				if l.Reused {
					kept = append(kept, next.Lanes[i].Name)
				}
				l.Conn.Release(false)
			}
			slices.Sort(kept)
			if diff := cmp.Diff(c.kept, kept); diff != "" {
				t.Errorf("lanes that kept their connections: -want +got:\n%s", diff)
			}
		})
	}
}

func cellNamed(name, gateway string) topology.Cell {
	return topology.Cell{Name: name, Region: "r", Jurisdiction: "us", Gateways: []string{gateway}}
}

// A connection of HTTP/2 is made for one timeouts.write; one of HTTP/1.1 takes that
// of each exchange, and is kept, as the table above shows.
func TestApplyAnotherWriteTimeout(t *testing.T) {
	g := newSharing(t, 10)
	s := upstream.OpenSet(upstream.Options{})
	t.Cleanup(s.Close)
	top := declared("h2c://" + g.Addr().String())
	p := apply(t, s, top).Cells[0].Main.Pool(0)
	first := get(t, p)
	top.Timeouts.Write++
	apply(t, s, top)
	second := get(t, p)
	if first.HTTP2 == second.HTTP2 {
		t.Error("the connection stayed")
	}
	first.HTTP2.Release()
	second.HTTP2.Release()
}

// A cell that is no longer declared keeps nothing, once it is retired; its counters go
// on should it come back.
func TestApplyWithoutACell(t *testing.T) {
	g := newGateway(t)
	both, one := declared(g.url()), declared(g.url())
	both.Cells = append(both.Cells, cellNamed("eu1", g.url()))
	s := upstream.OpenSet(upstream.Options{Now: new(clock).now})
	t.Cleanup(s.Close)
	p := apply(t, s, both).Cells[1].Main.Pool(0)
	idle, busy := get(t, p), get(t, p)
	idle.Conn.Release(true)
	a := apply(t, s, one)
	if len(a.Retired) != 1 {
		t.Fatalf("%d fleets are retired, want that of eu1", len(a.Retired))
	}
	still := get(t, p) // nothing is retired before the caller says so
	if !still.Reused {
		t.Error("a pool that requests may still use is closed")
	}
	still.Conn.Release(true)
	s.Retire(a.Retired)
	busy.Conn.Release(true)
	eventually(t, "all connections of the cell are closed", func() bool { return p.Open() == 0 })
	again := apply(t, s, both).Cells[1].Main.Pool(0)
	if again == p || again.Opened() != 2 {
		t.Errorf("the counters of the cell start anew, at %d", again.Opened())
	}
}

func TestClosedSet(t *testing.T) {
	g := newGateway(t)
	s, p := open(t, &clock{}, declared(g.url()))
	idle, busy := get(t, p), get(t, p)
	idle.Conn.Release(true)
	s.Close()
	busy.Conn.Release(true)
	if p.Open() != 0 {
		t.Errorf("%d connections are open", p.Open())
	}
	if _, err := s.Apply(declared(g.url())); !errors.Is(err, upstream.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// Copies for a shadow hold no connection of the requests of the cell that gets them.
func TestShadowsHaveConnectionsOfTheirOwn(t *testing.T) {
	g := newGateway(t)
	top := declared(g.url())
	top.Cells = append(top.Cells, cellNamed("na2", g.url()))
	top.Shadows = []topology.Shadow{{Name: "next", Of: "na1", Cell: "na2", Share: 1}, {Name: "new", Of: "na1", Gateways: []string{g.url()}, Share: 1}}
	s := upstream.OpenSet(upstream.Options{Now: new(clock).now})
	t.Cleanup(s.Close)
	a := apply(t, s, top)
	get(t, a.Cells[1].Main.Pool(0)).Conn.Release(true)
	for i, p := range a.Shadows {
		if l := get(t, p); l.Reused {
			t.Errorf("the copies of %s took the connection of a request", top.Shadows[i].Name)
		} else {
			l.Conn.Release(true)
		}
	}
	if same := apply(t, s, top); !slices.Equal(same.Shadows, a.Shadows) {
		t.Error("the same declaration made other pools")
	}
}
