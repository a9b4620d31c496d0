package eventloop

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

const (
	// pipeSize is what a pipe is asked to hold, in bytes; it may hold less.
	pipeSize = 256 << 10
	// maxPipes is how many there may be at once: a client that takes nothing keeps one
	// full, in the kernel's memory, and two descriptors with it.
	maxPipes = 256
	// keptPipes is how many are kept for the next connection.
	keptPipes = 16
)

var errNoPipe = errors.New("event loop: no pipe to be had")

// pipe is what passes bytes from one socket to another within the kernel. It is
// empty between two calls.
type pipe struct{ in, out int }

// takePipe takes a pipe that is kept, or makes one.
func (l *Loop) takePipe() (*pipe, error) {
	select {
	case p := <-l.pipes:
		return p, nil
	default:
	}
	if l.pipesOpen.Add(1) > maxPipes {
		l.pipesOpen.Add(-1)
		return nil, errNoPipe
	}
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_NONBLOCK|unix.O_CLOEXEC); err != nil {
		l.pipesOpen.Add(-1)
		return nil, os.NewSyscallError("pipe2", err)
	}
	_, _ = unix.FcntlInt(uintptr(ends[1]), unix.F_SETPIPE_SZ, pipeSize) // a limit of the system leaves it as it is
	return &pipe{in: ends[1], out: ends[0]}, nil
}

// givePipe gives back one that is empty.
func (l *Loop) givePipe(p *pipe) {
	select {
	case l.pipes <- p:
	default:
		l.closePipe(p)
	}
}

// closePipe closes one, and loses what is in it.
func (l *Loop) closePipe(p *pipe) {
	l.pipesOpen.Add(-1)
	_ = unix.Close(p.in)
	_ = unix.Close(p.out)
}

// closePipes is for a loop that ends.
func (l *Loop) closePipes() {
	for {
		select {
		case p := <-l.pipes:
			l.closePipe(p)
		default:
			return
		}
	}
}

// Splice passes up to most bytes that src has on to c, without a copy in this
// process. It waits for some as Read of src does, and for c to take them as Write
// does, and returns how many c has. Failed says which side gave the error, io.EOF of
// src among them; nil with an error that nothing was passed, for want of a pipe.
func (c *Conn) Splice(src *Conn, most int64) (passed int64, failed *Conn, err error) {
	if !c.enter() {
		return 0, c, c.failed("write", errClosed)
	}
	defer c.leave()
	if !src.enter() {
		return 0, src, src.failed("read", errClosed)
	}
	defer src.leave()
	for {
		if err := src.AwaitRead(); err != nil { // before there is a pipe: who sends little holds none
			return 0, src, err
		}
		p, err := c.loop.takePipe()
		if err != nil {
			return 0, nil, err
		}
		n, err := src.fillPipe(p, most)
		if n == 0 {
			c.loop.givePipe(p)
			if err == nil {
				continue
			}
			if errors.Is(err, errNoPipe) {
				src = nil
			}
			return 0, src, err
		}
		if passed, err = c.drainPipe(p, n); err != nil {
			c.loop.closePipe(p)
			return passed, c, err
		}
		c.loop.givePipe(p)
		return passed, nil, nil
	}
}

const spliceFlags = unix.SPLICE_F_MOVE | unix.SPLICE_F_NONBLOCK

// fillPipe puts what can be read into an empty pipe: nothing if nothing can.
func (c *Conn) fillPipe(p *pipe, most int64) (int64, error) {
	for {
		c.in.state.Store(notReady)
		n, err := unix.Splice(int(c.fd), nil, p.in, nil, int(min(most, pipeSize)), spliceFlags)
		if err == unix.EAGAIN { //nolint:errorlint // bare errno
			if c.untold.Load() { // urgent data, which a pipe does not get past
				c.in.state.CompareAndSwap(notReady, ready)
				return 0, errNoPipe
			}
			return 0, nil
		}
		c.in.state.CompareAndSwap(notReady, ready) // there may be more
		switch {
		case err == unix.EINTR: //nolint:errorlint // bare errno
		case err != nil:
			return 0, c.failed("read", os.NewSyscallError("splice", err))
		case n == 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}

func (c *Conn) drainPipe(p *pipe, n int64) (drained int64, err error) {
	for drained < n {
		if c.out.until.Load() == passed {
			return drained, c.failed("write", os.ErrDeadlineExceeded)
		}
		c.out.state.CompareAndSwap(ready, notReady)
		m, err := unix.Splice(p.out, nil, int(c.fd), nil, int(n-drained), spliceFlags)
		switch err { //nolint:errorlint // bare errno
		case nil:
			drained += m
			c.out.renew()
		case unix.EINTR:
		case unix.EAGAIN:
			if err := c.out.wait(c); err != nil {
				return drained, c.failed("write", err)
			}
		default:
			return drained, c.failed("write", os.NewSyscallError("splice", err))
		}
	}
	return drained, nil
}
