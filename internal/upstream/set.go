package upstream

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/homeward/homeward/internal/eventloop"
	"github.com/homeward/homeward/internal/proxy/http1"
	"github.com/homeward/homeward/topology"
)

const (
	// retireOver is the time over which idle connections that are no longer wanted
	// are closed.
	retireOver = 10 * time.Second
	// sweepEvery is how often connections are looked for that were idle for too long.
	sweepEvery = 5 * time.Second
)

// ErrClosed says that a Set was closed.
var ErrClosed = errors.New("upstream set is closed")

// Options are what a Set takes from its surroundings.
type Options struct {
	Now      func() time.Time // the clock; nil for time.Now
	Log      *slog.Logger     // told of bugs, never given what came from outside; nil discards
	Resolver Resolver         // nil for the system's
	Loop     *eventloop.Loop  // that connections wait in; nil for none. The set does not close it
}

// Set holds the fleets of all cells across changes of the topology. It is safe for
// concurrent use.
type Set struct {
	o          Options
	background *background
	buffers    http1.Buffers

	mu     sync.Mutex
	fleets map[fleetName]*Fleet
	stats  map[string]*Stats // by fleetName.of; never reset, as counters must not be
	closed bool
}

// OpenSet starts a set with no pools. Close ends it.
func OpenSet(o Options) *Set {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Resolver == nil {
		o.Resolver = net.DefaultResolver
	}
	s := &Set{o: o, background: newBackground(), fleets: map[fleetName]*Fleet{}, stats: map[string]*Stats{}}
	s.background.run(s.sweep)
	return s
}

// Pools are the pools of one cell.
type Pools struct {
	Main *Lanes
	GRPC *Lanes // Main itself, unless the cell declares endpoints for gRPC
}

// Applied is what a topology made of a Set.
type Applied struct {
	Cells   []Pools  // in the order of the topology's cells
	Shadows []*Pool  // in the order of its shadows; copies hold no connection of a lane
	Retired []*Fleet // no longer declared: for the caller to Retire once nothing is sent to them
}

// Apply makes what the topology declares. Gateways whose declaration did not change
// stay, connections and all; of the others idle connections are closed over some
// seconds, and those in use as they end. Requests that began under the last topology
// find the gateways that their cell has now. On an error nothing has changed. The
// topology has its defaults.
func (s *Set) Apply(t *topology.Topology) (Applied, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return Applied{}, ErrClosed
	}
	plan, err := planned(t)
	if err != nil {
		return Applied{}, err
	}
	lanes, declared := make([]string, len(t.Lanes)), make(map[string]bool, len(t.Lanes))
	for i := range t.Lanes {
		lanes[i] = t.Lanes[i].Name
		declared[lanes[i]] = true
	}
	next := map[fleetName]*Fleet{}
	for _, p := range plan {
		f := s.fleets[p.name]
		if f == nil {
			f = s.newFleet(p.name)
		}
		f.update(p.settings, p.gateways, declared, p.shadows)
		next[p.name] = f
	}
	var a Applied
	for i := range t.Cells {
		name := fleetName{of: t.Cells[i].Name}
		pools := Pools{Main: &Lanes{fleet: next[name], names: lanes}}
		pools.GRPC = pools.Main
		if name.grpc = true; next[name] != nil {
			pools.GRPC = &Lanes{fleet: next[name], names: lanes}
		}
		a.Cells = append(a.Cells, pools)
	}
	for i := range t.Shadows {
		h := &t.Shadows[i]
		of := fleetName{of: h.Cell}
		if h.Cell == "" {
			of.of = shadowPrefix + h.Name
		}
		a.Shadows = append(a.Shadows, next[of].pool(shadowPrefix+h.Name))
	}
	for name, f := range s.fleets {
		if next[name] != f {
			a.Retired = append(a.Retired, f)
		}
	}
	s.fleets = next
	return a, nil
}

func (s *Set) newFleet(name fleetName) *Fleet {
	if s.stats[name.of] == nil {
		s.stats[name.of] = &Stats{}
	}
	return &Fleet{
		now: s.o.Now, log: s.o.Log, resolver: s.o.Resolver, loop: s.o.Loop, buffers: &s.buffers, background: s.background, stats: s.stats[name.of],
		pools: map[string]*Pool{}, changed: make(chan struct{}),
	}
}

// shadowPrefix tells the endpoints and pools of a shadow from a cell and a lane, whose
// names have no colon.
const shadowPrefix = "shadow:"

// fleetName tells the fleets of a Set apart.
type fleetName struct {
	of   string // the cell, or the shadow behind shadowPrefix; whom it counts for
	grpc bool
}

// planned is what a topology declares of its fleets, with all that can fail done.
func planned(t *topology.Topology) ([]plan, error) {
	var all []plan
	add := func(name fleetName, who string, gateways []string, tls *topology.TLS, health *topology.Health) error {
		p := plan{name: name, settings: &settings{
			connect: t.Timeouts.Connect.Std(), keepFor: t.Timeouts.UpstreamIdle.Std(), poolWait: t.Timeouts.PoolWait.Std(),
			maxIdle: t.Limits.UpstreamIdle, maxOpen: t.Limits.UpstreamConnections, health: health,
			http2: !slices.ContainsFunc(gateways, func(g string) bool { return !overHTTP2(g) }),
		}}
		source, err := readTLS(tls)
		if err != nil {
			return fmt.Errorf("%s: %w", who, err)
		}
		d := &declaration{who: who, tls: source, write: t.Timeouts.Write.Std()}
		for _, declared := range gateways {
			g, err := newGateway(d, declared)
			if err != nil {
				return err
			}
			p.gateways = append(p.gateways, g)
		}
		for i := range t.Shadows {
			h := &t.Shadows[i]
			if h.Cell == name.of || shadowPrefix+h.Name == name.of {
				if p.shadows == nil {
					p.shadows = map[string]bool{}
				}
				p.shadows[shadowPrefix+h.Name] = true
			}
		}
		all = append(all, p)
		return nil
	}
	for i := range t.Cells {
		c := &t.Cells[i]
		who := "cell " + c.Name
		if err := add(fleetName{of: c.Name}, who, c.Gateways, c.TLS, c.Health); err != nil {
			return nil, err
		}
		if len(c.GRPCGateways) > 0 {
			if err := add(fleetName{of: c.Name, grpc: true}, who, c.GRPCGateways, c.TLS, c.Health); err != nil {
				return nil, err
			}
		}
	}
	for i := range t.Shadows {
		if h := &t.Shadows[i]; h.Cell == "" {
			if err := add(fleetName{of: shadowPrefix + h.Name}, "shadow "+h.Name, h.Gateways, h.TLS, nil); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// plan is what a topology declares of one fleet.
type plan struct {
	name     fleetName
	settings *settings
	gateways []*gateway
	shadows  map[string]bool // names of pools besides those of lanes; nil for none
}

// Retire closes the idle connections of fleets over some seconds, in the
// background, and those in use as they end.
func (s *Set) Retire(fleets []*Fleet) {
	for _, f := range fleets {
		f.retire(retireOver)
	}
}

// Each calls f with what was counted for each cell, and for each shadow by
// "shadow:" and its name.
func (s *Set) Each(f func(name string, stats *Stats)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, stats := range s.stats {
		f(name, stats)
	}
}

// Health calls f for each declared gateway, by the name that Each has: how many of its
// addresses are used like any other, and how many are tried last. Both are 0 for a
// name that was not looked up yet. A gateway that gRPC calls have, too, is one for them.
func (s *Set) Health(f func(name, gateway string, up, down int)) {
	type which struct{ name, gateway string }
	counted := map[which][2]int{}
	s.mu.Lock()
	for name, fleet := range s.fleets {
		fleet.each(func(gateway string, up, down int) {
			w := which{name.of, gateway}
			counted[w] = [2]int{counted[w][0] + up, counted[w][1] + down}
		})
	}
	s.mu.Unlock()
	for w, n := range counted {
		f(w.name, w.gateway, n[0], n[1])
	}
}

// Close closes all idle connections and stops the keeping of new ones.
func (s *Set) Close() {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.closed = true
	for _, f := range s.fleets {
		f.retire(0)
	}
	s.mu.Unlock()
	s.background.close()
}

// sweep closes connections that were idle for too long.
func (s *Set) sweep() {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.background.stop:
			return
		case <-tick.C:
		}
		s.mu.Lock()
		fleets := make([]*Fleet, 0, len(s.fleets))
		for _, f := range s.fleets {
			fleets = append(fleets, f)
		}
		s.mu.Unlock()
		for _, f := range fleets {
			f.sweep()
		}
	}
}

var _ Resolver = (*net.Resolver)(nil)
