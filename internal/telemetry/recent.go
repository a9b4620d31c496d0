package telemetry

import (
	"strings"

	"github.com/homeward/homeward/internal/proxy"
)

// Recent keeps the records of the last requests in memory, for an operator who
// asks what the edge just did and why. It is safe for concurrent use.
type Recent struct{ records *ring[proxy.Record] }

// NewRecent keeps the last n records.
func NewRecent(n int) *Recent { return &Recent{newRing[proxy.Record](n)} }

// Done implements proxy.Observer.
func (r *Recent) Done(rec *proxy.Record) {
	kept := *rec
	// These are parts of the head as it was read: a copy lets go of the rest of
	// it, credentials and all.
	kept.Method, kept.Host, kept.RequestID = clone(rec.Method), clone(rec.Host), clone(rec.RequestID)
	r.records.add(kept)
}

// clone copies what may be long to what a person reads of it.
func clone(s string) string { return strings.Clone(s[:min(len(s), 255)]) }

// Last returns up to n records, the latest first.
func (r *Recent) Last(n int) []proxy.Record { return r.records.last(n) }
