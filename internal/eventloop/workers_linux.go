package eventloop

import "sync"

// maxIdleWorkers bounds the goroutines that are kept for the next connection: the
// rest end.
const maxIdleWorkers = 1024

// workers are the goroutines that go on with connections that were parked. The
// last one used is used next: its stack is the right size and in the cache.
type workers struct {
	mu      sync.Mutex
	idle    []*worker
	stopped bool
	all     sync.WaitGroup
}

type worker struct{ work chan Resumer }

// run goes on with a connection, in a goroutine of its own.
func (ws *workers) run(r Resumer) {
	ws.mu.Lock()
	if n := len(ws.idle); n > 0 {
		w := ws.idle[n-1]
		ws.idle = ws.idle[:n-1]
		ws.mu.Unlock()
		w.work <- r
		return
	}
	ws.all.Add(1)
	ws.mu.Unlock()
	go ws.serve(&worker{work: make(chan Resumer, 1)}, r)
}

func (ws *workers) serve(w *worker, r Resumer) {
	defer ws.all.Done()
	for r != nil {
		r.Resume()
		r = nil
		if ws.rest(w) {
			r = <-w.work
		}
	}
}

// rest reports whether the worker is kept.
func (ws *workers) rest(w *worker) bool {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.stopped || len(ws.idle) >= maxIdleWorkers {
		return false
	}
	ws.idle = append(ws.idle, w)
	return true
}

// stop ends the idle workers, and waits for the busy ones.
func (ws *workers) stop() {
	ws.mu.Lock()
	ws.stopped = true
	idle := ws.idle
	ws.idle = nil
	ws.mu.Unlock()
	for _, w := range idle {
		close(w.work)
	}
	ws.all.Wait()
}
