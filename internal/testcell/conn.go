package testcell

import (
	"context"
	"crypto/sha256"
	"errors"
	"hash"
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

// lingerTime is how long a connection that is refused is still read, so that
// the client gets the answer and not a reset.
const lingerTime = time.Second

// conn is one connection. One goroutine serves it.
type conn struct {
	cell   *Cell
	net    net.Conn
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
		fault := NoFault
		if c.cell.fault != nil {
			fault = c.cell.fault(&Request{Head: &head, Conn: c.number, Number: n})
		}
		if fault.breaks() {
			c.fail(fault)
			return
		}
		x := newExchange(c, &head)
		if fault == CloseAnnounced {
			x.out.keepAlive = false
		}
		if err := x.answer(); err != nil || !x.out.keepAlive || fault == CloseAfter {
			return
		}
		c.reader.Release()
	}
}

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
	if out.end(nil) != nil {
		return
	}
	if half, ok := c.net.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	_ = c.net.SetReadDeadline(time.Now().Add(lingerTime))
	_, _ = io.CopyN(io.Discard, c.reader, 1<<20)
}

// watch gives a context that ends when the client leaves or the cell closes. It
// must not be used while a body is read. stop waits for the watching to end. A
// client that sends its next request already is not watched further.
func (c *conn) watch() (ctx context.Context, stop func()) {
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

// exchange is one request and its answer.
type exchange struct {
	conn *conn
	req  *http1.Request
	body *http1.Body
	out  *answer

	hash  hash.Hash
	bytes int64
}

func newExchange(c *conn, req *http1.Request) *exchange {
	return &exchange{
		conn: c, req: req, body: http1.RequestBody(c.reader, req, limits),
		out: newAnswer(c.net, req), hash: sha256.New(),
	}
}

// proceed tells a client that waits for it to send its body.
func (x *exchange) proceed() error {
	if !x.req.Expect100 || x.body.Empty() {
		return nil
	}
	_, err := io.WriteString(x.conn.net, "HTTP/1.1 100 Continue\r\n\r\n")
	return err
}

// consume reads the body to its end, hashing it.
func (x *exchange) consume() error {
	if x.body.Whole() {
		return nil
	}
	if err := x.proceed(); err != nil {
		return err
	}
	buf := make([]byte, pieceSize)
	for {
		n, err := x.body.Read(buf)
		x.bytes += int64(n)
		x.hash.Write(buf[:n])
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// wait returns nil after d, and an error as soon as the client is gone.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
