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

// unsent is about how many bytes the kernel takes of what is written beyond what it
// could send, where it would take megabytes for a client that has become slow: they would
// be its memory, and when such a client is to be taken for gone could not be told.
const unsent = 256 << 10

// Listener accepts connections into a Loop. It implements net.Listener; its
// connections are of the type *Conn. One goroutine accepts.
type Listener struct {
	*net.TCPListener
	conn *Conn // whose descriptor is another one for the same socket
	// younger says that the connections still to be accepted were made after Listen,
	// and have inherited from it.
	younger bool
}

// Listen makes a Listener of one of package net, which is used through it alone
// from then on.
func (l *Loop) Listen(tcp *net.TCPListener) (*Listener, error) {
	fd, err := duplicate(tcp)
	if err != nil {
		return nil, fmt.Errorf("event loop: take a listener: %w", err)
	}
	if err := prepare(fd); err != nil {
		return nil, errors.Join(fmt.Errorf("event loop: take a listener: %w", err), unix.Close(fd))
	}
	c, err := l.add(fd, tcp.Addr().(*net.TCPAddr).AddrPort())
	if err != nil {
		return nil, err
	}
	return &Listener{TCPListener: tcp, conn: c}, nil
}

// prepare sets what connections inherit from a listener: what is written leaves at
// once, the kernel keeps little of it, and a peer that is no more is found out.
func prepare(fd int) error {
	for _, o := range [...]struct{ level, name, value int }{
		{unix.IPPROTO_TCP, unix.TCP_NODELAY, 1},
		{unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1},
		{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, keepAlive},
		{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, keepAlive},
	} {
		if err := unix.SetsockoptInt(fd, o.level, o.name, o.value); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, unsent) // where there is none, it does without
	return nil
}

// Accept implements net.Listener.
func (ln *Listener) Accept() (net.Conn, error) { return ln.AcceptConn() }

// AcceptConn waits for the next connection. A temporary error says that this one
// could not be had, for want of something or because it has failed already.
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
			if !ln.younger {
				_ = prepare(fd) // fails if the peer has left, which reading tells
			}
			accepted, err := c.loop.add(fd, addrPort(from))
			if err != nil {
				return nil, ln.failed(passing{err})
			}
			return accepted, nil
		case unix.EINTR, unix.ECONNABORTED:
		case unix.EAGAIN:
			ln.younger = true
			if err := c.in.wait(c); err != nil {
				return nil, ln.failed(err)
			}
			c.in.state.CompareAndSwap(ready, notReady) // before the next try: what comes after it is told again
		case unix.EBADF, unix.EINVAL: // it listens no more
			return nil, ln.failed(os.NewSyscallError("accept4", err))
		default:
			return nil, ln.failed(passing{os.NewSyscallError("accept4", err)})
		}
	}
}

func (ln *Listener) failed(err error) error {
	return &net.OpError{Op: "accept", Net: "tcp", Addr: ln.Addr(), Err: err}
}

// passing is why one connection could not be taken: too many files are open, memory
// is short, or no more may be watched by an epoll instance. The next may do better.
type passing struct{ error }

// Temporary tells net.OpError.
func (e passing) Temporary() bool { return !errors.Is(e.error, net.ErrClosed) }

func (e passing) Unwrap() error { return e.error }

// Close implements net.Listener.
func (ln *Listener) Close() error {
	_ = ln.conn.Close()
	return ln.TCPListener.Close()
}
