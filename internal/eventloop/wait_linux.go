package eventloop

import (
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Impatient makes Read fail where it would wait, see WouldWait, or no longer. It
// is for the goroutine that reads.
func (c *Conn) Impatient(yes bool) { c.impatient.Store(yes) }

// Park has r resumed when there is something to read, the time for it is over, or
// the connection is closed. The caller does nothing more with the connection then:
// r may be running already. One that is parked holds nothing but its Conn.
func (c *Conn) Park(r Resumer) {
	c.resumer = r
	c.in.arm(c)
	if !c.in.state.CompareAndSwap(notReady, parked) {
		c.loop.workers.run(r)
		return
	}
	// What was set before it was parked: nobody else looks at that. By now it may
	// have been resumed, and parked for another.
	if c.in.until.Load() < never && c.in.state.Load() == parked {
		c.in.arm(c)
	}
	if (c.in.until.Load() == passed || c.closed()) && c.in.wake() {
		c.loop.workers.run(c.resumer)
	}
}

// Unpark takes Park back. It reports false when r was or is being resumed all the
// same.
func (c *Conn) Unpark() bool { return c.in.state.CompareAndSwap(parked, notReady) }

// Pending reports whether there may be something to read.
func (c *Conn) Pending() bool { return c.in.state.Load() == ready }

// Quiet reports whether nothing has come that was not read, nor the peer's end,
// nor ever urgent data. It makes a system call only if the loop has told of
// something.
func (c *Conn) Quiet() bool {
	if c.untold.Load() {
		return false
	}
	if !c.Pending() {
		return !c.closed()
	}
	if !c.enter() {
		return false
	}
	defer c.leave()
	var probe [1]byte
	_, _, err := unix.Recvfrom(int(c.fd), probe[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
	return err == unix.EAGAIN //nolint:errorlint // bare errno
}

// CloseWrite ends our side of the connection.
func (c *Conn) CloseWrite() error {
	if !c.enter() {
		return c.failed("close", errClosed)
	}
	defer c.leave()
	return os.NewSyscallError("shutdown", unix.Shutdown(int(c.fd), unix.SHUT_WR))
}

// SetLinger is as that of net.TCPConn.
func (c *Conn) SetLinger(seconds int) error {
	if !c.enter() {
		return c.failed("set", errClosed)
	}
	defer c.leave()
	return os.NewSyscallError("setsockopt", unix.SetsockoptLinger(int(c.fd), unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1, Linger: int32(seconds)})) //nolint:gosec // small
}

// AllowRead limits how long reading may wait, 0 for no limit: from the first wait
// on after this call, over all reads until the next one. It costs nothing where none
// waits, and holds for a wait in progress, from now on. It takes the place of a
// read deadline, and lifts one that has passed. The time is that of the loop: on a
// busy machine it may begin before the wait, by as long as a round of the loop takes.
func (c *Conn) AllowRead(d time.Duration) { c.in.allow(c, d) }

// AllowWrite is AllowRead for writing, and begins anew whenever the kernel takes more
// for the peer.
func (c *Conn) AllowWrite(d time.Duration) { c.out.allow(c, d) }

// SetDeadline implements net.Conn.
func (c *Conn) SetDeadline(t time.Time) error {
	c.in.setUntil(c, t)
	c.out.setUntil(c, t)
	return c.open()
}

// SetReadDeadline implements net.Conn.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.in.setUntil(c, t)
	return c.open()
}

// SetWriteDeadline implements net.Conn.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.out.setUntil(c, t)
	return c.open()
}

func (c *Conn) open() error {
	if c.closed() {
		return c.failed("set", errClosed)
	}
	return nil
}

// Peer is the address of the other end.
func (c *Conn) Peer() netip.AddrPort { return c.remote }

// RemoteAddr implements net.Conn.
func (c *Conn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.remote) }

// LocalAddr implements net.Conn.
func (c *Conn) LocalAddr() net.Addr {
	if !c.enter() {
		return &net.TCPAddr{}
	}
	defer c.leave()
	sa, err := unix.Getsockname(int(c.fd))
	if err != nil {
		return &net.TCPAddr{}
	}
	return net.TCPAddrFromAddrPort(addrPort(sa))
}
