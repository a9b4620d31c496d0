package proxy

import (
	"io"
	"net/netip"
	"time"

	"github.com/homeward/homeward/route"
)

// Inbound is one request as an engine read it. The engine has checked its
// framing; what is accepted is as received.
type Inbound struct {
	Proto  string // HTTP/1.1, HTTP/1.0 or HTTP/2.0
	Method string
	Target string // as received; what is forwarded
	Origin string // Target without scheme and authority; what is decided on
	Host   string
	Fields []route.Field // all, Host included where the protocol has it as a field

	Body      Body  // nil when the request has none
	Length    int64 // of the body; -1 when it is not declared
	Expect100 bool  // the client waits for 100 Continue

	// Tunnel is what the client sends once a WebSocket that it asks for is open;
	// nil when it asks for none. Such a request has the method GET and no body,
	// whatever its protocol makes of it.
	Tunnel Tunnel
	// HalfClose says that Answer.End ends only the way back of a tunnel, and the
	// client may go on sending.
	HalfClose bool

	Peer netip.AddrPort // the other end of the connection
	TLS  bool
	// Secure says that the client spoke TLS with the load balancer that the
	// connection comes from, by the PROXY header.
	Secure bool

	// Watcher watches the client. It must not run while the body is being read,
	// unless WatchesApart.
	Watcher Watcher
	// WatchesApart says that Watcher reads nothing of what the client sends.
	WatchesApart bool
}

// Watcher tells that a client has left. One goroutine at a time uses it.
type Watcher interface {
	// Watch calls gone at most once if the client leaves before Unwatch is called.
	Watch(gone func())
	// Unwatch ends it, and waits for gone to return.
	Unwatch()
}

// Tunnel is what comes from the client of a WebSocket.
type Tunnel interface {
	// Read is as that of a Body; io.EOF says that the client ended its side.
	io.Reader
	// Ready blocks until Read would not, if the engine can tell.
	Ready() error
	// Interrupt is as that of a Body.
	Interrupt()
}

// Body is the body of a request on its way in.
type Body interface {
	// Read reads content. io.EOF says that the body was whole; a client that
	// stops in the middle gives another error, one that is too slow a timeout.
	io.Reader
	// AtHand is the whole body if it has a length up to most and reading it waits for
	// nothing. It is valid until the exchange is over.
	AtHand(most int64) (content []byte, ok bool)
	// Trailer is the trailer, once Read has returned io.EOF.
	Trailer() []route.Field
	// Interrupt makes a Read in progress and all later ones fail. It may be
	// called while another goroutine reads.
	Interrupt()
	// Relax sets how long a Read may take, in place of the engine's limit. It
	// must be called before the first one.
	Relax(patience time.Duration)
}

// AnswerHead is the head of a final answer, or with the status 101 of the tunnel
// that the request asked for; what follows that has no framing.
type AnswerHead struct {
	Status int
	Reason string        // "" for the standard one
	Fields []route.Field // end-to-end fields in order, Content-Length among them
	Length int64         // of the body; -1 when the end shows it
	NoBody bool          // the answer has no body, whatever Content-Length says
	Close  bool          // the request was not read whole: the connection cannot go on
}

// Answer is the way back to the client of one request. An engine provides it;
// it is used by one goroutine, in the order Interim*, Head, Write*, End. An error is
// final: the client is gone.
type Answer interface {
	// Interim sends an interim answer, 100 to 199, at once.
	Interim(status int, reason string, fields []route.Field) error
	// Head starts the final answer. With more, a Write or End follows at once, and
	// the head may wait for it; else it is sent now.
	Head(h *AnswerHead, more bool) error
	// Write sends a piece of the body, which the caller may use again after the
	// next call. With more, that follows at once, and the piece may wait for it.
	Write(piece []byte, more bool) error
	// End ends the body, with a trailer if there is one.
	End(trailer []route.Field) error
}
