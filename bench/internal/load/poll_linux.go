package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"
)

// poller is the open loop for plain connections, by epoll in one thread: a
// third of the processor time of goroutines, which the origin beside it needs.
type poller struct {
	*openLoop
	epoll    int
	conns    map[int32]*polled // by descriptor
	free     []*polled
	requests [][]byte
	waiting  []time.Time // when requests were due that no connection was free for
	asked    int         // requests that have become due; of these were
	sent     int
	done     int
	record   *recorder
	buf      []byte
}

// polled is a connection of a poller.
type polled struct {
	fd     int
	due    time.Time // of the request under way; zero without one
	head   []byte    // of the answer, as far as it is there
	length int       // of the rest of the body; -1 before the head is complete
}

// poll sends requests until the duration is over, and waits for the answers.
func (o *openLoop) poll(ctx context.Context) (Result, error) {
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return Result{}, fmt.Errorf("epoll_create1: %w", err)
	}
	defer syscall.Close(epoll)
	p := &poller{openLoop: o, epoll: epoll, conns: map[int32]*polled{}, requests: o.target.requests(),
		record: &recorder{latencies: make([]time.Duration, 0, o.total())}, buf: make([]byte, 128<<10)}
	clients, closeAll, err := o.dial(ctx)
	if err != nil {
		return Result{}, err
	}
	defer closeAll()
	for _, c := range clients {
		file, err := c.conn.(*net.TCPConn).File() // a descriptor of its own, which Go's runtime leaves alone
		if err != nil {
			return Result{}, err
		}
		defer file.Close()
		if err := p.add(file); err != nil {
			return Result{}, err
		}
	}
	timer, err := newTimer(o.period())
	if err != nil {
		return Result{}, err
	}
	defer timer.Close()
	return p.run(ctx, timer.(*timerfd))
}

// add takes a connection in.
func (p *poller) add(file *os.File) error {
	c := &polled{fd: int(file.Fd()), length: -1}
	if err := syscall.SetNonblock(c.fd, true); err != nil {
		return err
	}
	p.conns[int32(c.fd)] = c
	p.free = append(p.free, c)
	return p.watch(c.fd)
}

func (p *poller) watch(fd int) error {
	return syscall.EpollCtl(p.epoll, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)})
}

func (p *poller) run(ctx context.Context, timer *timerfd) (Result, error) {
	tick := int(timer.file.Fd())
	if err := syscall.SetNonblock(tick, true); err != nil { // Fd made it block
		return Result{}, err
	}
	if err := p.watch(tick); err != nil {
		return Result{}, err
	}
	began := time.Now()
	last := began.Add(p.duration + patience)
	events := make([]syscall.EpollEvent, 256)
	for p.done < p.total() {
		n, err := syscall.EpollWait(p.epoll, events, 1000)
		switch {
		case err == nil:
		case errors.Is(err, syscall.EINTR):
			continue
		default:
			return Result{}, fmt.Errorf("epoll_wait: %w", err)
		}
		if err := ctx.Err(); err != nil {
			return Result{}, err
		}
		if now := time.Now(); now.After(last) {
			return Result{}, fmt.Errorf("%d of %d requests are not answered: %w", p.total()-p.done, p.total(), os.ErrDeadlineExceeded)
		}
		for _, e := range events[:n] {
			if int(e.Fd) == tick {
				err = p.ticked(tick, began)
			} else {
				err = p.receive(p.conns[e.Fd])
			}
			if err != nil {
				return Result{}, err
			}
		}
		if err := p.send(); err != nil {
			return Result{}, err
		}
	}
	return p.record.result(began)
}

// ticked notes the requests that have become due. The timer is left alone after
// the last: it would only wake.
func (p *poller) ticked(fd int, began time.Time) error {
	for n := expirations(fd); n > 0 && p.asked < p.total(); n-- {
		p.waiting = append(p.waiting, p.openLoop.due(began, p.asked))
		p.asked++
	}
	if p.asked < p.total() {
		return nil
	}
	return syscall.EpollCtl(p.epoll, syscall.EPOLL_CTL_DEL, fd, nil)
}

// send sends what is due over what is free.
func (p *poller) send() error {
	for len(p.waiting) > 0 && len(p.free) > 0 {
		c := p.free[len(p.free)-1]
		p.free = p.free[:len(p.free)-1]
		c.due, p.waiting = p.waiting[0], p.waiting[1:]
		request := p.requests[p.sent%len(p.requests)]
		p.sent++
		if n, err := syscall.Write(c.fd, request); err != nil || n < len(request) {
			return fmt.Errorf("send a request: %d of %d bytes: %w", n, len(request), err)
		}
	}
	return nil
}

// receive reads what has come on a connection.
func (p *poller) receive(c *polled) error {
	n, err := syscall.Read(c.fd, p.buf)
	switch {
	case errors.Is(err, syscall.EAGAIN):
		return nil
	case err != nil:
		return fmt.Errorf("receive an answer: %w", err)
	case n == 0 || c.due.IsZero():
		return fmt.Errorf("%w: the proxy ended a connection, or answered without a request", ErrAnswers)
	}
	got := p.buf[:n]
	if c.length < 0 {
		c.head = append(c.head, got...)
		length, rest, err := parseHead(c.head)
		if err != nil {
			return err
		}
		c.length, got = length, rest
	}
	if c.length >= 0 {
		c.length -= len(got)
		if c.length == 0 {
			p.record.answered(c.due, time.Now())
			p.done++
			p.free = append(p.free, c)
			c.due, c.head, c.length = time.Time{}, c.head[:0], -1
		}
	}
	return nil
}
