package eventloop

import (
	"io"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

var errClosed = net.ErrClosed

// Conn is a TCP connection in a Loop. It implements net.Conn. One goroutine at a
// time may read and one write; all else may be called by any.
type Conn struct {
	loop       *Loop
	fd         int32
	generation uint32
	remote     netip.AddrPort
	resumer    Resumer

	in, out   side
	untold    atomic.Bool // more may be there without news: the peer ended its side, or sent urgent data
	impatient atomic.Bool

	// uses counts calls in progress, and has the bit of a closed connection: the
	// descriptor is closed by the last of them, as its number may then be another's.
	uses atomic.Int32

	at     int          // index among the deadlines, from 1
	queued atomic.Int64 // when it is looked at for its deadlines; 0 for not at all
}

const closedBit = 1 << 30

// happened takes what the kernel reports.
func (c *Conn) happened(events uint32) {
	if events&(unix.EPOLLRDHUP|unix.EPOLLPRI|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
		c.untold.Store(true)
	}
	if events&(unix.EPOLLIN|unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0 && c.in.makeReady() {
		c.loop.workers.run(c.resumer)
	}
	if events&(unix.EPOLLOUT|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
		c.out.makeReady()
	}
}

func (c *Conn) closed() bool { return c.uses.Load()&closedBit != 0 }

// enter begins a use of the descriptor; false when the connection is closed. One
// that is closed is not counted in, so that there is one last leave.
func (c *Conn) enter() bool {
	for {
		uses := c.uses.Load()
		if uses&closedBit != 0 {
			return false
		}
		if c.uses.CompareAndSwap(uses, uses+1) {
			return true
		}
	}
}

func (c *Conn) leave() {
	if c.uses.Add(-1) == closedBit {
		c.end()
	}
}

// Close implements net.Conn.
func (c *Conn) Close() error {
	for {
		uses := c.uses.Load()
		if uses&closedBit != 0 {
			return errClosed
		}
		// The call itself is a use, which leave ends.
		if c.uses.CompareAndSwap(uses, (uses+1)|closedBit) {
			break
		}
	}
	if c.in.wake() {
		c.loop.workers.run(c.resumer)
	}
	c.out.wake()
	c.leave()
	return nil
}

func (c *Conn) end() {
	c.loop.deadlines.forget(c)
	c.loop.conns.drop(c.fd)
	_ = unix.Close(int(c.fd))
}

// Read implements net.Conn. It makes no system call that it knows to find nothing.
func (c *Conn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if !c.enter() {
		return 0, c.failed("read", errClosed)
	}
	defer c.leave()
	for {
		if c.in.until.Load() == passed {
			return 0, c.failed("read", os.ErrDeadlineExceeded)
		}
		if c.in.state.Load() != ready {
			if c.impatient.Load() {
				return 0, wouldWait{}
			}
			if err := c.in.wait(c); err != nil {
				return 0, c.failed("read", err)
			}
			continue
		}
		// Before the call, as news may come during it. What they tell of may be read
		// by it all the same: then the next call finds nothing, once.
		c.in.state.Store(notReady)
		n, errno := read(c.fd, p)
		switch {
		case n > 0:
			if n == len(p) || c.untold.Load() {
				c.in.state.CompareAndSwap(notReady, ready)
			}
			return n, nil
		case errno == unix.EAGAIN:
			continue
		case errno == unix.EINTR:
			c.in.state.CompareAndSwap(notReady, ready)
			continue
		}
		c.in.state.CompareAndSwap(notReady, ready) // it stays as it is
		if errno != 0 {
			return 0, c.failed("read", os.NewSyscallError("read", errno))
		}
		return 0, io.EOF
	}
}

// Write implements net.Conn.
func (c *Conn) Write(p []byte) (n int, err error) {
	if !c.enter() {
		return 0, c.failed("write", errClosed)
	}
	defer c.leave()
	for n < len(p) {
		if c.out.until.Load() == passed {
			return n, c.failed("write", os.ErrDeadlineExceeded)
		}
		c.out.state.CompareAndSwap(ready, notReady)
		m, errno := write(c.fd, p[n:])
		switch {
		case m > 0:
			n += m
			c.out.renew()
		case errno == unix.EAGAIN:
			if err := c.out.wait(c); err != nil {
				return n, c.failed("write", err)
			}
		case errno == unix.EINTR:
		default:
			return n, c.failed("write", os.NewSyscallError("write", errno))
		}
	}
	return n, nil
}

// Writev writes the parts one behind the other, up to four of them in one system
// call if the connection takes them. Some may be empty. A slice of parts that is
// passed whole is changed.
func (c *Conn) Writev(parts ...[]byte) (written int, err error) {
	if !c.enter() {
		return 0, c.failed("write", errClosed)
	}
	defer c.leave()
	var vector [maxParts]unix.Iovec
	for {
		n := 0
		for _, p := range parts {
			if len(p) > 0 && n < maxParts {
				vector[n].Base = unsafe.SliceData(p)
				vector[n].SetLen(len(p))
				n++
			}
		}
		if n == 0 {
			return written, nil
		}
		if c.out.until.Load() == passed {
			return written, c.failed("write", os.ErrDeadlineExceeded)
		}
		c.out.state.CompareAndSwap(ready, notReady)
		wrote, errno := writev(c.fd, &vector, n)
		switch {
		case wrote > 0:
			skip(parts, wrote)
			written += wrote
			c.out.renew()
		case errno == unix.EAGAIN:
			if err := c.out.wait(c); err != nil {
				return written, c.failed("write", err)
			}
		case errno == unix.EINTR:
		default:
			return written, c.failed("write", os.NewSyscallError("write", errno))
		}
	}
}

// maxParts is how many parts leave together.
const maxParts = 4

// skip takes n bytes off the parts.
func skip(parts [][]byte, n int) {
	for i, p := range parts {
		k := min(n, len(p))
		parts[i] = p[k:]
		n -= k
	}
}

// AwaitRead blocks until Read would not, as far as is known: what was read to the
// last byte that there was room for may have been all. An error is what Read would
// return.
func (c *Conn) AwaitRead() error {
	if !c.enter() {
		return c.failed("read", errClosed)
	}
	defer c.leave()
	for {
		if c.in.until.Load() == passed {
			return c.failed("read", os.ErrDeadlineExceeded)
		}
		if c.Pending() {
			return nil
		}
		if err := c.in.wait(c); err != nil {
			return c.failed("read", err)
		}
	}
}

func (c *Conn) failed(op string, err error) error {
	if err == os.ErrDeadlineExceeded { //nolint:errorlint // our own
		return err // a net.Error itself; it comes in the course of requests, and allocates nothing
	}
	return &net.OpError{Op: op, Net: "tcp", Addr: net.TCPAddrFromAddrPort(c.remote), Err: err}
}
