package eventloop

import (
	"math"
	"os"
	"sync/atomic"
	"time"
)

// side is one direction of a connection: whether it is ready, who waits for that,
// and until when. One goroutine at a time reads, and one writes.
type side struct {
	state atomic.Uint32
	// called holds the one call that ends a wait. It is made for the first, before the
	// state is waiting: most clients' connections never have one.
	called chan struct{}
	// until is when waiting ends, on the loop's clock, or never, or passed. Below
	// never it is how long waiting may last, from the first wait since it was set:
	// one word, as whoever sets another must not meet a half of this one.
	until atomic.Int64
	// patience is how long waiting may last at a time, for renew; 0 when that is not
	// limited so.
	patience atomic.Int64
}

// The states of a side.
const (
	notReady uint32 = iota
	ready
	waiting // a goroutine does
	parked  // none does: the connection's Resumer is to be called
)

// The values of until that are no time.
const (
	never  int64 = 0
	passed int64 = 1
)

// wait returns when the side may be ready, or the reason why it will not be.
func (s *side) wait(c *Conn) error {
	if s.called == nil {
		s.called = make(chan struct{}, 1)
	}
	for {
		if !s.state.CompareAndSwap(notReady, waiting) {
			return nil // ready meanwhile
		}
		s.arm(c) // whoever changes the patience looks for a waiter after that
		// Whoever ends the connection or its time does so first, and calls then.
		if s.until.Load() == passed || c.closed() {
			if !s.state.CompareAndSwap(waiting, notReady) {
				<-s.called
			}
			return c.why(s)
		}
		<-s.called
		if s.until.Load() == passed || c.closed() {
			return c.why(s)
		}
		if s.state.Load() == ready {
			return nil
		}
	}
}

// arm makes the time run that a wait may last.
func (s *side) arm(c *Conn) {
	until := s.until.Load()
	for until < never {
		begun := later(c.loop.now(), -until)
		if s.until.CompareAndSwap(until, begun) {
			until = begun
			break
		}
		until = s.until.Load()
	}
	if until > passed {
		c.loop.deadlines.need(c, until)
	}
}

// later is a time on a loop's clock some nanoseconds after another, or the last
// that there is.
func later(time, d int64) int64 {
	if d > math.MaxInt64-time {
		return math.MaxInt64
	}
	return time + d
}

// makeReady calls whoever waits. It reports whether the connection was parked.
func (s *side) makeReady() (resume bool) {
	switch s.state.Swap(ready) {
	case parked:
		return true
	case waiting:
		s.called <- struct{}{}
	}
	return false
}

// wake calls whoever waits, who finds out why. It reports whether the connection
// was parked.
func (s *side) wake() (resume bool) {
	if s.state.CompareAndSwap(waiting, notReady) {
		s.called <- struct{}{}
		return false
	}
	return s.state.CompareAndSwap(parked, notReady)
}

// expire ends the time of a side if it is over by now, and returns when it
// otherwise will be.
func (s *side) expire(now int64) (next int64, over bool) {
	for {
		until := s.until.Load()
		if until <= passed || until > now {
			return until, false
		}
		if s.until.CompareAndSwap(until, passed) {
			return never, true
		}
	}
}

// setUntil is how a deadline of package net is set.
func (s *side) setUntil(c *Conn, t time.Time) {
	until := never
	if !t.IsZero() {
		until = max(passed, later(2, int64(t.Sub(c.loop.started))))
		if until <= c.loop.now() {
			until = passed
		}
	}
	s.setPatience(0)
	s.until.Store(until)
	switch {
	case until == passed:
		if s.wake() {
			c.loop.workers.run(c.resumer)
		}
	case until > passed:
		c.loop.deadlines.need(c, until)
	}
}

// allow sets a patience, also for a wait in progress.
func (s *side) allow(c *Conn, d time.Duration) {
	patience := max(int64(d), 0)
	s.setPatience(patience)
	s.until.Store(-patience)
	if state := s.state.Load(); state == waiting || state == parked {
		s.arm(c)
	}
}

func (s *side) setPatience(d int64) {
	if s.patience.Load() != d { // mostly it is
		s.patience.Store(d)
	}
}

// renew begins the patience anew: something has moved.
func (s *side) renew() {
	if until, d := s.until.Load(), s.patience.Load(); until > passed && d > 0 {
		s.until.CompareAndSwap(until, -d) // unless another was set meanwhile
	}
}

// why is the error of a wait that is over without the side being ready.
func (c *Conn) why(s *side) error {
	if c.closed() {
		return errClosed
	}
	if s.until.Load() == passed {
		return os.ErrDeadlineExceeded
	}
	return nil
}
