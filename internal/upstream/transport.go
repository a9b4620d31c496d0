package upstream

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"

	"github.com/homeward/homeward/internal/eventloop"
)

// connect makes a TCP connection, which waits in the loop if there is one.
func connect(ctx context.Context, loop *eventloop.Loop, address string) (eventloop.Transport, error) {
	var d net.Dialer
	nc, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	if tcp, ok := nc.(*net.TCPConn); ok && loop != nil {
		return loop.Take(tcp)
	}
	return eventloop.Blocking(nc), nil
}

// encrypt speaks TLS on a new connection, which it closes if that fails.
func encrypt(ctx context.Context, raw net.Conn, config *tls.Config) (net.Conn, error) {
	c := tls.Client(raw, config)
	if err := c.HandshakeContext(ctx); err != nil {
		_ = raw.Close()
		return nil, fmt.Errorf("TLS: %w", err)
	}
	return c, nil
}

// silent reports whether nothing came on the idle connection, neither to its
// socket nor, with TLS, in records that were read along with the last answer.
func (c *Conn) silent() bool {
	loop, ok := c.Transport.(*eventloop.Conn)
	if !ok {
		return c.silentSocket()
	}
	if !loop.Quiet() {
		return false
	}
	if _, ok := c.Conn.(*tls.Conn); !ok {
		return true
	}
	loop.Impatient(true)
	defer loop.Impatient(false)
	return eventloop.WouldWait(c.Reader.Await())
}

// WriteParts writes a head and a body behind it, at once if it can. It may use the
// room behind the head.
func (c *Conn) WriteParts(head, body []byte) (written int, err error) {
	if len(body) == 0 {
		return c.Write(head)
	}
	if loop, ok := c.Conn.(*eventloop.Conn); ok && len(body) > eventloop.Copied {
		return loop.Writev(head, body)
	}
	return c.Write(append(head, body...))
}
