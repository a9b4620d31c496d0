package upstream

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"time"

	"github.com/homeward/homeward/internal/proxy/http1"
)

// downFor is how long an endpoint that refused a connection is tried last.
const downFor = 2 * time.Second

// endpoint is one gateway address.
type endpoint struct {
	address string
	tls     *tls.Config // nil for plain TCP
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
			c.Reused = true
			return c
		}
		c.discard()
	}
}

// keep puts a connection back; false when there is no room for it.
func (e *endpoint) keep(c *Conn) bool {
	if c.SetDeadline(time.Time{}) != nil {
		return false
	}
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

func (e *endpoint) dial(ctx context.Context, timeout time.Duration) (*Conn, error) {
	dialCtx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var d net.Dialer
	raw, err := d.DialContext(dialCtx, "tcp", e.address)
	if err == nil && e.tls != nil {
		raw, err = tlsHandshake(dialCtx, raw, e.tls)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if err != nil {
		if ctx.Err() == nil { // a client that left says nothing about the endpoint
			e.downUntil = e.now().Add(downFor)
		}
		return nil, err
	}
	e.downUntil = time.Time{}
	e.stats.opened.Add(1)
	e.stats.open.Add(1)
	return &Conn{Conn: raw, Reader: http1.NewReader(raw), endpoint: e}, nil
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

func (e *endpoint) retire() []*Conn {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.retired = true
	idle := e.stack
	e.stack = nil
	return idle
}
