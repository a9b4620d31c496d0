package http2client

import (
	"os"
	"sync"
	"time"
)

// side is one direction of a stream, for its callers to wait on. The mutex of
// the connection guards it.
type side struct {
	sync.Cond
	deadline time.Time   // zero for none
	timer    *time.Timer // wakes the waiting; runs only while somebody waits
}

// expired is the error of a call when the deadline has passed, nil before.
func (d *side) expired() error {
	if !d.deadline.IsZero() && time.Until(d.deadline) <= 0 {
		return os.ErrDeadlineExceeded
	}
	return nil
}

// await waits for a Broadcast or the deadline. The caller holds the mutex and
// looks at what it waits for, and at expired, before each call.
func (d *side) await() {
	if d.deadline.IsZero() {
		d.Wait()
		return
	}
	if left := time.Until(d.deadline); d.timer == nil {
		d.timer = time.AfterFunc(left, d.wake)
	} else {
		d.timer.Reset(left)
	}
	d.Wait()
	d.timer.Stop()
}

func (d *side) wake() {
	d.L.Lock()
	defer d.L.Unlock()
	d.Broadcast()
}

// set changes the deadline, also of a call that waits.
func (d *side) set(t time.Time) {
	d.L.Lock()
	defer d.L.Unlock()
	d.deadline = t
	d.Broadcast()
}
