package proxy

import (
	"sync"
	"time"
)

// patience bounds the time of one call at a time that waits for the client of
// an HTTP/2 stream. The library's own deadlines do not serve: they go on between
// two calls, while the cell is waited for, and setting one is a message to
// another goroutine. One goroutine makes the calls.
type patience struct {
	limit  time.Duration
	giveUp func() // makes the call in progress fail

	mu    sync.Mutex // guards what follows
	timer *time.Timer
	since time.Time // when the call in progress began; zero when there is none
	over  bool      // giveUp was called
}

// begin stands before a call.
func (p *patience) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.since = time.Now()
	if p.timer == nil {
		p.timer = time.AfterFunc(p.limit, p.expire)
	} else {
		p.timer.Reset(p.limit)
	}
}

// end stands behind it and reports whether it took too long. When it returns,
// giveUp is not running and will not be called before the next begin.
func (p *patience) end() (over bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.since = time.Time{}
	p.timer.Stop()
	return p.over
}

// expire may come late, for a call that has ended, while another is in progress.
func (p *patience) expire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.over && !p.since.IsZero() && time.Since(p.since) >= p.limit {
		p.over = true
		p.giveUp()
	}
}
