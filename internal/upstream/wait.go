package upstream

import (
	"container/list"
	"context"
	"time"
)

// waiter is a request for which there was nothing. Those that wait are served in
// the order in which they came.
type waiter struct {
	attempt attempt
	served  chan claim // gets one, without an endpoint if it is to look again
	place   *list.Element
}

// enqueue has the request wait. p.mu is held.
func (p *Pool) enqueue(a *attempt) *waiter {
	p.waited.Add(1)
	w := &waiter{attempt: *a, served: make(chan claim, 1)}
	w.place = p.waiting.PushBack(w)
	return w
}

// serve gives what has become free to those who wait longest. Where nothing can
// be expected any more, all of them look again, and learn it. p.mu is held.
func (p *Pool) serve() {
	for p.waiting.Len() > 0 {
		w := p.waiting.Front().Value.(*waiter)
		c, found := p.claim(&w.attempt)
		if found == full {
			return
		}
		p.waiting.Remove(w.place)
		w.place = nil
		w.served <- c
	}
}

// wait returns what becomes free for a request, ErrBusy when it takes too long, or
// the error of ctx. A claim without an endpoint says to look again.
func (p *Pool) wait(ctx context.Context, w *waiter, patience time.Duration) (claim, error) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	var err error
	select {
	case c := <-w.served:
		return c, nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-timer.C:
		err = ErrBusy
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if w.place != nil {
		p.waiting.Remove(w.place)
		return claim{}, err
	}
	c := <-w.served // it came at the same moment
	if ctx.Err() == nil {
		return c, nil
	}
	p.renounce(c)
	return claim{}, err
}

// renounce gives back what nobody uses. p.mu is held.
func (p *Pool) renounce(c claim) {
	if c.endpoint == nil {
		return
	}
	if c.trial {
		c.endpoint.target.tried()
	}
	switch {
	case c.conn != nil:
		p.reused--
		c.endpoint.stack = append(c.endpoint.stack, c.conn)
	case c.endpoint.http2 == nil:
		c.endpoint.dialing--
		c.endpoint.taken--
		if c.surplus != nil {
			c.endpoint.taken++
			c.endpoint.stack = append(c.endpoint.stack, c.surplus)
		}
	}
	p.serve()
}
