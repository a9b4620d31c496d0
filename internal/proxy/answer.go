package proxy

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/homeward/homeward/internal/proxy/http1"
	"github.com/homeward/homeward/route"
)

// answer writes the answer to one HTTP/1.1 request. The head waits in front of
// the buffer for the first piece of the body, so that both leave in one write.
type answer struct {
	conn      *conn
	timeout   time.Duration
	minor     int
	keepAlive bool

	chunked bool
	tunnel  bool    // bytes go out without framing, until End
	left    int64   // of a body with a declared length
	pooled  *[]byte // nil while nothing is being written
	head    int     // bytes of the head at the start of the buffer
}

func newAnswer(c *conn, head *http1.Request, timeout time.Duration) answer {
	return answer{conn: c, timeout: timeout, minor: head.Minor, keepAlive: !head.Close}
}

// buffer is the buffer of the answer, taken from the pool when it is needed.
func (a *answer) buffer() []byte {
	if a.pooled == nil {
		a.pooled = a.conn.server.proxy.pieces.Get().(*[]byte)
	}
	return *a.pooled
}

// release gives the buffer back until it is needed again: an answer that waits
// for its cell holds none.
func (a *answer) release() {
	if a.pooled != nil {
		a.conn.server.proxy.pieces.Put(a.pooled)
		a.pooled = nil
	}
}

// write has no deadline stay on a TLS connection: that writes on its own when the
// client asks for new keys, and can write nothing more once such a write is late
// (RFC 8446 section 4.6.3).
func (a *answer) write(b []byte) error {
	a.conn.client.AllowWrite(a.timeout)
	a.conn.writes.Add(1)
	_, err := a.conn.net.Write(b)
	a.conn.writes.Add(1)
	if a.conn.tls {
		a.conn.client.AllowWrite(0)
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
	b := http1.AppendStatusLine(buf[:0], h.Status, reasonOf(h.Status, h.Reason))
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
	b = append(b, "\r\n"...)
	if !more || len(b) > len(buf)/2 {
		defer a.release()
		return a.write(b)
	}
	a.head = len(b)
	return nil
}

func reasonOf(status int, reason string) string {
	if reason == "" {
		return http.StatusText(status)
	}
	return reason
}

// Space implements Answer.
func (a *answer) Space() []byte {
	buf := a.buffer()
	return buf[a.head+http1.ChunkRoom : len(buf)-2]
}

var errOverLength = errors.New("answer is longer than its Content-Length")

// Commit implements Answer.
func (a *answer) Commit(n int) error {
	if n == 0 {
		return nil
	}
	buf := a.buffer()
	defer a.release()
	start := a.head + http1.ChunkRoom
	piece := buf[start : start+n]
	if a.chunked {
		piece = http1.FrameChunk(buf[a.head:], n)
	} else if a.left >= 0 {
		if a.left -= int64(n); a.left < 0 {
			return errOverLength
		}
	}
	if a.head > 0 {
		// The frame is at most ChunkRoom long: the head moves up against it.
		from := start + n - len(piece)
		if a.chunked {
			from += 2
		}
		from -= a.head
		copy(buf[from:], buf[:a.head])
		piece = buf[from : from+a.head+len(piece)]
		a.head = 0
	}
	return a.write(piece)
}

// End implements Answer.
func (a *answer) End(trailer []route.Field) error {
	if a.tunnel {
		if half, ok := a.conn.net.(interface{ CloseWrite() error }); ok {
			return half.CloseWrite()
		}
		return nil
	}
	if !a.chunked {
		if a.left > 0 {
			return io.ErrShortWrite
		}
		trailer = nil
	}
	b := a.buffer()[:a.head]
	defer a.release()
	a.head = 0
	if a.chunked {
		b = http1.AppendLastChunk(b, trailer)
	}
	if len(b) == 0 {
		return nil
	}
	return a.write(b)
}

// requestBody is the body of an HTTP/1.1 request, with a deadline for each piece.
type requestBody struct {
	body    http1.Body
	client  *tracked
	timeout time.Duration

	mu          sync.Mutex
	interrupted bool
}

var errInterrupted = errors.New("reading the request body was interrupted")

// Read implements Body.
func (b *requestBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	if b.interrupted {
		b.mu.Unlock()
		return 0, errInterrupted
	}
	b.client.AllowRead(b.timeout)
	b.mu.Unlock()
	return b.body.Read(p)
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
	_ = b.client.SetReadDeadline(time.Unix(1, 0))
}
