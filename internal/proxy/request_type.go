package proxy

import (
	"strings"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/homeward/homeward/route"
)

// RequestType says how long a request is meant to last. Those that stay are counted
// apart from those that come and go: their durations would drown the others.
type RequestType uint8

// The types.
const (
	Short     RequestType = iota
	LongPoll              // of a lane that says so: it waits in the cell for something to tell
	Events                // answered by an event stream
	GRPC                  // a gRPC call, unary or streaming: the head does not tell which
	WebSocket             // opened as one
)

var typeNames = [...]string{"short", "long-poll", "events", "grpc", "websocket"}

// String is the type as logs and metrics have it.
func (t RequestType) String() string { return typeNames[t] }

// RequestTypes lists all types.
func RequestTypes() []RequestType { return []RequestType{Short, LongPoll, Events, GRPC, WebSocket} }

// openRequests counts the requests under way by type.
type openRequests [len(typeNames)]spreadCount

// spreadCount is a number in several parts, each in cache lines of its own: every
// request changes it twice, and cores that change one place wait for each other,
// as do those that only read what lies beside it.
type spreadCount struct {
	_     [64]byte
	parts [8]struct {
		atomic.Int64
		_ [56]byte
	}
}

// Add changes the number. Which part it adds to depends on where the stack of the
// goroutine lies, which costs nothing to find out and mostly differs from core to
// core.
func (c *spreadCount) Add(n int64) {
	var here byte
	stack := uint64(uintptr(unsafe.Pointer(&here))) >> 11 // the smallest stack has 2 KiB
	c.parts[stack*0x9E3779B97F4A7C15>>61].Add(n)
}

// Load is the number, in which what is added meanwhile may be missing.
func (c *spreadCount) Load() (n int64) {
	for i := range c.parts {
		n += c.parts[i].Load()
	}
	return n
}

// Open is the number of requests of a type that are under way.
func (p *Proxy) Open(t RequestType) int64 { return p.open[t].Load() }

// enter counts the request under another type, if it is not Short.
func (x *exchange) enter(t RequestType) {
	if t == Short || t == x.rec.Type {
		return
	}
	x.proxy.open[x.rec.Type].Add(-1)
	x.rec.Type = t
	x.proxy.open[t].Add(1)
}

// answerType is the type of a request that its answer tells.
func answerType(fields []route.Field) RequestType {
	const stream = "text/event-stream"
	if t := mediaType(first(fields, "Content-Type")); len(t) == len(stream) && strings.EqualFold(t, stream) {
		return Events
	}
	return Short
}

// mediaType is the type of a Content-Type value without its parameters, in
// whatever case it came (RFC 9110 section 8.3.1).
func mediaType(v string) string {
	v, _, _ = strings.Cut(v, ";")
	return strings.Trim(v, " \t")
}

// writePatience is how long the cell may take for a piece of the request's body. A
// gRPC call that it reads slowly is held back, and not stuck.
func (x *exchange) writePatience() time.Duration {
	if x.rec.Type == GRPC {
		return x.state.Timeouts.Stream.Std()
	}
	return x.state.Timeouts.Write.Std()
}

// headPatience is how long the head of the answer may take once the request was
// sent.
func (x *exchange) headPatience() time.Duration {
	switch x.rec.Type {
	case LongPoll, GRPC:
		return x.state.Timeouts.Stream.Std()
	}
	return x.state.Timeouts.ResponseHeader.Std()
}

// bodyPatience is how long the next piece of the answer may take.
func (x *exchange) bodyPatience() time.Duration {
	switch x.rec.Type {
	case Events, GRPC:
		return x.state.Timeouts.Stream.Std()
	}
	return x.state.Timeouts.ResponseBody.Std()
}
