package proxy

import (
	"errors"
	"io"
	"sync"
	"time"

	"github.com/homeward/homeward/internal/proxy/http1"
)

// watchAfter is how long an answer is waited for before the client is watched by
// a goroutine: most answers come sooner, and spare it. An event loop that waits for
// the client spares it altogether, until the client sends something or leaves.
const watchAfter = 10 * time.Millisecond

// watch watches the client of one request while its answer is waited for. A client
// that ends its side of the connection may still read, for as long as its answer
// goes on. One that sends its next requests already is watched until there is no
// room for more.
type watch struct {
	conn       *conn
	gone       func()
	halfClosed time.Duration
	timer      *time.Timer // runs it; nil when the event loop does
	done       sync.WaitGroup

	mu      sync.Mutex
	stopped bool
	grace   *time.Timer // runs once the client has ended its side
	writes  int64       // of the connection, when grace was set
}

// Watch implements Watcher.
func (w *watch) Watch(gone func()) {
	c := w.conn
	w.gone, w.halfClosed, w.stopped = gone, c.server.proxy.State().Timeouts.HalfClosed.Std(), false
	w.done.Add(1)
	if loop := c.client.loop; loop != nil && !loop.Pending() {
		loop.AllowRead(0)
		loop.Park(w)
		return
	}
	w.timer = time.AfterFunc(watchAfter, w.Resume)
}

// Unwatch implements Watcher.
func (w *watch) Unwatch() {
	switch {
	case w.timer == nil:
		if w.conn.client.loop.Unpark() {
			w.done.Done()
			return
		}
	case w.timer.Stop():
		w.timer = nil
		w.done.Done()
		return
	}
	w.end()
	w.timer = nil
}

// Resume implements eventloop.Resumer.
func (w *watch) Resume() {
	defer w.done.Done()
	w.mu.Lock()
	if w.stopped {
		w.mu.Unlock()
		return
	}
	w.conn.client.AllowRead(0)
	w.mu.Unlock()
	var err error
	for err == nil {
		err = w.conn.reader.AwaitMore()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.stopped, errors.Is(err, http1.ErrTooLarge), http1.IsTimeout(err): // a time that was another's
	case errors.Is(err, io.EOF):
		w.writes = w.conn.writes.Load()
		w.done.Add(1) // what has begun to run when it is stopped is waited for: another request has the watch then
		w.grace = time.AfterFunc(w.halfClosed, w.expire)
	default:
		w.gone()
	}
}

func (w *watch) expire() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if writes := w.conn.writes.Load(); !w.stopped && (writes != w.writes || writes%2 == 1) {
		w.writes = writes
		w.grace.Reset(w.halfClosed)
		return
	}
	defer w.done.Done()
	if !w.stopped {
		w.gone()
	}
}

func (w *watch) end() {
	w.mu.Lock()
	w.stopped = true
	if w.grace != nil && w.grace.Stop() {
		w.done.Done()
	}
	w.grace = nil
	_ = w.conn.client.SetReadDeadline(time.Unix(1, 0))
	w.mu.Unlock()
	w.done.Wait()
}
