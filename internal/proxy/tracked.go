package proxy

import (
	"net"
	"net/netip"
	"sync"

	"github.com/homeward/homeward/internal/eventloop"
)

// tracked is a client's connection, below TLS, that counts until it is closed, and
// that knows whom it comes from. Peer, secure and unread are set before anybody
// else has it.
type tracked struct {
	eventloop.Transport
	loop   *eventloop.Conn // Transport itself, or nil without an event loop
	server *Server
	once   sync.Once

	peer   netip.AddrPort // the other end, or whom a PROXY header names in its place
	secure bool           // the PROXY header says that the client spoke TLS
	unread []byte         // taken from Transport, to be read first
}

// trackLoop tracks a connection that an event loop waits for.
func trackLoop(c *eventloop.Conn, server *Server) *tracked {
	return &tracked{Transport: c, loop: c, server: server, peer: c.Peer()}
}

// track tracks a connection of package net.
func track(c net.Conn, server *Server) *tracked {
	t := &tracked{Transport: eventloop.Blocking(c), server: server}
	if a, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		peer := a.AddrPort()
		t.peer = netip.AddrPortFrom(peer.Addr().Unmap().WithZone(""), peer.Port())
	}
	return t
}

// RemoteAddr implements net.Conn; all who get the connection see the peer.
func (t *tracked) RemoteAddr() net.Addr {
	if t.peer.IsValid() {
		return net.TCPAddrFromAddrPort(t.peer)
	}
	return t.Transport.RemoteAddr()
}

// Read implements net.Conn.
func (t *tracked) Read(b []byte) (int, error) {
	if len(t.unread) == 0 {
		return t.Transport.Read(b)
	}
	n := copy(b, t.unread)
	if t.unread = t.unread[n:]; len(t.unread) == 0 {
		t.unread = nil
	}
	return n, nil
}

// impatient makes Read fail where it would wait; false where it cannot.
func (t *tracked) impatient(yes bool) bool {
	if t.loop == nil {
		return false
	}
	t.loop.Impatient(yes)
	return true
}

// Close implements net.Conn. The connection counts until it is closed: the event
// loop ends when none does, and must not then be told of another.
func (t *tracked) Close() error {
	err := t.Transport.Close()
	t.once.Do(func() {
		t.server.open.Add(-1)
		t.server.serving.Done()
	})
	return err
}

// CloseWrite ends our side of the connection.
func (t *tracked) CloseWrite() error {
	if half, ok := t.Transport.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// SetLinger is as that of net.TCPConn.
func (t *tracked) SetLinger(seconds int) error {
	if tcp, ok := t.Transport.(interface{ SetLinger(seconds int) error }); ok {
		return tcp.SetLinger(seconds)
	}
	return nil
}
