package eventloop

import (
	"container/heap"
	"sync"
	"time"
)

// deadlines are the connections whose time runs, by when they are to be looked at.
// A deadline that moves further away moves nothing here: a connection that answers
// request after request is looked at, and put back, every few seconds.
type deadlines struct {
	loop *Loop

	mu      sync.Mutex
	heap    byTime
	timer   *time.Timer
	due     int64 // when timer fires; 0 for not at all
	stopped bool
}

// need has the connection looked at by then.
func (d *deadlines) need(c *Conn, until int64) {
	if at := c.queued.Load(); at != 0 && at <= until {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if at := c.queued.Load(); c.closed() || at != 0 && at <= until { // for the other side, meanwhile
		return
	}
	d.put(c, until)
	d.set()
}

// put has the mutex.
func (d *deadlines) put(c *Conn, until int64) {
	c.queued.Store(until)
	if c.at > 0 {
		heap.Fix(&d.heap, c.at-1)
		return
	}
	heap.Push(&d.heap, c)
}

// set has the timer fire for the first. It has the mutex.
func (d *deadlines) set() {
	if len(d.heap) == 0 || d.stopped {
		return
	}
	first := d.heap[0].queued.Load()
	if d.due != 0 && d.due <= first {
		return
	}
	d.due = first
	in := time.Duration(first - (int64(time.Since(d.loop.started)) + 2))
	if d.timer == nil {
		d.timer = time.AfterFunc(in, d.fire)
		return
	}
	d.timer.Reset(in)
}

// fire ends the time of those whose time is over.
func (d *deadlines) fire() {
	now := int64(time.Since(d.loop.started)) + 2
	d.mu.Lock()
	defer d.mu.Unlock()
	d.due = 0
	for len(d.heap) > 0 && d.heap[0].queued.Load() <= now {
		c := d.heap[0]
		heap.Pop(&d.heap)
		// Whoever sets a deadline from here on finds the connection not queued.
		c.queued.Store(0)
		next := never
		for _, s := range [...]*side{&c.in, &c.out} {
			until, over := s.expire(now)
			if over && s.wake() {
				d.loop.workers.run(c.resumer)
			}
			if until > passed && (next == never || until < next) {
				next = until
			}
		}
		if next != never && !c.closed() {
			d.put(c, next)
		}
	}
	d.set()
}

// forget is for a connection that is closed.
func (d *deadlines) forget(c *Conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if c.at > 0 {
		heap.Remove(&d.heap, c.at-1)
	}
}

func (d *deadlines) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stopped = true
	if d.timer != nil {
		d.timer.Stop()
	}
}

// byTime implements heap.Interface.
type byTime []*Conn

func (h byTime) Len() int           { return len(h) }
func (h byTime) Less(i, j int) bool { return h[i].queued.Load() < h[j].queued.Load() }

func (h byTime) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].at, h[j].at = i+1, j+1
}

func (h *byTime) Push(x any) {
	c := x.(*Conn)
	*h = append(*h, c)
	c.at = len(*h)
}

func (h *byTime) Pop() any {
	last := len(*h) - 1
	c := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	c.at = 0
	return c
}
