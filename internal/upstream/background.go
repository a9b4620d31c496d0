package upstream

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// background runs what no request waits for. It is safe for concurrent use.
type background struct {
	ctx    context.Context // ends with close
	cancel context.CancelFunc
	stop   <-chan struct{}

	mu     sync.Mutex
	closed bool
	all    sync.WaitGroup // Add only while not closed
}

func newBackground() *background {
	b := &background{}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	b.stop = b.ctx.Done()
	return b
}

// run calls f in a goroutine of its own; false when it is too late for that.
func (b *background) run(f func()) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	b.all.Go(f)
	return true
}

// close ends what runs and waits for it.
func (b *background) close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.cancel()
	b.all.Wait()
}

// over takes the steps one by one over a window, the rest of them at once when
// there is no time left.
func (b *background) over(window time.Duration, steps []func()) {
	if len(steps) == 0 {
		return
	}
	all := func() {
		for i, step := range steps {
			if i > 0 {
				select {
				case <-b.stop:
				case <-time.After(window / time.Duration(len(steps))):
				}
			}
			step()
		}
	}
	if !b.run(all) {
		all()
	}
}

// chore is work that comes again and again. Between two times it is only a timer.
type chore struct {
	in   *background
	work func(context.Context) (next time.Duration) // negative: it is done

	mu      sync.Mutex
	timer   *time.Timer
	stopped bool
}

// every starts a chore whose first time comes after a while.
func (b *background) every(first time.Duration, work func(context.Context) time.Duration) *chore {
	c := &chore{in: b, work: work}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timer = time.AfterFunc(first, c.turn)
	return c
}

func (c *chore) turn() {
	c.in.run(func() {
		next := c.work(c.in.ctx)
		c.mu.Lock()
		defer c.mu.Unlock()
		if !c.stopped && next >= 0 {
			c.timer.Reset(next)
		}
	})
}

// stop lets no further time come. It does not wait for one that has begun. A nil
// chore takes it.
func (c *chore) stop() {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
	c.timer.Stop()
}

// jittered is d give or take a quarter, so that what began together spreads.
func jittered(d time.Duration) time.Duration {
	return d*3/4 + rand.N(d/2+1)
}
