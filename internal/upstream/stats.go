package upstream

import (
	"slices"
	"sync"
	"sync/atomic"
)

// Stats counts what the pools of a cell did, across their replacements. All may
// be read at any time.
type Stats struct {
	opened, open, failed, waited atomic.Int64

	mu     sync.Mutex // locked before that of a pool
	reused int64      // by pools that are no longer in the list
	pools  []*Pool
}

// Opened is the number of connections made.
func (s *Stats) Opened() int64 { return s.opened.Load() }

// Open is the number of connections now, busy and idle.
func (s *Stats) Open() int64 { return s.open.Load() }

// Failed is the number of connections that could not be made for a request.
func (s *Stats) Failed() int64 { return s.failed.Load() }

// Waited is the number of requests that found all connections in use.
func (s *Stats) Waited() int64 { return s.waited.Load() }

// Reused is the number of times that a request found a connection made before.
// Pools count it themselves, since it would be the one figure that every request
// of a cell changes.
func (s *Stats) Reused() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.reused
	for _, p := range s.pools {
		n += p.reuses()
	}
	return n
}

func (s *Stats) add(p *Pool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pools = append(s.pools, p)
}

// remove forgets a pool that gets no more requests, but for some that have begun
// before; these it does not count.
func (s *Stats) remove(p *Pool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.pools, p); i >= 0 {
		s.reused += p.reuses()
		s.pools = slices.Delete(s.pools, i, i+1)
	}
}
