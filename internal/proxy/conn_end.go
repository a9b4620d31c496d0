package proxy

import (
	"crypto/tls"
	"errors"
	"io"
	"time"

	"github.com/homeward/homeward/internal/proxy/http1"
)

// refuse answers a request head that could not be read.
func (c *conn) refuse(err error) {
	if p, ok := HeadProblem(err); ok {
		c.reject(p)
	}
}

// reject sends a problem in answer to no request in particular, and ends the
// connection: what follows on it could be anything.
func (c *conn) reject(p Problem) {
	c.rejectRequest(&Inbound{Proto: "HTTP/1.1", Peer: c.client.peer, TLS: c.tls}, p)
}

func (c *conn) rejectRequest(in *Inbound, p Problem) {
	out := &answer{}
	out.begin(c, &http1.Request{Minor: 1, Framing: http1.Framing{Close: true}}, c.server.proxy.State().Timeouts.Write.Std())
	c.server.proxy.Reject(in, out, p)
	out.release()
	c.linger(lingerTime)
}

// refuseHandshake ends a connection without TLS. A client that spoke plain HTTP
// is told so.
func (c *conn) refuseHandshake(err error) {
	var record tls.RecordHeaderError
	switch {
	case !errors.As(err, &record) || record.Conn == nil:
	case imposedTLS(record.RecordHeader):
		c.reject(notDeclared)
	case looksLikeHTTP(record.RecordHeader):
		c.reject(Problem{Kind: BadFraming, Detail: "This port speaks HTTPS, and the request came as plain HTTP."})
	}
	_ = c.net.Close()
}

func looksLikeHTTP(header [5]byte) bool {
	for _, b := range header {
		if b < ' ' || b >= 0x7f {
			return false
		}
	}
	return true
}

// Limits of how long a connection that is to be closed is still read, so that
// the client gets the answer and not a reset.
const (
	lingerTime  = 2 * time.Second
	lingerGrace = 200 * time.Millisecond // where nothing tells that it sends more
	lingerBytes = 64 << 20
)

// linger ends our side and discards what the client still sends, for a while: to
// close with bytes unread is a reset, which can overtake the answer. Grace is how long
// the first of them is waited for.
func (c *conn) linger(grace time.Duration) {
	_ = c.closeWrite()
	c.client.AllowRead(grace)
	if _, err := io.CopyN(io.Discard, &c.reader, 1); err != nil {
		return
	}
	c.client.AllowRead(lingerTime)
	_, _ = io.CopyN(io.Discard, &c.reader, lingerBytes)
}

// closeWrite ends our side, if the transport can end it alone.
func (c *conn) closeWrite() error {
	if half, ok := c.net.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// breakOff makes sure that the client sees an answer without its end as broken,
// by a reset where the transport has one.
func (c *conn) breakOff() { _ = c.client.SetLinger(0) }

// closeIfIdle closes the connection if it carries no request.
func (c *conn) closeIfIdle() {
	if c.phase.CompareAndSwap(idle, closed) {
		_ = c.net.Close()
	}
}
