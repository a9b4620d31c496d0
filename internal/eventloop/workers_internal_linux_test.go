package eventloop

import (
	"runtime"
	"sync"
	"testing"
	"time"
)

// work says that it has begun, and ends when it is let.
type work struct{ begun, let chan struct{} }

func (w work) Resume() { w.begun <- struct{}{}; <-w.let }

// rested waits until as many workers are idle.
func (ws *workers) rested(n int) {
	for {
		ws.mu.Lock()
		idle := len(ws.idle)
		ws.mu.Unlock()
		if idle == n {
			return
		}
		runtime.Gosched()
	}
}

// Workers that were not needed between two looks end, longest idle first; they are
// never handed anything then.
func TestWorkersNotNeeded(t *testing.T) {
	const many = 50
	var ws workers
	defer ws.stop()
	w := work{make(chan struct{}), make(chan struct{})}
	together := func(n int) {
		for range n {
			ws.run(w)
		}
		for range n {
			<-w.begun
		}
		for range n {
			w.let <- struct{}{}
		}
	}
	ws.trimmer = time.NewTimer(time.Hour) // in place of its own, so that only the test trims
	together(many)
	ws.rested(many)
	ws.trim() // none was idle all the time
	ws.rested(many)
	together(many / 2)
	ws.rested(many)
	ws.trim()
	ws.rested(many/2 + keptWorkers)
	ws.trim()
	ws.rested(keptWorkers)
	if ws.trimmer != nil {
		t.Error("those that are kept are looked at on and on")
	}
	together(many)
}

// Work that comes while workers end is done.
func TestWorkersTrimmedMeanwhile(t *testing.T) {
	const rounds, many = 200, 20
	var ws workers
	defer ws.stop()
	for range rounds {
		var done, all sync.WaitGroup
		done.Add(many)
		for range many {
			all.Go(func() { ws.run(finishes{&done}) })
		}
		all.Go(func() {
			ws.mu.Lock()
			on := ws.trimmer != nil
			ws.mu.Unlock()
			if on {
				ws.trim()
			}
		})
		all.Wait()
		done.Wait()
	}
}

type finishes struct{ *sync.WaitGroup }

func (f finishes) Resume() { f.Done() }
