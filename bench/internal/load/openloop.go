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

// total is the requests that are sent.
func (o *openLoop) total() int { return int(o.rate * o.duration.Seconds()) }

// period is the time from one request to the next.
func (o *openLoop) period() time.Duration { return time.Duration(float64(time.Second) / o.rate) }

// due is when the request with a number, from 0, is to be sent.
func (o *openLoop) due(began time.Time, n int) time.Time {
	return began.Add(time.Duration(float64(n+1) * float64(time.Second) / o.rate))
}

// dial opens all connections.
func (o *openLoop) dial(ctx context.Context) (clients []*client, closeAll func(), err error) {
	closeAll = func() {
		for _, c := range clients {
			_ = c.conn.Close()
		}
	}
	for range o.connections {
		c, err := o.target.dial(ctx)
		if err != nil {
			closeAll()
			return nil, nil, err
		}
		clients = append(clients, c)
	}
	return clients, closeAll, nil
}

// run sends requests until the duration is over, and waits for the answers.
// Each connection has a goroutine.
func (o *openLoop) run(ctx context.Context) (Result, error) {
	clients, closeAll, err := o.dial(ctx)
	if err != nil {
		return Result{}, err
	}
	defer closeAll()
	record := &recorder{latencies: make([]time.Duration, 0, o.total())}
	queue := make(chan time.Time, o.total())
	var workers sync.WaitGroup
	for i, c := range clients {
		workers.Go(func() { o.serve(ctx, c, i, queue, record) })
	}
	began := time.Now()
	err = o.schedule(ctx, began, queue)
	close(queue) // so that the workers end
	workers.Wait()
	if err != nil {
		return Result{}, err
	}
	return record.result(began)
}

// schedule hands out the times at which requests are to be sent, each when it
// has come.
func (o *openLoop) schedule(ctx context.Context, began time.Time, queue chan<- time.Time) error {
	ticker, err := o.tick(o.period())
	if err != nil {
		return err
	}
	defer ticker.Close()
	for sent := 0; sent < o.total(); {
		n, err := ticker.Wait()
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		for ; n > 0 && sent < o.total(); n-- {
			queue <- o.due(began, sent)
			sent++
		}
	}
	return nil
}

// serve sends requests over one connection, one at a time, to the first error.
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
