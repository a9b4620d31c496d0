package upstream

import (
	"errors"
	"fmt"
	"sync"
	"time"

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
	stop chan struct{}
	done sync.WaitGroup

	mu     sync.Mutex
	pools  map[string]*Pool  // by name of the cell
	stats  map[string]*Stats // likewise; never reset, as counters must not be
	closed bool
}

// OpenSet starts a set with no pools. now is the clock. Close ends it.
func OpenSet(now func() time.Time) *Set {
	s := &Set{now: now, stop: make(chan struct{}), pools: map[string]*Pool{}, stats: map[string]*Stats{}}
	s.done.Go(s.sweep)
	return s
}

// Apply makes the pools that the topology declares, in the order of its cells.
// Pools whose declaration did not change stay, connections and all; the others
// are returned in retired for the caller to Retire once nothing is sent to
// them. On an error nothing has changed. The topology has its defaults.
func (s *Set) Apply(t *topology.Topology) (pools []*Pool, retired []*Pool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, nil, ErrClosed
	}
	next := make(map[string]*Pool, len(t.Cells))
	for i := range t.Cells {
		c := &t.Cells[i]
		source, err := readTLS(c.TLS)
		if err != nil {
			return nil, nil, fmt.Errorf("cell %s: %w", c.Name, err)
		}
		old := s.pools[c.Name]
		if old == nil || old.identity != identity(c, t.Timeouts, t.Limits.UpstreamIdle, source) {
			if old, err = newPool(c, t.Timeouts, t.Limits.UpstreamIdle, source, s.statsOf(c.Name), s.now); err != nil {
				return nil, nil, err
			}
		}
		next[c.Name] = old
		pools = append(pools, old)
	}
	for name, p := range s.pools {
		if next[name] != p {
			retired = append(retired, p)
		}
	}
	s.pools = next
	return pools, retired, nil
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

// Each calls f with every pool and the name of its cell.
func (s *Set) Each(f func(cell string, p *Pool)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, p := range s.pools {
		f(name, p)
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
		s.Each(func(_ string, p *Pool) {
			for _, e := range p.endpoints {
				for _, c := range e.expired() {
					c.discard()
				}
			}
		})
	}
}
