//go:build !linux

package load

import (
	"context"
	"time"
)

// timer is a ticker that is as exact as timers of the runtime are.
type timer struct {
	period time.Duration
	next   time.Time
}

// newTimer ticks every period from now on.
func newTimer(period time.Duration) (ticker, error) {
	return &timer{period, time.Now().Add(period)}, nil
}

// Wait is the periods that have passed since the last call, at least one.
func (t *timer) Wait() (int, error) {
	time.Sleep(time.Until(t.next))
	n := 1 + int(time.Since(t.next)/t.period)
	t.next = t.next.Add(time.Duration(n) * t.period)
	return n, nil
}

// Close does nothing.
func (t *timer) Close() error { return nil }

// poll is run: without epoll, plain connections have goroutines too.
func (o *openLoop) poll(ctx context.Context) (Result, error) { return o.run(ctx) }
