//go:build !linux

package eventloop

import (
	"net"
	"net/netip"
	"time"
)

// Loop does not exist on this system.
type Loop struct{}

// Open returns ErrUnsupported.
func Open() (*Loop, error) { return nil, ErrUnsupported }

// Time is now; there is no Loop.
func (l *Loop) Time() time.Time { return time.Now() }

// Close does nothing.
func (l *Loop) Close() {}

// Take returns ErrUnsupported.
func (l *Loop) Take(nc *net.TCPConn) (*Conn, error) { return nil, ErrUnsupported }

// Listen returns ErrUnsupported.
func (l *Loop) Listen(tcp *net.TCPListener) (*Listener, error) { return nil, ErrUnsupported }

// Listener does not exist on this system.
type Listener struct{ *net.TCPListener }

// AcceptConn returns ErrUnsupported.
func (ln *Listener) AcceptConn() (*Conn, error) { return nil, ErrUnsupported }

// Conn does not exist on this system.
type Conn struct{ *net.TCPConn }

// Peer does nothing; there is no Conn.
func (c *Conn) Peer() netip.AddrPort { return netip.AddrPort{} }

// Impatient does nothing; there is no Conn.
func (c *Conn) Impatient(bool) {}

// Writev does nothing; there is no Conn.
func (c *Conn) Writev(...[]byte) (int, error) { return 0, ErrUnsupported }

// Splice does nothing; there is no Conn.
func (c *Conn) Splice(*Conn, int64) (int64, *Conn, error) { return 0, c, ErrUnsupported }

// Park does nothing; there is no Conn.
func (c *Conn) Park(Resumer) {}

// Unpark does nothing; there is no Conn.
func (c *Conn) Unpark() bool { return false }

// Pending does nothing; there is no Conn.
func (c *Conn) Pending() bool { return false }

// Quiet does nothing; there is no Conn.
func (c *Conn) Quiet() bool { return false }

// AllowRead does nothing; there is no Conn.
func (c *Conn) AllowRead(time.Duration) {}

// AllowWrite does nothing; there is no Conn.
func (c *Conn) AllowWrite(time.Duration) {}
