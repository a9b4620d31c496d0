package proxy

import (
	"strings"
	"sync/atomic"
	"time"

	"github.com/homeward/homeward/route"
)

// Class says how long a request is meant to last. Those that stay are counted
// apart from those that come and go: their durations would drown the others.
type Class uint8

// The classes.
const (
	Short     Class = iota
	LongPoll        // of a lane that says so: it waits in the cell for something to tell
	Events          // answered by an event stream
	GRPC            // a gRPC call, unary or streaming: the head does not tell which
	WebSocket       // opened as one
)

var classNames = [...]string{"short", "long-poll", "events", "grpc", "websocket"}

// String is the class as logs and metrics have it.
func (c Class) String() string { return classNames[c] }

// Classes lists all classes.
func Classes() []Class { return []Class{Short, LongPoll, Events, GRPC, WebSocket} }

// openRequests counts the requests under way by class.
type openRequests [len(classNames)]atomic.Int64

// Open is the number of requests of a class that are under way.
func (p *Proxy) Open(c Class) int64 { return p.open[c].Load() }

// enter counts the request in another class, if it is not Short.
func (x *exchange) enter(c Class) {
	if c == Short || c == x.rec.Class {
		return
	}
	x.proxy.open[x.rec.Class].Add(-1)
	x.rec.Class = c
	x.proxy.open[c].Add(1)
}

// answerClass is the class of a request that its answer tells.
func answerClass(fields []route.Field) Class {
	if mediaType(first(fields, "Content-Type")) == "text/event-stream" {
		return Events
	}
	return Short
}

// mediaType is the type of a Content-Type value without its parameters, in
// small letters (RFC 9110 section 8.3.1).
func mediaType(v string) string {
	v, _, _ = strings.Cut(v, ";")
	return strings.ToLower(strings.Trim(v, " \t"))
}

// writePatience is how long the cell may take for a piece of the request's body. A
// gRPC call that it reads slowly is held back, and not stuck.
func (x *exchange) writePatience() time.Duration {
	if x.rec.Class == GRPC {
		return x.state.Timeouts.Stream.Std()
	}
	return x.state.Timeouts.Write.Std()
}

// headPatience is how long the head of the answer may take once the request was
// sent.
func (x *exchange) headPatience() time.Duration {
	switch x.rec.Class {
	case LongPoll, GRPC:
		return x.state.Timeouts.Stream.Std()
	}
	return x.state.Timeouts.ResponseHeader.Std()
}

// bodyPatience is how long the next piece of the answer may take.
func (x *exchange) bodyPatience() time.Duration {
	switch x.rec.Class {
	case Events, GRPC:
		return x.state.Timeouts.Stream.Std()
	}
	return x.state.Timeouts.ResponseBody.Std()
}
