package telemetry

import (
	"strings"
	"sync"

	"github.com/homeward/homeward/internal/proxy"
)

// Recent keeps the records of the last requests in memory, for an operator who
// asks what the edge just did and why. It is safe for concurrent use.
type Recent struct {
	mu      sync.Mutex
	records []proxy.Record
	next    int
	full    bool
}

// NewRecent keeps the last n records.
func NewRecent(n int) *Recent { return &Recent{records: make([]proxy.Record, n)} }

// Done implements proxy.Observer.
func (r *Recent) Done(rec *proxy.Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	kept := *rec
	// These are parts of the head as it was read: a copy lets go of the rest of
	// it, credentials and all.
	kept.Method, kept.Host, kept.RequestID = clone(rec.Method), clone(rec.Host), clone(rec.RequestID)
	r.records[r.next] = kept
	if r.next++; r.next == len(r.records) {
		r.next, r.full = 0, true
	}
}

// clone copies what may be long to what a person reads of it.
func clone(s string) string { return strings.Clone(s[:min(len(s), 255)]) }

// Last returns up to n records, the latest first.
func (r *Recent) Last(n int) []proxy.Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	have := r.next
	if r.full {
		have = len(r.records)
	}
	n = min(n, have)
	out := make([]proxy.Record, 0, max(n, 0))
	for i := 1; i <= n; i++ {
		out = append(out, r.records[(r.next-i+len(r.records))%len(r.records)])
	}
	return out
}
