// Package route decides where a request goes. It compiles a topology to an
// immutable Table and answers each request head with a Decision: which cell,
// which lane, and why.
//
// Deciding is a pure function of the request and the table: no I/O, no locks,
// no clock, and no allocation for credentials in headers, cookies, query and
// path. A credential is an unverified claim: it chooses a cell, and nothing
// else by itself. Its cell is an index into the table, never a part of a host
// name.
package route

// Field is one header line as received: the name in its own case, the value
// without surrounding white space.
type Field struct{ Name, Value string }

// BodyState says what the caller knows of a request's body.
type BodyState uint8

// The states of a body. Only requests for which Table.Peek asks need one.
const (
	BodyUnread  BodyState = iota // not looked into
	BodyWhole                    // Body holds all of it
	BodyTooLong                  // longer than the peek limit
)

// Request is what a decision may look at. It belongs to one caller at a time;
// reusing it spares the scratch space that awkward targets need.
type Request struct {
	Method string
	Host   string // Host header or :authority, as received; "" when there is none
	Target string // request-target as received, in origin form or "*"
	Fields []Field
	Body   []byte // valid when BodyState is BodyWhole
	BodyState

	found   findings // of the decision being made
	scratch []byte   // normal form of the path, then decoded values; appended to within one decision
}

// keptScratch is how much scratch space, in bytes, outlives a Reset.
const keptScratch = 64 << 10

// Reset makes r empty for the next request and keeps its scratch space and the
// capacity of Fields. The fields themselves are forgotten.
func (r *Request) Reset() {
	clear(r.Fields)
	*r = Request{Fields: r.Fields[:0], scratch: r.scratch[:0]}
	if cap(r.scratch) > keptScratch {
		r.scratch = nil
	}
}
