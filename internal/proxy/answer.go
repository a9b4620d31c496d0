package proxy

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/homeward/homeward/internal/eventloop"
	"github.com/homeward/homeward/internal/proxy/http1"
	"github.com/homeward/homeward/route"
)

// answer writes the answer to one HTTP/1.1 request. The head waits for the first
// piece of the body, and the last piece for the end, so that they leave in one write.
type answer struct {
	conn      *conn
	timeout   time.Duration
	minor     int
	keepAlive bool

	chunked bool
	tunnel  bool    // bytes go out without framing, until End
	left    int64   // of a body with a declared length
	pooled  *[]byte // nil while nothing is being written
	lead    []byte  // what goes out before piece; in the buffer
	piece   []byte  // of the body, the caller's
	space   [16]byte
}

// begin makes it the answer to a request.
func (a *answer) begin(c *conn, head *http1.Request, timeout time.Duration) {
	*a = answer{}
	a.conn, a.timeout, a.minor, a.keepAlive = c, timeout, head.Minor, !head.Close
}

// buffer is the buffer of the answer, taken from the pool when it is needed.
func (a *answer) buffer() []byte {
	if a.pooled == nil {
		a.pooled = a.conn.server.proxy.pieces.Get().(*[]byte)
		a.lead = (*a.pooled)[:0]
	}
	return *a.pooled
}

// release gives the buffer back until it is needed again: an answer that waits
// for its cell holds none.
func (a *answer) release() {
	if a.pooled != nil {
		a.conn.server.proxy.pieces.Put(a.pooled)
	}
	a.pooled, a.lead, a.piece = nil, nil, nil
}

// flush writes what waits, and tail behind it, at once if it can.
func (a *answer) flush(tail []byte) error {
	defer a.release()
	loop := a.conn.client.loop
	gathers := loop != nil && !a.conn.tls
	out, rest := a.lead, a.piece
	// TLS copies what it sends anyway, and makes a record of each write. The head of
	// an answer may be longer than the buffer, and then lies elsewhere.
	if !gathers || len(rest) <= eventloop.Copied {
		n := min(len(rest), cap(out)-len(out))
		out, rest = append(out, rest[:n]...), rest[n:]
		if len(rest) == 0 && len(tail) <= cap(out)-len(out) {
			out, tail = append(out, tail...), nil
		}
	}
	if gathers && len(rest)+len(tail) > 0 {
		a.conn.client.AllowWrite(a.timeout)
		a.conn.writes.Add(1)
		_, err := loop.Writev(out, rest, tail)
		a.conn.writes.Add(1)
		return err
	}
	for _, b := range [...][]byte{out, rest, tail} {
		if len(b) > 0 {
			if err := a.write(b); err != nil {
				return err
			}
		}
	}
	return nil
}

// write has no time run on after it on a TLS connection: that writes on its own when
// the client asks for new keys, and can write nothing more once such a write is late
// (RFC 8446 section 4.6.3). In an event loop it begins anew with what waits next.
func (a *answer) write(b []byte) error {
	a.conn.client.AllowWrite(a.timeout)
	a.conn.writes.Add(1)
	_, err := a.conn.net.Write(b)
	a.conn.writes.Add(1)
	if a.conn.tls && a.conn.client.loop == nil {
		a.conn.client.AllowWrite(0)
	} else if a.conn.tls {
		a.conn.client.AllowWrite(a.timeout)
	}
	return err
}

// Interim implements Answer. HTTP/1.0 has no interim answers.
func (a *answer) Interim(status int, reason string, fields []route.Field) error {
	if a.minor == 0 {
		return nil
	}
	b := http1.AppendStatusLine(nil, status, reasonOf(status, reason))
	for _, f := range fields {
		b = http1.AppendField(b, f.Name, f.Value)
	}
	return a.write(append(b, "\r\n"...))
}

// Head implements Answer.
func (a *answer) Head(h *AnswerHead, more bool) error {
	if h.Close || a.conn.server.draining.Load() {
		a.keepAlive = false
	}
	a.left = h.Length
	if a.tunnel = h.Status == 101; a.tunnel {
		a.left, a.keepAlive = -1, false
	} else if h.NoBody {
		a.left = 0
	} else if h.Length < 0 {
		if a.chunked = a.minor == 1; !a.chunked {
			a.keepAlive = false // only the end of the connection shows the end of the body
		}
	}
	buf := a.buffer()
	b := http1.AppendStatusLine(a.lead, h.Status, reasonOf(h.Status, h.Reason))
	for _, f := range h.Fields {
		b = http1.AppendField(b, f.Name, f.Value)
	}
	if a.chunked {
		b = http1.AppendField(b, "Transfer-Encoding", "chunked")
	}
	switch {
	case h.Status == 101:
		b = http1.AppendField(b, "Connection", "Upgrade")
		b = http1.AppendField(b, "Upgrade", "websocket")
	case !a.keepAlive:
		b = http1.AppendField(b, "Connection", "close")
	case a.minor == 0:
		b = http1.AppendField(b, "Connection", "keep-alive")
	}
	a.lead = append(b, "\r\n"...)
	if !more || len(a.lead) > len(buf)/2 {
		return a.flush(nil)
	}
	return nil
}

func reasonOf(status int, reason string) string {
	if reason == "" {
		return http.StatusText(status)
	}
	return reason
}

var errOverLength = errors.New("answer is longer than its Content-Length")

// Write implements Answer.
func (a *answer) Write(piece []byte, more bool) error {
	if len(piece) == 0 {
		return nil
	}
	a.buffer()
	a.piece = piece
	if a.chunked {
		a.lead = http1.AppendChunkSize(a.lead, len(piece))
	} else if a.left >= 0 {
		if a.left -= int64(len(piece)); a.left < 0 {
			return errOverLength
		}
	}
	switch {
	case more:
		return nil
	case a.chunked:
		return a.flush(append(a.space[:0], "\r\n"...))
	}
	return a.flush(nil)
}

// End implements Answer.
func (a *answer) End(trailer []route.Field) error {
	if a.tunnel {
		if err := a.flush(nil); err != nil {
			return err
		}
		return a.conn.closeWrite()
	}
	if !a.chunked && a.left > 0 {
		return io.ErrShortWrite
	}
	var tail []byte
	if a.chunked {
		tail = a.space[:0]
		if len(a.piece) > 0 {
			tail = append(tail, "\r\n"...)
		}
		tail = http1.AppendLastChunk(tail, trailer)
	}
	if len(a.lead)+len(a.piece)+len(tail) == 0 {
		a.release()
		return nil
	}
	return a.flush(tail)
}

// requestBody is the body of an HTTP/1.1 request, with a deadline for each piece.
type requestBody struct {
	body    http1.Body
	conn    *conn
	timeout time.Duration

	mu          sync.Mutex
	interrupted bool
}

var errInterrupted = errors.New("reading the request body was interrupted")

// Read implements Body.
func (b *requestBody) Read(p []byte) (int, error) {
	if !b.mayRead() {
		return 0, errInterrupted
	}
	return b.body.Read(p)
}

// mayRead begins the time that the client has for a piece.
func (b *requestBody) mayRead() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.interrupted {
		b.conn.client.AllowRead(b.timeout)
	}
	return !b.interrupted
}

// AtHand implements Body.
func (b *requestBody) AtHand(most int64) ([]byte, bool) {
	if b.conn.client.impatient(true) {
		defer b.conn.client.impatient(false)
	} else {
		most = min(most, int64(b.conn.reader.Buffered()))
	}
	return b.body.AtHand(most)
}

// Trailer implements Body.
func (b *requestBody) Trailer() []route.Field { return b.body.Trailer() }

// Relax implements Body.
func (b *requestBody) Relax(patience time.Duration) { b.timeout = patience }

// Interrupt implements Body.
func (b *requestBody) Interrupt() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.interrupted = true
	_ = b.conn.client.SetReadDeadline(time.Unix(1, 0))
}
