package load

import (
	"sync"
	"time"
)

// recorder collects what a load gives. Its methods may be called from many
// goroutines.
type recorder struct {
	mu        sync.Mutex
	latencies []time.Duration
	errors    int64
	first     error // of the errors
	last      time.Time
}

// answered records a request that was to be sent at a time.
func (r *recorder) answered(due, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.latencies = append(r.latencies, now.Sub(due))
	if now.After(r.last) {
		r.last = now
	}
}

// failed records one that was not answered as it must be.
func (r *recorder) failed(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errors++
	if r.first == nil {
		r.first = err
	}
}

// result is everything recorded, and the first error. It sorts the latencies.
func (r *recorder) result(began time.Time) (Result, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	got := Result{Requests: int64(len(r.latencies)), Errors: r.errors}
	if !r.last.IsZero() {
		got.Took = r.last.Sub(began)
	}
	got.percentiles(r.latencies)
	return got, r.first
}
