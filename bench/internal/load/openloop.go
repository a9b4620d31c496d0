package load

import (
	"context"
	"sync"
	"time"
)

// openLoop sends requests at a constant rate, whether or not the earlier ones
// are answered. A latency counts from the time at which the request was to be
// sent: one that had to wait for a free connection, behind a proxy that
// stalls, has waited. Connections are bounded; all are made before the start.
type openLoop struct {
	target      Target
	rate        float64 // requests a second
	connections int
	duration    time.Duration
	// tick makes what ticks every period, at the start.
	tick func(period time.Duration) (ticker, error)
}

// ticker tells how many periods have passed since it was asked last, and waits
// if that is none.
type ticker interface {
	Wait() (periods int, err error)
	Close() error
}

// recorder collects what a load gives, from many goroutines.
type recorder struct {
	mu        sync.Mutex
	latencies []time.Duration
	errors    int64
	first     error
	last      time.Time
}

// answered records one request that was to be sent at a time.
func (r *recorder) answered(due, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.latencies = append(r.latencies, now.Sub(due))
	if now.After(r.last) {
		r.last = now
	}
}

// failed records one that was not answered as it must be.
func (r *recorder) failed(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errors++
	if r.first == nil {
		r.first = err
	}
}

// result is everything recorded. It sorts the latencies.
func (r *recorder) result(began time.Time) Result {
	r.mu.Lock()
	defer r.mu.Unlock()
	got := Result{Requests: int64(len(r.latencies)), Errors: r.errors}
	if !r.last.IsZero() {
		got.Took = r.last.Sub(began)
	}
	got.percentiles(r.latencies)
	return got
}

// due is when the request with a number, from 0, is to be sent.
func (o *openLoop) due(began time.Time, n int) time.Time {
	return began.Add(time.Duration(float64(n) * float64(time.Second) / o.rate))
}

// run sends requests until the duration is over, and waits for the answers.
func (o *openLoop) run(ctx context.Context) (Result, error) {
	clients := make([]*client, 0, o.connections)
	defer func() {
		for _, c := range clients {
			_ = c.conn.Close()
		}
	}()
	for range o.connections {
		c, err := o.target.dial(ctx)
		if err != nil {
			return Result{}, err
		}
		clients = append(clients, c)
	}
	total := int(o.rate * o.duration.Seconds())
	record := &recorder{latencies: make([]time.Duration, 0, total)}
	queue := make(chan time.Time, total)
	var workers sync.WaitGroup
	for i, c := range clients {
		workers.Go(func() { o.serve(ctx, c, i, queue, record) })
	}
	began := time.Now()
	err := o.schedule(ctx, began, total, queue)
	close(queue) // so that the workers end
	workers.Wait()
	if err == nil {
		err = record.first
	}
	return record.result(began), err
}

// schedule hands out the times at which requests are to be sent, each when it
// has come.
func (o *openLoop) schedule(ctx context.Context, began time.Time, total int, queue chan<- time.Time) error {
	ticker, err := o.tick(time.Duration(float64(time.Second) / o.rate))
	if err != nil {
		return err
	}
	defer ticker.Close()
	for sent := 0; sent < total; {
		n, err := ticker.Wait()
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		for ; n > 0 && sent < total; n-- {
			queue <- o.due(began, sent)
			sent++
		}
	}
	return nil
}

// serve sends requests over one connection, one at a time. It ends at the
// first error: the load as a whole has then failed.
func (o *openLoop) serve(ctx context.Context, c *client, i int, queue <-chan time.Time, record *recorder) {
	requests := o.target.requests()
	stop := context.AfterFunc(ctx, func() { _ = c.conn.Close() })
	defer stop()
	_ = c.conn.SetDeadline(time.Now().Add(o.duration + patience))
	var broken error
	for due := range queue {
		if broken == nil {
			broken = c.do(requests[i%len(requests)])
			i++
		}
		if broken != nil {
			record.failed(broken)
			continue
		}
		record.answered(due, time.Now())
	}
}
