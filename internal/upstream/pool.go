package upstream

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Pool holds the connections of one lane to the gateways of one cell. It is safe for
// concurrent use.
type Pool struct {
	*Stats
	fleet *Fleet

	// mu is held for some comparisons and never while anything is waited for. It is
	// one for all addresses, so that who waits is served by whichever has something.
	mu        sync.Mutex
	seen      atomic.Pointer[roster] // that endpoints are of; stored under mu
	endpoints []*endpoint            // of the targets to be used, and then of the missing ones
	usable    int                    // how many are to be used
	turn      uint32
	reused    int64
	waiting   list.List // of *waiter
	retired   bool
}

// HTTP2 reports whether all gateways of the pool speak HTTP/2.
func (p *Pool) HTTP2() bool { return p.fleet.settings.Load().http2 }

// Get returns an idle connection that is still open, or room on one that
// exchanges share, or makes one. While all that there may be are in use it waits,
// for timeouts.pool_wait at most. The error wraps ErrUnavailable or ErrBusy, or is
// that of ctx. A reused connection costs no allocation.
func (p *Pool) Get(ctx context.Context) (Lease, error) {
	return p.lease(ctx, time.Time{}, attempt{})
}

// Fresh is Get for a request that failed on a kept connection: it counts on none
// that was there then. One of HTTP/2 that another such request had made since is as
// good as its own, or each would make one when a shared connection ends.
func (p *Pool) Fresh(ctx context.Context, failed *Lease) (Lease, error) {
	return p.lease(ctx, failed.taken, attempt{fresh: true})
}

// lease returns a connection; a shared one was made after a time.
func (p *Pool) lease(ctx context.Context, after time.Time, a attempt) (Lease, error) {
	now := p.fleet.now()
	var failures []error
	for {
		seen := p.adopt()
		c, found, w := p.find(&a)
		queued := found == full
		switch {
		case queued:
			var err error
			if c, err = p.wait(ctx, w, p.fleet.settings.Load().poolWait); err != nil {
				return Lease{}, err
			}
			now = p.fleet.now()
			if c.endpoint == nil {
				continue
			}
		case found == none && len(failures) == 0 && p.fleet.await(ctx, seen):
			continue
		case found == none:
			if ctx.Err() != nil {
				return Lease{}, ctx.Err()
			}
			return Lease{}, fmt.Errorf("%w: %w", ErrUnavailable, errors.Join(append(failures, errNoneLeft)...))
		}
		if c.conn != nil {
			if c.conn.usable(now, p.fleet.settings.Load().keepFor) {
				return Lease{Conn: c.conn, TLS: c.endpoint.target.gateway.tls != nil, Reused: true, target: c.endpoint.target, taken: now}, nil
			}
			if c = p.replace(c, queued); c.endpoint == nil {
				continue
			}
		}
		l, err := p.make(ctx, c, now, after)
		if err == nil {
			return l, nil
		}
		if ctx.Err() != nil {
			return Lease{}, ctx.Err()
		}
		if !errors.Is(err, ErrBusy) {
			p.failed.Add(1)
		}
		failures = append(failures, fmt.Errorf("%s: %w", c.endpoint.target.address, err))
		a.tried[a.tries] = c.endpoint.target
		a.tries++
	}
}

var errNoneLeft = errors.New("no address is left to try")

// find claims what there is for a request, or has it wait.
func (p *Pool) find(a *attempt) (c claim, found availability, w *waiter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting.Len() > 0 { // what has become free otherwise than by being given back
		p.serve()
	}
	if c, found = p.claim(a); found == full {
		w = p.enqueue(a)
	}
	return c, found, w
}

// adopt takes the roster of now. Connections to what is no longer in it are closed
// over some seconds.
func (p *Pool) adopt() *roster {
	now := p.fleet.roster.Load()
	if now == p.seen.Load() {
		return now
	}
	p.mu.Lock()
	steps := p.change(now)
	p.mu.Unlock()
	p.fleet.background.over(retireOver, steps)
	return now
}

// change makes the endpoints those of a roster, and returns what closes the
// connections of the others. p.mu is held.
func (p *Pool) change(now *roster) (steps []func()) {
	old := map[*target]*endpoint{}
	for _, e := range p.endpoints {
		old[e.target] = e
	}
	p.seen.Store(now)
	p.endpoints, p.usable = nil, len(now.targets)
	for _, list := range [][]*target{now.targets, now.missing} {
		for _, t := range list {
			e := old[t]
			if e == nil {
				e = &endpoint{target: t, pool: p}
				if t.gateway.http2 {
					e.http2 = newShared(t.gateway.write, p.fleet.log)
				}
			}
			delete(old, t)
			p.endpoints = append(p.endpoints, e)
		}
	}
	for _, e := range old {
		steps = append(steps, e.retire()...)
	}
	p.serve()
	return steps
}

// replace gives up a claim on a connection that has ended. The place of one that was
// waited for is that request's to make another in; else the claim that it returns
// has no endpoint.
func (p *Pool) replace(c claim, keepPlace bool) claim {
	c.conn.close()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reused--
	if keepPlace {
		c.endpoint.dialing++
		return claim{endpoint: c.endpoint}
	}
	c.endpoint.taken--
	p.serve()
	return claim{}
}

// make makes the connection that a claim gives leave to make, or takes room on a shared
// one.
func (p *Pool) make(ctx context.Context, c claim, now, after time.Time) (Lease, error) {
	e := c.endpoint
	if c.trial {
		defer e.target.tried()
	}
	s := p.fleet.settings.Load()
	l := Lease{TLS: e.target.gateway.tls != nil, target: e.target, taken: now}
	if e.http2 != nil {
		conn, made, err := e.http2.open(ctx, e, s, after)
		if err != nil {
			return Lease{}, err
		}
		l.HTTP2, l.Reused, l.taken = conn, !made, p.fleet.now()
		if l.Reused {
			p.mu.Lock()
			p.reused++
			p.mu.Unlock()
		}
		return l, nil
	}
	if c.surplus != nil {
		c.surplus.close()
	}
	var err error
	l.Conn, err = e.open(ctx, s.connect)
	p.mu.Lock()
	defer p.mu.Unlock()
	e.dialing--
	if err != nil {
		e.taken--
	}
	p.serve()
	return l, err
}

// keep puts a connection back, or gives it to who waits for one.
func (p *Pool) keep(c *Conn) {
	e, now := c.endpoint, p.fleet.now()
	p.mu.Lock()
	if p.retired || e.retired || len(e.stack) >= p.fleet.settings.Load().maxIdle && p.waiting.Len() == 0 {
		p.mu.Unlock()
		c.discard()
		return
	}
	c.since = now
	e.stack = append(e.stack, c)
	p.serve()
	p.mu.Unlock()
}

// vacate makes room for another connection.
func (p *Pool) vacate(e *endpoint) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e.taken--
	p.serve()
}

// reuses is the number of times that a request found a connection made before.
func (p *Pool) reuses() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reused
}

// sweep closes connections that were idle for too long.
func (p *Pool) sweep() {
	before := p.fleet.now().Add(-p.fleet.settings.Load().keepFor)
	p.adopt()
	p.mu.Lock()
	var steps []func()
	for _, e := range p.endpoints {
		for _, c := range e.expired(before) {
			steps = append(steps, c.discard)
		}
		if e.http2 != nil {
			for _, c := range e.http2.expired(before) {
				steps = append(steps, c.Retire)
			}
		}
	}
	p.mu.Unlock()
	for _, step := range steps {
		step()
	}
}

// retire stops the keeping of connections and closes idle ones over a window. A
// shared connection whose turn it is takes nothing new, and closes as its last
// exchange ends.
func (p *Pool) retire(window time.Duration) {
	p.Stats.remove(p)
	p.mu.Lock()
	p.retired = true
	var steps []func()
	for _, e := range p.endpoints {
		steps = append(steps, e.retire()...)
	}
	p.mu.Unlock()
	p.fleet.background.over(window, steps)
}
