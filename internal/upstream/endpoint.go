package upstream

import (
	"context"
	"errors"
	"net"
	"syscall"
	"time"

	"github.com/homeward/homeward/internal/eventloop"
)

// maxDials is how many connections a pool makes to one address at once. Who comes
// while there are as many takes the next that becomes free, made or used: a burst of
// requests is no burst of connections.
const maxDials = 256

// endpoint is what a pool has at one address. All but target, pool and http2 are
// guarded by the pool's mutex.
type endpoint struct {
	target *target
	pool   *Pool
	http2  *shared // nil when the gateway speaks HTTP/1.1

	stack   []*Conn // idle, the latest used last: LIFO lets the rest grow old and go
	taken   int     // connections, idle ones and those in the making included
	dialing int
	retired bool // the address is gone
}

// busy is the number of exchanges under way.
func (e *endpoint) busy() int {
	if e.http2 != nil {
		return e.http2.busy()
	}
	return e.taken - len(e.stack)
}

// pop takes the connection used last.
func (e *endpoint) pop() *Conn {
	last := len(e.stack) - 1
	c := e.stack[last]
	e.stack[last] = nil
	e.stack = e.stack[:last]
	return c
}

// shift takes the connection that was idle longest.
func (e *endpoint) shift() *Conn {
	c := e.stack[0]
	kept := copy(e.stack, e.stack[1:])
	e.stack[kept] = nil
	e.stack = e.stack[:kept]
	return c
}

// open makes a connection for one exchange.
func (e *endpoint) open(ctx context.Context, timeout time.Duration) (*Conn, error) {
	nc, raw, err := e.dial(ctx, timeout)
	if err != nil {
		return nil, err
	}
	return &Conn{Conn: nc, Transport: raw, Reader: e.pool.fleet.buffers.LargeReader(nc), endpoint: e}, nil
}

// dial connects, and counts what it opens; nc is raw, or TLS on it. A failure makes
// the address one that is tried last.
func (e *endpoint) dial(ctx context.Context, timeout time.Duration) (nc net.Conn, raw eventloop.Transport, err error) {
	dialCtx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if raw, err = connect(dialCtx, e.pool.fleet.loop, e.target.address); err == nil {
		nc = raw
		if config := e.target.gateway.tls; config != nil {
			nc, err = encrypt(dialCtx, raw, config)
		}
	}
	if err != nil {
		if ctx.Err() == nil && !short(err) { // a client that left says nothing about the endpoint
			e.target.failed()
		}
		return nil, nil, err
	}
	e.target.connected()
	e.pool.opened.Add(1)
	e.pool.open.Add(1)
	return nc, raw, nil
}

// short reports whether an error tells of something that this machine or process is
// short of, and not of who was to be connected to.
func short(err error) bool {
	for _, errno := range [...]syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ENOSPC, syscall.EADDRNOTAVAIL} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

// expired takes the connections that were idle since before a time. The pool's mutex
// is held.
func (e *endpoint) expired(before time.Time) []*Conn {
	n := 0
	for n < len(e.stack) && !e.stack[n].since.After(before) {
		n++
	}
	old := append([]*Conn(nil), e.stack[:n]...)
	kept := copy(e.stack, e.stack[n:])
	clear(e.stack[kept:])
	e.stack = e.stack[:kept]
	return old
}

// retire takes all idle connections and lets no other be kept; shared ones get no
// further exchange when their step is taken. The pool's mutex is held.
func (e *endpoint) retire() (steps []func()) {
	e.retired = true
	for _, c := range e.stack {
		steps = append(steps, c.discard)
	}
	e.stack = nil
	if e.http2 != nil {
		for _, c := range e.http2.retire() {
			steps = append(steps, c.Retire)
		}
	}
	return steps
}
