package upstream

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/homeward/homeward/internal/eventloop"
	"github.com/homeward/homeward/topology"
)

// retireOver is the time over which the idle connections of a pool that is no
// longer declared are closed.
const retireOver = 10 * time.Second

// ErrClosed says that a Set was closed.
var ErrClosed = errors.New("upstream set is closed")

// Set holds the pools of all cells across changes of the topology. It is safe
// for concurrent use.
type Set struct {
	now  func() time.Time
	log  *slog.Logger
	loop *eventloop.Loop
	stop chan struct{}
	done sync.WaitGroup

	mu     sync.Mutex
	pools  map[poolName]*Pool
	stats  map[string]*Stats // by poolName.of; never reset, as counters must not be
	closed bool
}

// OpenSet starts a set with no pools. now is the clock; log is told of bugs, and
// never given anything that came from outside. Connections wait in the loop, unless
// it is nil. Close ends the set, not the loop.
func OpenSet(now func() time.Time, log *slog.Logger, loop *eventloop.Loop) *Set {
	s := &Set{now: now, log: log, loop: loop, stop: make(chan struct{}), pools: map[poolName]*Pool{}, stats: map[string]*Stats{}}
	s.done.Go(s.sweep)
	return s
}

// Pools are the pools of one cell.
type Pools struct {
	Main *Pool
	GRPC *Pool // Main itself, unless the cell declares endpoints for gRPC
}

// Applied is what a topology made of a Set.
type Applied struct {
	Cells   []Pools // in the order of the topology's cells
	Shadows []*Pool // in the order of its shadows; nil where a cell gets the copies
	Retired []*Pool // no longer declared: for the caller to Retire once nothing is sent to them
}

// Apply makes the pools that the topology declares. Those whose declaration did
// not change stay, connections and all. On an error nothing has changed. The
// topology has its defaults.
func (s *Set) Apply(t *topology.Topology) (Applied, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return Applied{}, ErrClosed
	}
	var a Applied
	next := map[poolName]*Pool{}
	add := func(name poolName, who string, gateways []string, tls *topology.TLS) (*Pool, error) {
		source, err := readTLS(tls)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", who, err)
		}
		d := declaration{who, gateways, source, t.Timeouts, t.Limits.UpstreamIdle}
		p := s.pools[name]
		if p == nil || p.identity != d.identity() {
			if p, err = newPool(d, s.statsOf(name.of), s.now, s.log, s.loop); err != nil {
				return nil, err
			}
		}
		next[name] = p
		return p, nil
	}
	for i := range t.Cells {
		c := &t.Cells[i]
		who := "cell " + c.Name
		main, err := add(poolName{of: c.Name}, who, c.Gateways, c.TLS)
		if err != nil {
			return Applied{}, err
		}
		pools := Pools{Main: main, GRPC: main}
		if len(c.GRPCGateways) > 0 {
			if pools.GRPC, err = add(poolName{of: c.Name, grpc: true}, who, c.GRPCGateways, c.TLS); err != nil {
				return Applied{}, err
			}
		}
		a.Cells = append(a.Cells, pools)
	}
	for i := range t.Shadows {
		h := &t.Shadows[i]
		var p *Pool
		if h.Cell == "" {
			var err error
			if p, err = add(poolName{of: shadowPrefix + h.Name}, "shadow "+h.Name, h.Gateways, h.TLS); err != nil {
				return Applied{}, err
			}
		}
		a.Shadows = append(a.Shadows, p)
	}
	for name, p := range s.pools {
		if next[name] != p {
			a.Retired = append(a.Retired, p)
		}
	}
	s.pools = next
	return a, nil
}

// shadowPrefix tells the endpoints of a shadow from a cell, whose name has no colon.
const shadowPrefix = "shadow:"

// poolName tells the pools of a Set apart.
type poolName struct {
	of   string // the cell, or the shadow behind shadowPrefix; whom it counts for
	grpc bool
}

// statsOf are the counters of a cell. mu is held.
func (s *Set) statsOf(cell string) *Stats {
	if s.stats[cell] == nil {
		s.stats[cell] = &Stats{}
	}
	return s.stats[cell]
}

// Retire closes the idle connections of pools over some seconds, in the
// background, and those in use as they end.
func (s *Set) Retire(pools []*Pool) {
	for _, p := range pools {
		s.done.Go(func() { p.retire(retireOver, s.stop) })
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

// Close closes all idle connections and stops the keeping of new ones.
func (s *Set) Close() {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.closed = true
	pools := s.pools
	s.mu.Unlock()
	close(s.stop)
	for _, p := range pools {
		p.retire(0, s.stop)
	}
	s.done.Wait()
}

// sweep closes connections that were idle for too long.
func (s *Set) sweep() {
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-tick.C:
		}
		s.mu.Lock()
		pools := slices.Collect(maps.Values(s.pools))
		s.mu.Unlock()
		for _, p := range pools {
			for _, e := range p.endpoints {
				e.sweep()
			}
		}
	}
}
