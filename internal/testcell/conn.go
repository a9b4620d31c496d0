package testcell

import (
	"context"
	"crypto/sha1" //nolint:gosec // RFC 6455 section 4.2.2 says so
	"encoding/base64"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/homeward/homeward/internal/proxy/http1"
)

// limits are wider than those of any edge, which adds lines of its own to what
// it let through.
var limits = http1.Limits{Head: 1 << 20, Fields: 4000}

// pieceSize is the size in bytes of the buffers that bodies pass through.
const pieceSize = 32 << 10

// A connection that is refused or closed by the cell is still read for a while,
// so that the client gets what was written last and not a reset.
const (
	lingerTime  = time.Second
	lingerBytes = 64 << 20
)

// conn is one connection of HTTP/1.1. One goroutine serves it.
type conn struct {
	cell   *Cell
	net    net.Conn // the TLS connection if there is one
	raw    net.Conn // that below it
	reader *http1.Reader
	number int64
}

// serve answers request after request, in the order they came.
func (c *conn) serve() {
	var head http1.Request
	for n := 1; ; n++ {
		if err := http1.ReadRequest(c.reader, &head, limits); err != nil {
			c.refuse(err)
			return
		}
		c.cell.requests.Add(1)
		fault := c.cell.ask(&Request{Head: &head, Proto: protoOf(&head), Conn: c.number, Number: n})
		if fault.breaks() {
			c.fail(fault)
			return
		}
		out := newAnswer(c.net, &head)
		if fault == CloseAnnounced {
			out.keepAlive = false
		}
		w := &wire1{conn: c, req: &head, body: http1.RequestBody(c.reader, &head, limits)}
		err := newExchange(c.cell, protoOf(&head), &head, w.body, out, w).answer()
		if err != nil || !out.keepAlive || w.upgraded || fault == CloseAfter {
			return
		}
		c.reader.Release()
	}
}

// priorKnowledge reports whether the client starts with HTTP/2. It waits for no
// more bytes than it needs to tell.
func (c *conn) priorKnowledge() bool {
	for n := 1; n <= len(preface); n++ {
		b, err := c.reader.Peek(n)
		if err != nil || b[n-1] != preface[n-1] {
			return false
		}
	}
	return true
}

func protoOf(req *http1.Request) string { return "HTTP/1." + string('0'+rune(req.Minor)) }

// refuse answers a head that could not be read. What follows on the connection
// could be anything, so it ends.
func (c *conn) refuse(err error) {
	status, text := 400, ""
	var broken *http1.SyntaxError
	switch {
	case errors.As(err, &broken):
		text = "In the request, " + broken.Rule + ".\n"
	case errors.Is(err, http1.ErrTooLarge):
		status, text = 431, "The head of the request is over the limit in bytes or lines.\n"
	default:
		return // nobody is there
	}
	out := newAnswer(c.net, &http1.Request{Minor: 1, Framing: http1.Framing{Close: true}})
	out.head(status, int64(len(text)), field{"Content-Type", "text/plain; charset=utf-8"})
	out.write([]byte(text))
	if out.end(nil) == nil {
		c.linger()
	}
}

// linger ends the cell's side, and reads the client's for a while.
func (c *conn) linger() {
	if half, ok := c.net.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	_ = c.net.SetReadDeadline(time.Now().Add(lingerTime))
	_, _ = io.CopyN(io.Discard, c.reader, lingerBytes)
}

// wire1 is the wire of one exchange on a connection of HTTP/1.1.
type wire1 struct {
	conn     *conn
	req      *http1.Request
	body     *http1.Body
	upgraded bool
}

func (w *wire1) proceed() error {
	if !w.req.Expect100 || w.body.Empty() {
		return nil
	}
	_, err := io.WriteString(w.conn.net, "HTTP/1.1 100 Continue\r\n\r\n")
	return err
}

// watch does not go on watching a client that sends its next request already.
func (w *wire1) watch() (ctx context.Context, stop func()) {
	c := w.conn
	ctx, cancel := context.WithCancel(c.cell.base)
	done := make(chan struct{})
	var stopped atomic.Bool
	go func() {
		defer close(done)
		if err := c.reader.Await(); err != nil && !stopped.Load() {
			cancel()
		}
	}()
	return ctx, func() {
		stopped.Store(true)
		_ = c.net.SetReadDeadline(time.Unix(1, 0))
		<-done
		_ = c.net.SetReadDeadline(time.Time{})
		cancel()
	}
}

// upgrade answers 101. A WebSocket's key must have been checked.
func (w *wire1) upgrade(protocol string, fields ...field) (io.ReadWriter, error) {
	w.upgraded = true
	accept := sha1.Sum([]byte(value(w.req.Fields, "Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) //nolint:gosec // as above
	b := http1.AppendStatusLine(nil, 101, "Switching Protocols")
	b = http1.AppendField(b, "Connection", "Upgrade")
	b = http1.AppendField(b, "Upgrade", protocol)
	b = http1.AppendField(b, "Sec-WebSocket-Accept", base64.StdEncoding.EncodeToString(accept[:]))
	for _, f := range fields {
		b = http1.AppendField(b, f.name, f.value)
	}
	if _, err := w.conn.net.Write(append(b, "\r\n"...)); err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Writer
	}{w.conn.reader, w.conn.net}, nil
}

func (w *wire1) leave() { w.conn.linger() }
