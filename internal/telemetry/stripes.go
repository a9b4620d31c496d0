package telemetry

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// stripes are several of what all requests would otherwise meet at, about one
// for each core, so that no core waits for memory that another one has just
// written. Each has a lock of its own for the rare time that two hold the same
// one, and for whoever looks at all of them.
type stripes[T any] struct {
	all    []T
	handed atomic.Uint32
	pool   sync.Pool // of *T, all of them in all; the pool keeps to each core what it had
}

// newStripes makes as many as there are cores.
func newStripes[T any]() *stripes[T] {
	s := &stripes[T]{all: make([]T, runtime.GOMAXPROCS(0))}
	s.pool.New = func() any { return &s.all[int(s.handed.Add(1))%len(s.all)] }
	return s
}

// take is the stripe of this core until it is given back.
func (s *stripes[T]) take() *T { return s.pool.Get().(*T) }

func (s *stripes[T]) give(t *T) { s.pool.Put(t) }
