package proxy

import (
	"crypto/tls"
	"os"

	"github.com/homeward/homeward/internal/proxy/http1"
)

// preface starts an HTTP/2 connection with prior knowledge (RFC 9113 section 3.4).
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// accept begins to serve a connection of any protocol, in another goroutine.
func (s *Server) accept(t *tracked, config *tls.Config) {
	c := &conn{server: s, client: t, net: t, config: config, reader: s.buffers.Reader(t)}
	if !s.add(c) {
		_ = t.Close()
		return
	}
	t.AllowRead(s.proxy.State().Timeouts.Header.Std())
	t.AllowWrite(s.proxy.State().Timeouts.Header.Std())
	if t.loop != nil {
		t.loop.Park(c)
		return
	}
	go c.Resume()
}

// open finds out what the client speaks. Unless that is HTTP/1.1 the connection
// does not go on here: others serve it, or it has ended.
func (c *conn) open() (goesOn bool) {
	s, t := c.server, c.client
	state := s.proxy.State()
	c.opened = true
	if state.introduces(t.peer.Addr()) && !c.introduced(t) {
		c.close()
		return false
	}
	if c.config != nil {
		if !c.encrypt() {
			return false
		}
	} else if c.started(state) && c.begins(preface) {
		t.unread = c.reader.TakeBuffered()
		s.remove(c)
		t.AllowRead(0)
		t.AllowWrite(0)
		s.http2.take(t)
		return false
	}
	switch {
	case !c.tls && c.imposed():
		c.reject(notDeclared)
	case c.late:
		c.refuse(os.ErrDeadlineExceeded)
	default:
		c.phase.Store(idle)
		return true
	}
	c.close()
	return false
}

// encrypt makes the TLS connection, and reports whether it goes on here.
func (c *conn) encrypt() (goesOn bool) {
	s, t := c.server, c.client
	t.unread = c.reader.TakeBuffered()
	tc := tls.Server(t, c.config)
	c.config = nil
	err := tc.HandshakeContext(s.base)
	state := tc.ConnectionState()
	switch {
	case err != nil:
		c.refuseHandshake(err)
	case challenged(state):
		c.net = tc
	case state.NegotiatedProtocol == "h2":
		s.remove(c)
		t.AllowRead(0)
		t.AllowWrite(0)
		s.http2.take(tc)
		return false
	default:
		c.net, c.tls = tc, true
		c.reader.Reset(tc)
		return true
	}
	c.close()
	return false
}

func (s *Server) add(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.base.Err() != nil {
		return false
	}
	s.conns[c] = struct{}{}
	return true
}

func (s *Server) remove(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// started waits for the client's first byte, from which on the time for a head runs.
func (c *conn) started(state *State) bool {
	if c.reader.Await() != nil {
		return false
	}
	c.client.AllowRead(state.Timeouts.Header.Std())
	return true
}

// begins reports whether the client's first bytes are these. It waits for no
// more of them than it needs to tell.
func (c *conn) begins(with string) bool {
	for n := 1; n <= len(with); n++ {
		if c.late {
			return false
		}
		b, err := c.reader.Peek(n)
		if err != nil {
			c.late = n > 1 && http1.IsTimeout(err)
			return false
		}
		if b[n-1] != with[n-1] {
			return false
		}
	}
	return true
}
