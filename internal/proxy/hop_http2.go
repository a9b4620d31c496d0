package proxy

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/homeward/homeward/internal/proxy/http1"
	"github.com/homeward/homeward/internal/upstream"
	"github.com/homeward/homeward/internal/upstream/http2client"
	"github.com/homeward/homeward/route"
)

var errNoSockets = errors.New("the gateway takes no WebSockets over HTTP/2")

// http2Hop is an exchange over HTTP/2: a stream of a shared connection.
type http2Hop struct {
	lease    upstream.Lease
	x        *exchange
	begun    bool                // the slot is used or given back
	stream   *http2client.Stream // nil until begin has made it
	answered bool                // a head was read
	bodiless bool                // the answer ended with its head
	answer   http2Answered
}

// begin implements sender.
func (h *http2Hop) begin(x *exchange) error {
	h.x = x
	in := x.in
	if in.Tunnel != nil && !h.lease.HTTP2.ExtendedConnect() {
		return errNoSockets
	}
	head := http2client.Head{
		Method: strings.Clone(in.Method), Scheme: scheme(h.lease.TLS), Authority: strings.Clone(in.Host), Path: strings.Clone(in.Origin), Fields: h.fields(),
	}
	if in.Tunnel != nil {
		head.Method, head.Protocol = "CONNECT", "websocket"
	}
	var err error
	h.begun = true
	if h.stream, err = h.lease.HTTP2.Begin(&head, in.Body == nil && in.Tunnel == nil); err != nil || !x.peeked.whole {
		return err
	}
	h.allowWrite(x.state.Timeouts.Write.Std())
	if _, err := h.stream.Write(x.peeked.prefix); err != nil {
		return err
	}
	return h.finish(x.state.trailerFields(in.Body.Trailer()))
}

// fields are those of the request in HTTP/2: Host is :authority, and a WebSocket
// has no key (RFC 8441 section 5), nor a body whose length could be told.
func (h *http2Hop) fields() []route.Field {
	out := owned(h.x.fieldsOut()) // the connection remembers them, to send them shorter the next time
	kept := out[:0]
	for _, f := range out {
		if strings.EqualFold(f.Name, "Host") ||
			h.x.in.Tunnel != nil && (http1.SameName(f.Name, keyField) || strings.EqualFold(f.Name, "Content-Length")) {
			continue
		}
		kept = append(kept, f)
	}
	if trailersAccepted(h.x.in.Fields) {
		kept = append(kept, route.Field{Name: "TE", Value: "trailers"})
	}
	return kept
}

// write implements sender.
func (h *http2Hop) write(buf []byte, n int) error {
	_, err := h.stream.Write(buf[http1.ChunkRoom : http1.ChunkRoom+n])
	return err
}

// finish implements sender.
func (h *http2Hop) finish(trailer []route.Field) error { return h.stream.End(owned(trailer)) }

func (h *http2Hop) allowWrite(d time.Duration) {
	if h.stream != nil {
		_ = h.stream.SetWriteDeadline(after(d))
	}
}

func (h *http2Hop) allowRead(d time.Duration) { _ = h.stream.SetReadDeadline(after(d)) }

// stopWriting implements sender.
func (h *http2Hop) stopWriting() {
	if h.stream != nil {
		_ = h.stream.SetWriteDeadline(time.Unix(1, 0))
	}
}

func after(d time.Duration) (t time.Time) {
	if d > 0 {
		t = time.Now().Add(d)
	}
	return t
}

// head implements receiver.
func (h *http2Hop) head(r *http1.Response) error {
	var got http2client.Response
	if err := h.stream.ReadHead(&got); err != nil {
		return err
	}
	h.answered = true
	*r = http1.Response{Status: got.Status, Minor: 1, Fields: got.Fields, Framing: http1.Framing{Length: -1}}
	switch {
	case h.x.in.Tunnel != nil && 200 <= got.Status && got.Status < 300 && !got.End:
		r.Status = 101
		r.Fields = slices.DeleteFunc(r.Fields, func(f route.Field) bool { return http1.SameName(f.Name, acceptField) })
		if key := first(h.x.in.Fields, keyField); key != "" { // a client of HTTP/1.1 waits for it
			r.Fields = append(r.Fields, route.Field{Name: acceptField, Value: acceptOf(key)})
		}
	case !got.Interim():
		h.bodiless = got.End
		if n, err := strconv.ParseInt(first(got.Fields, "Content-Length"), 10, 64); err == nil {
			r.Length = n
		}
	}
	return nil
}

// body implements receiver.
func (h *http2Hop) body() answerBody {
	h.answer = http2Answered{Stream: h.stream, bodiless: h.bodiless, pieces: &h.x.proxy.pieces}
	return &h.answer
}

// abort implements hop.
func (h *http2Hop) abort() {
	if h.stream != nil {
		h.stream.Cancel()
	}
}

// release implements hop. A stream that has ended takes no harm; one that has not,
// like that of a WebSocket which the cell refused, gives its slot back.
func (h *http2Hop) release(bool) {
	if !h.begun {
		h.lease.HTTP2.Release()
	}
	h.abort()
	h.answer.release()
}

// lost implements hop.
func (h *http2Hop) lost(err error) (unsent, stale bool) {
	if errors.Is(err, http2client.ErrRefused) {
		return true, true
	}
	if errors.Is(err, http2client.ErrHeadTooLarge) {
		return false, false
	}
	var reset http2client.StreamError
	var garbage http2client.ProtocolError
	return false, h.lease.Reused && !h.answered && !http1.IsTimeout(err) && !errors.As(err, &reset) && !errors.As(err, &garbage)
}

// http2Answered is the body of an answer over HTTP/2.
type http2Answered struct {
	*http2client.Stream
	bodiless bool
	pieces   *sync.Pool
	pooled   *[]byte // what Next gave is in it; nil for none
}

// Next implements answerBody.
func (a *http2Answered) Next() ([]byte, error) {
	if a.pooled == nil {
		a.pooled = a.pieces.Get().(*[]byte)
	}
	n, err := a.Read(*a.pooled)
	piece := (*a.pooled)[:n]
	if n == 0 {
		a.release()
	}
	return piece, err
}

// Ready implements answerBody.
func (a *http2Answered) Ready() error {
	a.release()
	return a.Stream.Ready()
}

func (a *http2Answered) release() {
	if a.pooled != nil {
		a.pieces.Put(a.pooled)
		a.pooled = nil
	}
}

// AtHand implements answerBody.
func (a *http2Answered) AtHand() bool { return a.bodiless || a.Buffered() }
