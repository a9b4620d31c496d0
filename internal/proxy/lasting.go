package proxy

import (
	"math/rand/v2"
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
	start := time.Now()
	l.mu.Lock()
	l.until = start.Add(window)
	all := make([]*transfer, 0, len(l.ends))
	for t := range l.ends {
		all = append(all, t)
	}
	l.mu.Unlock()
	random := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())) //nolint:gosec // likewise
	next := 0
	for delay := range serve.Spread(len(all), window, random) {
		select {
		case <-ended:
			return
		case <-time.After(time.Until(start.Add(delay))):
		}
		l.end(all[next])
		next++
	}
}
