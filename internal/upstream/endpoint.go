package upstream

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"time"

	"github.com/homeward/homeward/internal/eventloop"
	"github.com/homeward/homeward/internal/proxy/http1"
)

// downFor is how long an endpoint that refused a connection is tried last.
const downFor = 2 * time.Second

// endpoint is one gateway address.
type endpoint struct {
	address string
	loop    *eventloop.Loop // nil for none
	tls     *tls.Config     // nil for plain TCP
	http2   *shared         // nil when the gateway speaks HTTP/1.1
	stats   *Stats
	maxIdle int
	keepFor time.Duration
	now     func() time.Time

	mu        sync.Mutex
	stack     []*Conn // idle, the latest used last: LIFO lets the rest grow old and go
	downUntil time.Time
	retired   bool
}

func (e *endpoint) down() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.now().Before(e.downUntil)
}

// idle takes the connection used last that is still open.
func (e *endpoint) idle() *Conn {
	for {
		e.mu.Lock()
		last := len(e.stack) - 1
		if last < 0 {
			e.mu.Unlock()
			return nil
		}
		c := e.stack[last]
		e.stack[last] = nil
		e.stack = e.stack[:last]
		e.mu.Unlock()
		if e.now().Sub(c.since) < e.keepFor && c.silent() {
			return c
		}
		c.discard()
	}
}

// keep puts a connection back; false when there is no room for it.
func (e *endpoint) keep(c *Conn) bool {
	c.AllowRead(0)
	c.AllowWrite(0)
	c.Reader.Release()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.retired || len(e.stack) >= e.maxIdle {
		return false
	}
	c.since = e.now()
	e.stack = append(e.stack, c)
	return true
}

// open makes a connection for one exchange.
func (e *endpoint) open(ctx context.Context, timeout time.Duration) (*Conn, error) {
	nc, raw, err := e.dial(ctx, timeout)
	if err != nil {
		return nil, err
	}
	return &Conn{Conn: nc, Transport: raw, Reader: http1.NewReader(nc), endpoint: e}, nil
}

// dial connects, and counts what it opens; nc is raw, or TLS on it. A failure makes
// the endpoint one that is tried last.
func (e *endpoint) dial(ctx context.Context, timeout time.Duration) (nc net.Conn, raw eventloop.Transport, err error) {
	dialCtx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if raw, err = connect(dialCtx, e.loop, e.address); err == nil {
		nc = raw
		if e.tls != nil {
			nc, err = encrypt(dialCtx, raw, e.tls)
		}
	}
	if err != nil {
		if ctx.Err() == nil { // a client that left says nothing about the endpoint
			e.failed()
		}
		return nil, nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.downUntil = time.Time{}
	e.stats.opened.Add(1)
	e.stats.open.Add(1)
	return nc, raw, nil
}

func (e *endpoint) failed() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.downUntil = e.now().Add(downFor)
}

// expired takes the connections that were idle for too long.
func (e *endpoint) expired() []*Conn {
	e.mu.Lock()
	defer e.mu.Unlock()
	oldest, n := e.now().Add(-e.keepFor), 0
	for n < len(e.stack) && !e.stack[n].since.After(oldest) {
		n++
	}
	old := append([]*Conn(nil), e.stack[:n]...)
	kept := copy(e.stack, e.stack[n:])
	clear(e.stack[kept:])
	e.stack = e.stack[:kept]
	return old
}

// sweep closes the connections that were idle for too long.
func (e *endpoint) sweep() {
	for _, c := range e.expired() {
		c.discard()
	}
	if e.http2 != nil {
		for _, c := range e.http2.expired(e.now().Add(-e.keepFor)) {
			c.Retire()
		}
	}
}

func (e *endpoint) retire() []*Conn {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.retired = true
	idle := e.stack
	e.stack = nil
	return idle
}
