package upstream

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// condition is how an address is to be used. The lower comes first.
type condition uint32

const (
	up      condition = iota
	sick              // probes fail; connections can be made
	refused           // connections fail, or end before an answer
	conditions
)

const (
	// firstPause is how long an address that failed is tried last, at the first
	// time; each further one doubles it.
	firstPause = 2 * time.Second
	longPause  = 30 * time.Second
	// maxTrials bounds the requests that try an address at once which has failed,
	// when there is none that has not. Others are told at once.
	maxTrials = 4
	// maxBroken is how many new connections in a row may end before an answer, until
	// their address counts as failed. One is no proof: requests can make a gateway
	// end a connection.
	maxBroken = 5
)

// target is one address of a gateway, with what is known of its health. All lanes
// share it. It is safe for concurrent use.
type target struct {
	gateway *gateway
	address string // host and port

	state   atomic.Uint32 // bits that condition reads
	trials  atomic.Int32
	trouble atomic.Bool // strikes or broken are not 0

	mu      sync.Mutex
	strikes int // times in a row that it failed without an answer in between
	broken  int
	retry   *chore // nil while it has not failed
	probe   *chore // nil while it is not probed
	good    int    // probes in a row
	bad     int
	retired bool
}

const (
	refusedBit = 1 << iota
	sickBit
)

// condition is how it is to be used now.
func (t *target) condition() condition {
	switch s := t.state.Load(); {
	case s&refusedBit != 0:
		return refused
	case s&sickBit != 0:
		return sick
	}
	return up
}

// set sets or clears a bit of the state. mu is held.
func (t *target) set(bit uint32, on bool) {
	s := t.state.Load() &^ bit
	if on {
		s |= bit
	}
	t.state.Store(s)
}

// failed makes the address one that is tried last, until a connection can be
// made again: in the background, or by one of the requests that find no other.
func (t *target) failed() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failedLocked()
}

func (t *target) failedLocked() {
	if t.retry != nil || t.retired {
		return
	}
	t.strikes++
	t.trouble.Store(true)
	t.set(refusedBit, true)
	t.retry = t.gateway.background.every(pause(t.strikes), t.tryAgain)
}

// pause is how long an address is left alone that failed so often in a row.
func pause(strikes int) time.Duration {
	d := firstPause
	for i := 1; i < strikes && d < longPause; i++ {
		d *= 2
	}
	return jittered(min(d, longPause))
}

// tryAgain connects, so that no request need do so to an address that may be gone.
func (t *target) tryAgain(ctx context.Context) time.Duration {
	err := t.gateway.connect(ctx, t.address)
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil || t.retired {
		t.recoverLocked()
		return -1
	}
	t.strikes++
	return pause(t.strikes)
}

// connected notes that a connection was made.
func (t *target) connected() {
	if t.state.Load()&refusedBit == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.recoverLocked()
}

func (t *target) recoverLocked() {
	t.retry.stop()
	t.retry = nil
	t.set(refusedBit, false)
}

// answered notes that a request got an answer. What was held against the address
// before is forgotten; that connections can be made is no reason for it yet.
func (t *target) answered() {
	if !t.trouble.Load() {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.broken = 0
	if t.retry == nil {
		t.strikes = 0
		t.trouble.Store(false)
	}
}

// broke notes that a new connection ended before an answer.
func (t *target) broke() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.trouble.Store(true)
	if t.broken++; t.broken >= maxBroken {
		t.broken = 0
		t.failedLocked()
	}
}

// try takes one of the few places for requests that try a failed address.
func (t *target) try() bool {
	if t.trials.Add(1) > maxTrials {
		t.trials.Add(-1)
		return false
	}
	return true
}

// tried gives the place back.
func (t *target) tried() { t.trials.Add(-1) }

// retire ends what goes on in the background for an address that is gone.
func (t *target) retire() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.retired = true
	t.retry.stop()
	t.probe.stop()
	t.retry, t.probe = nil, nil
}
