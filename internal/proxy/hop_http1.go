package proxy

import (
	"errors"
	"io"
	"sync"
	"time"

	"github.com/homeward/homeward/internal/proxy/http1"
	"github.com/homeward/homeward/internal/upstream"
	"github.com/homeward/homeward/route"
)

// http1Hop is an exchange over HTTP/1.1: the connection is its own.
type http1Hop struct {
	conn      *upstream.Conn
	reused    bool
	x         *exchange
	chunked   bool
	written   int // bytes of head and body that the connection took at once before an error
	status    int // of the head read last
	answer    http1.Body
	answered  bool // answer is valid
	answering http1Answer
	tunnel    bool // bytes pass without framing

	mu       sync.Mutex
	released bool // the connection is no longer this exchange's
}

// begin implements sender: one write for the head and a body that is at hand.
func (h *http1Hop) begin(x *exchange) error {
	h.x = x
	h.chunked = x.in.Body != nil && x.in.Length < 0
	buf := x.proxy.pieces.Get().(*[]byte)
	defer x.proxy.pieces.Put(buf)
	out := h.appendHead((*buf)[:0])
	var body []byte
	if x.peeked.whole {
		out, body = h.appendPeeked(out)
	}
	h.allowWrite(x.state.Timeouts.Write.Std())
	var err error
	h.written, err = h.conn.WriteParts(out, body)
	return err
}

// appendHead appends the head as the cell gets it: the client's own lines in
// their order and case, less those that end here, then what the edge says.
func (h *http1Hop) appendHead(dst []byte) []byte {
	in := h.x.in
	dst = http1.AppendRequestLine(dst, in.Method, in.Target)
	if first(in.Fields, "Host") == "" {
		dst = http1.AppendField(dst, "Host", in.Host)
	}
	for _, f := range h.x.fieldsOut() {
		dst = http1.AppendField(dst, f.Name, f.Value)
	}
	switch {
	case in.Tunnel != nil:
		dst = http1.AppendField(dst, "Connection", "Upgrade")
		dst = http1.AppendField(dst, "Upgrade", "websocket")
		if first(in.Fields, keyField) == "" {
			dst = http1.AppendField(dst, keyField, h.x.socketKey())
		}
	case trailersAccepted(in.Fields):
		dst = http1.AppendField(dst, "Connection", "TE")
		dst = http1.AppendField(dst, "TE", "trailers")
	}
	if h.chunked { // a Content-Length was passed on as it came
		dst = http1.AppendField(dst, "Transfer-Encoding", "chunked")
	}
	return append(dst, "\r\n"...)
}

// appendPeeked appends a body that was read whole, framed, or returns it to be sent
// behind dst.
func (h *http1Hop) appendPeeked(dst []byte) (head, body []byte) {
	x := h.x
	if !h.chunked {
		return dst, x.peeked.prefix
	}
	if n := len(x.peeked.prefix); n > 0 {
		dst = append(http1.AppendChunkSize(dst, n), x.peeked.prefix...)
		dst = append(dst, "\r\n"...)
	}
	return http1.AppendLastChunk(dst, x.state.trailerFields(x.in.Body.Trailer())), nil
}

// write implements sender.
func (h *http1Hop) write(buf []byte, n int) error {
	piece := buf[http1.ChunkRoom : http1.ChunkRoom+n]
	if h.chunked {
		piece = http1.FrameChunk(buf, n)
	}
	_, err := h.conn.Write(piece)
	return err
}

// finish implements sender.
func (h *http1Hop) finish(trailer []route.Field) error {
	switch {
	case h.tunnel:
		if half, ok := h.conn.Conn.(interface{ CloseWrite() error }); ok {
			return half.CloseWrite()
		}
	case h.chunked:
		_, err := h.conn.Write(http1.AppendLastChunk(nil, trailer))
		return err
	}
	return nil
}

func (h *http1Hop) allowWrite(d time.Duration) { h.conn.AllowWrite(d) }
func (h *http1Hop) allowRead(d time.Duration)  { h.conn.AllowRead(d) }
func (h *http1Hop) stopWriting()               { _ = h.conn.SetWriteDeadline(time.Unix(1, 0)) }

var (
	errUpgraded = &http1.SyntaxError{Rule: "the answer switches protocols without having been asked"}
	errNoAccept = &http1.SyntaxError{Rule: "the answer opens a WebSocket without the Sec-WebSocket-Accept of the request"}
)

// head implements receiver.
func (h *http1Hop) head(r *http1.Response) error {
	if err := http1.ReadResponse(h.conn.Reader, r, answerLimits); err != nil {
		return err
	}
	h.status = r.Status
	if r.Status == 101 {
		if h.x.in.Tunnel == nil || !http1.Lists(r.Fields, "Upgrade", "websocket") {
			return errUpgraded
		}
		if first(r.Fields, acceptField) != acceptOf(h.x.socketKey()) {
			return errNoAccept
		}
		h.tunnel = true
	} else if !r.Interim() {
		h.answered = true
		h.answer = *http1.ResponseBody(h.conn.Reader, r, h.x.in.Method, answerLimits)
	}
	return nil
}

// body implements receiver.
func (h *http1Hop) body() answerBody {
	if h.tunnel {
		return http1Raw{h.conn.Reader}
	}
	h.answering = http1Answer{&h.answer, h.conn}
	return &h.answering
}

// abort implements hop.
func (h *http1Hop) abort() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.released {
		_ = h.conn.Conn.Close()
	}
}

// release implements hop.
func (h *http1Hop) release(clean bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.released = true
	h.conn.Release(clean && !h.tunnel && h.answered && h.answer.Whole())
}

// lost implements hop. A connection that was kept, and that the gateway may have
// been closing, ends without a byte of an answer.
func (h *http1Hop) lost(err error) (unsent, stale bool) {
	if !h.reused || h.status != 0 || http1.IsTimeout(err) || h.conn.Reader.Begun() || errors.Is(err, io.ErrUnexpectedEOF) {
		return false, false
	}
	if garbage := (*http1.SyntaxError)(nil); errors.As(err, &garbage) || errors.Is(err, http1.ErrTooLarge) {
		return false, false
	}
	return h.written == 0, true
}

// http1Answer is the body of an answer over HTTP/1.1.
type http1Answer struct {
	*http1.Body
	conn *upstream.Conn
}

// AtHand implements answerBody.
func (a http1Answer) AtHand() bool { return a.Begun() }

// http1Raw is what comes on a connection that a message no longer frames.
type http1Raw struct{ *http1.Reader }

// Trailer implements answerBody.
func (r http1Raw) Trailer() []route.Field { return nil }

// Ready implements answerBody.
func (r http1Raw) Ready() error { return r.Rest() }

// AtHand implements answerBody.
func (r http1Raw) AtHand() bool { return r.Buffered() > 0 }
