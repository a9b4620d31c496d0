package eventloop

import (
	"net"
	"time"
)

// Copied is up to how many bytes it costs less to copy them behind others than to
// hand them to the kernel as a part of their own.
const Copied = 4 << 10

// Transport is a connection whose waits are limited, whether a loop waits for it
// or a goroutine of its own.
type Transport interface {
	net.Conn
	// AllowRead limits how long reading may wait, 0 for no limit: over all reads
	// until the next call.
	AllowRead(d time.Duration)
	// AllowWrite is AllowRead for writing.
	AllowWrite(d time.Duration)
}

// Blocking makes a Transport of a connection of package net.
func Blocking(nc net.Conn) Transport { return blocking{nc} }

type blocking struct{ net.Conn }

// AllowRead implements Transport. The time runs from now on, waiting or not.
func (b blocking) AllowRead(d time.Duration) { _ = b.SetReadDeadline(after(d)) }

// AllowWrite implements Transport.
func (b blocking) AllowWrite(d time.Duration) { _ = b.SetWriteDeadline(after(d)) }

func after(d time.Duration) (t time.Time) {
	if d > 0 {
		t = time.Now().Add(d)
	}
	return t
}

// CloseWrite ends our side of the connection, if it can be ended alone.
func (b blocking) CloseWrite() error {
	if half, ok := b.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// SetLinger is as that of net.TCPConn.
func (b blocking) SetLinger(seconds int) error {
	if tcp, ok := b.Conn.(*net.TCPConn); ok {
		return tcp.SetLinger(seconds)
	}
	return nil
}

// NetConn is the connection itself.
func (b blocking) NetConn() net.Conn { return b.Conn }
