package eventloop

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// batch is how many connections are looked at together.
const batch = 256

// Loop waits for connections. It is safe for concurrent use.
type Loop struct {
	epoll *os.File
	raw   syscall.RawConn
	done  chan struct{} // closed when run has ended

	started time.Time               // the zero of its clock
	reading atomic.Pointer[reading] // the system's clock, by this one
	clock   atomic.Int64            // nanoseconds since started; 0 while nobody keeps it

	conns      table
	generation atomic.Uint32
	deadlines  deadlines
	workers    workers
	pipes      chan *pipe // that are kept
	pipesOpen  atomic.Int32
}

// Open starts a loop. Close ends it.
func Open() (*Loop, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("event loop: epoll: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil { // or package os would not wait for it
		return nil, errors.Join(fmt.Errorf("event loop: %w", err), unix.Close(fd))
	}
	l := &Loop{epoll: os.NewFile(uintptr(fd), "epoll"), done: make(chan struct{}), started: time.Now(), pipes: make(chan *pipe, keptPipes)}
	if l.raw, err = l.epoll.SyscallConn(); err != nil {
		return nil, errors.Join(fmt.Errorf("event loop: %w", err), l.epoll.Close())
	}
	l.deadlines.loop = l
	go l.run()
	return l, nil
}

// Close ends the loop. Its connections must be closed before.
func (l *Loop) Close() {
	_ = l.epoll.Close()
	<-l.done
	l.deadlines.stop()
	l.workers.stop()
	l.closePipes()
}

// now is nanoseconds since the loop started, at least 2. A batch of events, and what
// is done with it until the loop looks for more, has one time.
func (l *Loop) now() int64 {
	if now := l.clock.Load(); now != 0 {
		return now
	}
	return int64(time.Since(l.started)) + 2
}

// reading is what the system's clock showed.
type reading struct {
	at    time.Time
	clock int64 // of the loop, then
}

// readEvery is how long a reading is good for: a system's clock that is set is
// followed within that time.
const readEvery = int64(time.Second)

// keep has the clock stand at this moment.
func (l *Loop) keep() {
	clock := int64(time.Since(l.started)) + 2
	if r := l.reading.Load(); r == nil || clock-r.clock >= readEvery {
		now := time.Now()
		clock = int64(now.Sub(l.started)) + 2
		l.reading.Store(&reading{now, clock})
	}
	l.clock.Store(clock)
}

// Time is the time at which the loop last looked for what is ready, or now if it
// has nothing to do. It costs a fraction of asking the system.
func (l *Loop) Time() time.Time {
	if clock := l.clock.Load(); clock != 0 {
		r := l.reading.Load()
		return r.at.Add(time.Duration(clock - r.clock))
	}
	return time.Now()
}

// run hands out what the kernel reports. The Go scheduler waits for the epoll
// instance itself as for any other descriptor, so that nothing else that it waits
// for waits for this.
func (l *Loop) run() {
	defer close(l.done)
	var events [batch]unix.EpollEvent
	n := 0
	look := func(fd uintptr) bool { // made once: it allocates
		if n = epollWait(fd, &events); n == 0 {
			l.clock.Store(0) // nobody keeps it while there is nothing to do
		}
		return n != 0
	}
	for {
		if err := l.raw.Read(look); err != nil || n < 0 {
			return // closed
		}
		l.keep()
		for i := range events[:n] {
			e := &events[i]
			if c := l.conns.get(e.Fd); c != nil && c.generation == uint32(e.Pad) { //nolint:gosec // the bits that add put there
				c.happened(e.Events)
			}
		}
		runtime.Gosched() // those who were called come first, and may make more ready meanwhile
	}
}

// epollWait asks what is ready and does not wait: nothing is 0. It spares the
// scheduler the news of a system call that cannot block.
func epollWait(fd uintptr, events *[batch]unix.EpollEvent) int {
	for {
		n, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, fd, uintptr(unsafe.Pointer(events)), batch, 0, 0, 0)
		switch errno {
		case 0:
			return int(n) //nolint:gosec // at most batch
		case unix.EINTR: // that is not nothing: the scheduler tells of what is there only once
		default:
			return -1
		}
	}
}

// Take makes a Conn of a TCP connection, whose descriptor becomes its own: nc
// must not be used any more, also after an error.
func (l *Loop) Take(nc *net.TCPConn) (*Conn, error) {
	defer nc.Close() //nolint:errcheck // its descriptor is a copy by then
	fd, err := duplicate(nc)
	if err != nil {
		return nil, fmt.Errorf("event loop: take a connection: %w", err)
	}
	remote, _ := nc.RemoteAddr().(*net.TCPAddr)
	return l.add(fd, remote.AddrPort())
}

// duplicate gives another descriptor for the same socket.
func duplicate(of syscall.Conn) (fd int, err error) {
	raw, err := of.SyscallConn()
	if err != nil {
		return -1, err
	}
	controlErr := raw.Control(func(own uintptr) {
		fd, err = unix.FcntlInt(own, unix.F_DUPFD_CLOEXEC, 0)
	})
	return fd, errors.Join(controlErr, err)
}

var errTooMany = errors.New("event loop: the descriptor's number is too large")

// add enters a descriptor, for good: closing it takes it out.
func (l *Loop) add(fd int, remote netip.AddrPort) (*Conn, error) {
	c := &Conn{loop: l, fd: int32(fd), generation: l.generation.Add(1), remote: remote} //nolint:gosec // a descriptor
	if !l.conns.put(c) {
		_ = unix.Close(fd)
		return nil, errTooMany
	}
	e := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLPRI | unix.EPOLLET&0xffffffff, Fd: c.fd, Pad: int32(c.generation)} //nolint:gosec // bits
	ctlErr := net.ErrClosed
	err := l.raw.Control(func(epoll uintptr) {
		ctlErr = unix.EpollCtl(int(epoll), unix.EPOLL_CTL_ADD, fd, &e) //nolint:gosec // a descriptor
	})
	if err = errors.Join(err, ctlErr); err != nil {
		_ = c.Close()
		return nil, fmt.Errorf("event loop: epoll_ctl: %w", err)
	}
	return c, nil
}
