package telemetry

import "sync"

// ring keeps the last values that were added to it. It is safe for concurrent
// use.
type ring[T any] struct {
	mu   sync.Mutex
	kept []T
	next int
	full bool
}

func newRing[T any](n int) *ring[T] { return &ring[T]{kept: make([]T, n)} }

func (r *ring[T]) add(v T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kept[r.next] = v
	if r.next++; r.next == len(r.kept) {
		r.next, r.full = 0, true
	}
}

// last returns up to n values, the latest first.
func (r *ring[T]) last(n int) []T {
	r.mu.Lock()
	defer r.mu.Unlock()
	have := r.next
	if r.full {
		have = len(r.kept)
	}
	n = min(n, have)
	out := make([]T, 0, max(n, 0))
	for i := 1; i <= n; i++ {
		out = append(out, r.kept[(r.next-i+len(r.kept))%len(r.kept)])
	}
	return out
}
