package eventloop

import (
	"errors"
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// keepAlive is after how many seconds of silence, and how often then, the kernel
// asks whether the peer is still there.
const keepAlive = 15

// Listener accepts connections into a Loop. It implements net.Listener; its
// connections are of the type *Conn. One goroutine accepts.
type Listener struct {
	*net.TCPListener
	conn *Conn // whose descriptor is another one for the same socket
}

// Listen makes a Listener of one of package net, which is used through it alone
// from then on.
func (l *Loop) Listen(tcp *net.TCPListener) (*Listener, error) {
	fd, err := duplicate(tcp)
	if err != nil {
		return nil, fmt.Errorf("event loop: take a listener: %w", err)
	}
	// Connections inherit these.
	for _, o := range [...]struct{ level, name, value int }{
		{unix.IPPROTO_TCP, unix.TCP_NODELAY, 1},
		{unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1},
		{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, keepAlive},
		{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, keepAlive},
	} {
		if err := unix.SetsockoptInt(fd, o.level, o.name, o.value); err != nil {
			return nil, errors.Join(fmt.Errorf("event loop: take a listener: %w", err), unix.Close(fd))
		}
	}
	c, err := l.add(fd, tcp.Addr().(*net.TCPAddr).AddrPort())
	if err != nil {
		return nil, err
	}
	return &Listener{tcp, c}, nil
}

// Accept implements net.Listener.
func (ln *Listener) Accept() (net.Conn, error) { return ln.AcceptConn() }

// AcceptConn waits for the next connection.
func (ln *Listener) AcceptConn() (*Conn, error) {
	c := ln.conn
	if !c.enter() {
		return nil, ln.failed(errClosed)
	}
	defer c.leave()
	for {
		fd, from, err := unix.Accept4(int(c.fd), unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		switch err { //nolint:errorlint // bare errno
		case nil:
			return c.loop.add(fd, addrPort(from))
		case unix.EINTR, unix.ECONNABORTED:
		case unix.EAGAIN:
			if err := c.in.wait(c); err != nil {
				return nil, ln.failed(err)
			}
			c.in.state.CompareAndSwap(ready, notReady) // before the next try: what comes after it is told again
		default:
			return nil, ln.failed(os.NewSyscallError("accept4", err))
		}
	}
}

func (ln *Listener) failed(err error) error {
	return &net.OpError{Op: "accept", Net: "tcp", Addr: ln.Addr(), Err: err}
}

// Close implements net.Listener.
func (ln *Listener) Close() error {
	_ = ln.conn.Close()
	return ln.TCPListener.Close()
}
