package proxy

import (
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/homeward/homeward/internal/serve"
)

// lasting are the exchanges that have no end in sight: WebSockets and event
// streams. A drain ends them one by one over its window: left alone, they would
// all break at its end, and their clients all come back at that moment.
type lasting struct {
	mu    sync.Mutex
	ends  map[*transfer]func()
	until time.Time // the end of the window of the drain; zero before one
}

// add has end called, in a goroutine of its own, when it is the exchange's turn.
// The caller removes it when the exchange is over.
func (l *lasting) add(t *transfer, end func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ends == nil {
		l.ends = map[*transfer]func(){}
	}
	l.ends[t] = end
	if !l.until.IsZero() {
		left := max(1, time.Until(l.until))
		time.AfterFunc(rand.N(left), func() { l.end(t) }) //nolint:gosec // spreads load, guards nothing
	}
}

func (l *lasting) remove(t *transfer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.ends, t)
}

// end ends an exchange, unless it is over already.
func (l *lasting) end(t *transfer) {
	l.mu.Lock()
	end := l.ends[t]
	delete(l.ends, t)
	l.mu.Unlock()
	if end != nil {
		end()
	}
}

// drain ends all, spread evenly over the window, until ended closes.
func (l *lasting) drain(window time.Duration, ended <-chan struct{}) {
	l.mu.Lock()
	l.until = time.Now().Add(window)
	all := slices.Collect(maps.Keys(l.ends))
	l.mu.Unlock()
	serve.OverWindow(len(all), window, ended, func(i int) { l.end(all[i]) })
}
