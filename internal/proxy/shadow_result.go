package proxy

import (
	"strings"
	"time"
)

// ShadowResult says what became of a copy that a shadow was to get.
type ShadowResult uint8

// The results.
const (
	SameAnswer  ShadowResult = iota // status and content are those of the cell's answer
	OtherStatus                     // the statuses differ
	OtherBody                       // the statuses are equal, the contents differ
	NoAnswer                        // no whole answer to the copy
	NotSent                         // there were as many copies under way as the shadow allows
	OverLimit                       // the cell's answer is too long to compare: no copy was sent
)

var shadowResults = [...]string{"same", "status", "body", "failed", "dropped", "too-large"}

// String is the result as metrics have it.
func (r ShadowResult) String() string { return shadowResults[r] }

// ShadowResults lists all results.
func ShadowResults() []ShadowResult {
	return []ShadowResult{SameAnswer, OtherStatus, OtherBody, NoAnswer, NotSent, OverLimit}
}

// Differs reports whether a copy was sent and its answer was another, or none.
func (r ShadowResult) Differs() bool { return r == OtherStatus || r == OtherBody || r == NoAnswer }

// Comparison is what is known of a copy when it is over. Like a Record it holds
// no credential; it holds nothing of an answer but its measures.
type Comparison struct {
	Time   time.Time // when the request was read that was copied
	Shadow string
	Of     string // the cell that answered the request
	Result ShadowResult
	Kind   Kind // why there is no answer

	RequestID string
	Method    string
	Path      string // as in Record

	Cell, Copy Side
}

// Side is one of the two answers that are compared.
type Side struct {
	Gateway string        // address of the gateway asked; "" when none was reached
	Status  int           // 0 without an answer
	Bytes   int64         // of content; of the copy at most a piece more than the limit
	Wait    time.Duration // from the request sent to the head of the answer
}

// ShadowObserver is told of every copy when it is over. Shadowed may keep c, and
// is called by many goroutines at once.
type ShadowObserver interface {
	Shadowed(c Comparison)
}

// ObserveShadows sets who is told of copies. It is called before the proxy
// serves, or never.
func (p *Proxy) ObserveShadows(o ShadowObserver) { p.copies.observer = o }

// comparison begins one for a request that is over, without holding on to the head
// that it was read from.
func (x *exchange) comparison(h *shadow) Comparison {
	r := &x.rec
	return Comparison{
		Time: r.Start, Shadow: h.name, Of: h.of,
		RequestID: strings.Clone(r.RequestID), Method: strings.Clone(r.Method), Path: strings.Clone(r.Path),
		Cell: Side{Gateway: r.Gateway, Status: r.Status, Bytes: r.BytesOut, Wait: r.Upstream},
	}
}
