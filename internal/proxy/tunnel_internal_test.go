package proxy

import "testing"

// interruptible counts how often it was interrupted.
type interruptible struct {
	Tunnel
	interrupted int
}

func (i *interruptible) Interrupt() { i.interrupted++ }

// A tunnel's timer, or the end that a drain makes of it, may come just when the
// tunnel has ended: then the memory of its request is another's.
func TestTunnelExpiresAfterItsEnd(t *testing.T) {
	s := &session{}
	ours, others := &interruptible{}, &interruptible{}
	s.in.Tunnel = ours
	u := &upward{t: &transfer{x: &exchange{in: &s.in}, hop: &http1Hop{released: true}}, in: ours}
	s.in = Inbound{}
	u.expire()
	s.in.Tunnel = others
	u.expire()
	if ours.interrupted != 2 || others.interrupted != 0 {
		t.Errorf("interrupted: its own %d times, another's %d", ours.interrupted, others.interrupted)
	}
}
