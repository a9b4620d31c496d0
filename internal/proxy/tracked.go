package proxy

import (
	"net"
	"net/netip"
	"sync"
)

// tracked is a connection that counts until it is closed, and that knows whom
// it comes from. Peer, secure and unread are set before anybody else has it.
type tracked struct {
	net.Conn
	server *Server
	once   sync.Once

	peer   netip.AddrPort // the other end, or whom a PROXY header names in its place
	secure bool           // the PROXY header says that the client spoke TLS
	unread []byte         // taken from Conn, to be read first
}

func track(c net.Conn, server *Server) *tracked {
	t := &tracked{Conn: c, server: server}
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
	return t.Conn.RemoteAddr()
}

// Read implements net.Conn.
func (t *tracked) Read(b []byte) (int, error) {
	if len(t.unread) == 0 {
		return t.Conn.Read(b)
	}
	n := copy(b, t.unread)
	t.unread = t.unread[n:]
	return n, nil
}

// Close implements net.Conn.
func (t *tracked) Close() error {
	t.once.Do(func() {
		t.server.open.Add(-1)
		t.server.serving.Done()
	})
	return t.Conn.Close()
}

// CloseWrite ends our side of the connection.
func (t *tracked) CloseWrite() error {
	if half, ok := t.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
