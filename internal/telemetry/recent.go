package telemetry

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/homeward/homeward/internal/proxy"
)

// Recent keeps the records of the last requests in memory, for an operator who
// asks what the edge just did and why. It is safe for concurrent use: all that
// requests meet at is a counter.
type Recent struct {
	n     int
	rings *stripes[slots]
	_     [64]byte      // keeps those out of the counter's cache line
	told  atomic.Uint64 // how many records there were
}

// NewRecent keeps the last n records.
func NewRecent(n int) *Recent { return &Recent{n: n, rings: newStripes[slots]()} }

// Done implements proxy.Observer.
func (r *Recent) Done(rec *proxy.Record) {
	ring := r.rings.take()
	ring.mu.Lock()
	if ring.kept == nil {
		ring.kept = make([]slot, r.n) // any stripe may be the only one in use
	}
	ring.kept[ring.next].keep(r.told.Add(1), rec)
	ring.next = (ring.next + 1) % len(ring.kept)
	ring.mu.Unlock()
	r.rings.give(ring)
}

// Last returns up to n records, the latest first.
func (r *Recent) Last(n int) []proxy.Record {
	var found []numbered
	for i := range r.rings.all {
		found = r.rings.all[i].appendTo(found)
	}
	slices.SortFunc(found, func(a, b numbered) int { return cmp.Compare(b.number, a.number) })
	out := make([]proxy.Record, 0, max(0, min(n, r.n, len(found))))
	for i := range cap(out) {
		out = append(out, found[i].record)
	}
	return out
}

// numbered is a record and its place among all that there were, from 1.
type numbered struct {
	number uint64
	record proxy.Record
}

// slots are a ring of records.
type slots struct {
	mu   sync.Mutex
	kept []slot
	next int
	_    [64]byte // keeps the next stripe's lock out of this one's cache line
}

func (s *slots) appendTo(found []numbered) []numbered {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.kept {
		if number := s.kept[i].number; number > 0 {
			found = append(found, numbered{number, s.kept[i].take()})
		}
	}
	return found
}

// slot is a place in a ring.
type slot struct {
	number uint64       // of the record here; 0 for none
	record proxy.Record // without the strings that text has

	// text has what the record says that is a part of the head as it was read, one
	// after the other: a copy lets go of the rest of it, credentials and all. The
	// next record is written over it.
	text []byte
	ends [len(cuts)]uint16 // where each ends in text
}

// cuts are how much is kept of each of texts, in bytes: what a person reads of it.
var cuts = [...]int{255, 16, 255, 255, 1024}

// texts are the strings of a record that belong to the head.
func texts(r *proxy.Record) [len(cuts)]*string {
	return [...]*string{&r.RequestID, &r.Proto, &r.Method, &r.Host, &r.Path}
}

// keep copies a record.
func (s *slot) keep(number uint64, rec *proxy.Record) {
	s.number = number
	s.record = *rec
	s.text = s.text[:0]
	for i, t := range texts(&s.record) {
		s.text = append(s.text, (*t)[:min(len(*t), cuts[i])]...)
		s.ends[i] = uint16(len(s.text)) //nolint:gosec // at most the sum of cuts
		*t = ""
	}
}

// take is a copy of the record that the next one does not change.
func (s *slot) take() proxy.Record {
	rec := s.record
	text, from := string(s.text), uint16(0)
	for i, t := range texts(&rec) {
		*t = text[from:s.ends[i]]
		from = s.ends[i]
	}
	return rec
}
