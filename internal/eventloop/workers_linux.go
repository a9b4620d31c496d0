package eventloop

import (
	"slices"
	"sync"
	"time"
)

const (
	// trimEvery is how often idle workers are looked at that were not needed since.
	trimEvery = time.Second
	// keptWorkers is how many stay in any case.
	keptWorkers = 8
)

// workers are the goroutines that go on with connections that were parked. The
// last one used is used next: its stack is the right size and in the cache. Those
// that are not needed for a while end.
type workers struct {
	mu      sync.Mutex
	idle    []*worker
	least   int // of idle since they were looked at
	trimmer *time.Timer
	stopped bool
	all     sync.WaitGroup
}

type worker struct{ work chan Resumer }

// run goes on with a connection, in a goroutine of its own.
func (ws *workers) run(r Resumer) {
	ws.mu.Lock()
	if n := len(ws.idle) - 1; n >= 0 {
		w := ws.idle[n]
		ws.idle[n] = nil
		ws.idle = ws.idle[:n]
		ws.least = min(ws.least, n)
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
	if ws.stopped {
		return false
	}
	ws.idle = append(ws.idle, w)
	if len(ws.idle) > keptWorkers && ws.trimmer == nil {
		ws.least = len(ws.idle)
		ws.trimmer = time.AfterFunc(trimEvery, ws.trim)
	}
	return true
}

// trim ends the workers that were idle since the last look, longest idle first.
func (ws *workers) trim() {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	end(ws.idle[:max(0, ws.least-keptWorkers)])
	ws.idle = slices.Delete(ws.idle, 0, max(0, ws.least-keptWorkers))
	ws.least = len(ws.idle)
	if ws.stopped || len(ws.idle) <= keptWorkers {
		ws.trimmer = nil
		return
	}
	ws.trimmer.Reset(trimEvery)
}

// end ends idle workers: one that is handed nothing is not to go on.
func end(idle []*worker) {
	for _, w := range idle {
		close(w.work)
	}
}

// stop ends the idle workers, and waits for the busy ones.
func (ws *workers) stop() {
	ws.mu.Lock()
	ws.stopped = true
	end(ws.idle)
	ws.idle, ws.least = nil, 0
	if ws.trimmer != nil {
		ws.trimmer.Stop()
	}
	ws.mu.Unlock()
	ws.all.Wait()
}
