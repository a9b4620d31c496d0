// Package http2client is the client side of HTTP/2 (RFC 9113) on one
// connection to a gateway, for a proxy: requests and answers keep the order
// and repetition of their fields, a request's body is sent for as long as the
// gateway wants it whatever the answer is, interim answers and trailers pass,
// and a stream may open a tunnel by extended CONNECT (RFC 8441). Nothing is
// added to a request and nothing is retried.
//
// Streams are read and written with blocking calls under deadlines, as
// connections are. A Conn is safe for concurrent use. Of a Stream, one
// goroutine reads and one writes at a time; the other methods are safe for
// any.
package http2client

import (
	"log/slog"
	"time"

	"github.com/homeward/homeward/route"
)

// Options are the settings of a connection. A zero value means the default.
type Options struct {
	// Write bounds one write to the connection; a connection that takes no
	// bytes for longer has ended. It bounds how long a call on a stream may
	// outlast its own deadline, too. 30 seconds by default.
	Write time.Duration
	// Interval is for how long nothing may come from the gateway while slots
	// are used before it is asked for a sign of life by a PING; Timeout, for
	// how long after that before the connection counts as dead. Without an
	// Interval it is never asked; Timeout is 15 seconds by default. A gateway
	// that sends nothing but its signs of life is asked every 5 minutes at most.
	Interval, Timeout time.Duration
	// Window is the receive window of a stream in bytes, which is also the
	// most that is held of an answer nobody reads. 256 KiB by default, at
	// most 2^31-1.
	Window int
	// MaxStreams is the most slots, if the gateway allows that many. 250 by default.
	MaxStreams int
	// MaxHead is the most bytes of the head or the trailer of an answer,
	// counted as RFC 9113 section 6.5.2 does. 256 KiB by default.
	MaxHead int
	// Sensitive reports whether the values of a request field with this name,
	// in lower case, must be in no compression table. Those of Authorization,
	// Proxy-Authorization and Cookie never are, nor is a path with a query.
	Sensitive func(name string) bool
	// Room is called when Reserve may succeed again. The connection is locked then:
	// Room must not block, nor call it.
	Room func()
	// Closed is called once, when an opened connection has ended.
	Closed func()
	// Now is the clock of Idle. time.Now by default.
	Now func() time.Time
	// Log is told of panics, and of nothing that a gateway or a client sent.
	// Nobody is by default.
	Log *slog.Logger
}

const (
	maxWindow    = 1<<31 - 1 // RFC 9113 section 6.9.1
	maxStreamID  = 1<<31 - 1 // section 5.1.1
	minFrameSize = 1 << 14   // section 4.2
	maxFrameSize = 1<<24 - 1

	connWindow = 16 << 20 // of ours, given back on receipt: the windows of streams bound the memory
	maxControl = 10_000   // control frames that wait to be written
	maxHeads   = 40       // heads of one stream that wait to be read
	lastWords  = time.Second

	// maxAbandoned is how many requests a connection gives up before their answers
	// until it takes no more: gateways end one, with all that it carries, on which
	// they see too many (CVE-2023-44487; Envoy at 250, Go at 1,000 handlers behind).
	maxAbandoned = 200
)

func (o Options) orDefault() Options {
	o.Write = orDefault(o.Write, 30*time.Second)
	o.Timeout = orDefault(o.Timeout, 15*time.Second)
	o.Window = min(orDefault(o.Window, 256<<10), maxWindow)
	o.MaxStreams = orDefault(o.MaxStreams, 250)
	o.MaxHead = min(orDefault(o.MaxHead, 256<<10), maxWindow)
	if o.Sensitive == nil {
		o.Sensitive = func(string) bool { return false }
	}
	if o.Room == nil {
		o.Room = func() {}
	}
	if o.Closed == nil {
		o.Closed = func() {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

func orDefault[T int | time.Duration](v, otherwise T) T {
	if v <= 0 {
		return otherwise
	}
	return v
}

// Head is the head of a request.
type Head struct {
	Method    string
	Scheme    string // left out, like Path, when empty: a CONNECT has neither
	Authority string // left out when empty
	Path      string // sent byte for byte
	Protocol  string // of an extended CONNECT (RFC 8441), else empty
	// Fields are sent in their order, with their names in lower case. The
	// caller has removed what belongs to a connection (RFC 9113 section 8.2.2).
	Fields []route.Field
}

// size is that of the head by RFC 9113 section 6.5.2, with all pseudo-header fields.
func (h *Head) size() int64 {
	const pseudo = 5*32 + len(":method:scheme:authority:path:protocol")
	return fieldsSize(h.Fields) + int64(pseudo+len(h.Method)+len(h.Scheme)+len(h.Authority)+len(h.Path)+len(h.Protocol))
}

// Response is one head of an answer: an interim one or the final one.
type Response struct {
	Status int           // 100 to 999, never 101
	Fields []route.Field // in their order, with canonical capitals
	End    bool          // there is no body and no trailer
}

// Interim reports whether another head follows.
func (r *Response) Interim() bool { return r.Status < 200 }
