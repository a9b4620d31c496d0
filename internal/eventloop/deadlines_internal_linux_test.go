package eventloop

import (
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// inert is a loop and a connection in it that has a peer.
func inert(t *testing.T) *Conn {
	t.Helper()
	l, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	c, _ := fed(t, l)
	return c
}

// Both sides of a connection may need a look at the same moment: the earlier
// time holds, whichever gets the mutex last.
func TestTheEarlierOfTwoDeadlinesHolds(t *testing.T) {
	c := inert(t)
	near, far := c.loop.now()+int64(time.Hour), c.loop.now()+int64(2*time.Hour)
	for range 20000 {
		var both sync.WaitGroup
		both.Go(func() { c.loop.deadlines.need(c, far) })
		both.Go(func() { c.loop.deadlines.need(c, near) })
		both.Wait()
		if c.queued.Load() != near {
			t.Fatal("the later deadline took the place of the earlier one")
		}
		c.loop.deadlines.forget(c)
		c.queued.Store(0)
	}
}

// Whoever changes the patience of a wait that begins at the same moment is heard:
// no part of the patience from before stays.
func TestPatienceSetAsAWaitBegins(t *testing.T) {
	c := inert(t)
	for range 20000 {
		c.in.allow(c, time.Hour)
		c.in.state.Store(parked) // so that both arm
		var both sync.WaitGroup
		both.Go(func() { c.in.arm(c) })
		both.Go(func() { c.in.allow(c, 0) })
		both.Wait()
		if until := c.in.until.Load(); until != never {
			t.Fatalf("a patience that was lifted holds: %d", until)
		}
		c.in.state.Store(notReady)
	}
}

type counted struct{ atomic.Int64 }

func (c *counted) Resume() { c.Add(1) }

// A patience that is set as the connection is being parked runs, whichever comes first.
func TestPatienceSetAsTheConnectionIsParked(t *testing.T) {
	c := inert(t)
	c.in.state.CompareAndSwap(ready, notReady)
	var never counted
	for range 20000 {
		c.in.allow(c, 0)
		var both sync.WaitGroup
		both.Go(func() { c.Park(&never) })
		both.Go(func() { c.AllowRead(time.Hour) })
		both.Wait()
		if until := c.in.until.Load(); until <= passed || c.queued.Load() == 0 {
			t.Fatalf("the time does not run: %d", until)
		}
		if !c.Unpark() {
			t.Fatal("it was resumed")
		}
	}
	if n := never.Load(); n != 0 {
		t.Errorf("resumed %d times", n)
	}
}

// Times that the clock cannot hold are as far away as it can.
func TestDeadlinesFarAway(t *testing.T) {
	c := inert(t)
	for name, set := range map[string]func(){
		"deadline":          func() { _ = c.SetReadDeadline(time.Unix(1<<40, 0)) },
		"the last":          func() { _ = c.SetReadDeadline(c.loop.started.Add(math.MaxInt64)) },
		"patience":          func() { c.AllowRead(math.MaxInt64); c.in.arm(c) },
		"patience of years": func() { c.AllowRead(math.MaxInt64 - 1<<40); c.in.arm(c) },
	} {
		set()
		if until := c.in.until.Load(); until < int64(time.Hour) {
			t.Errorf("%s: it ends at %d", name, until)
		}
	}
	for name, set := range map[string]func(){
		"past":             func() { _ = c.SetReadDeadline(time.Unix(-1<<40, 0)) },
		"before the clock": func() { _ = c.SetReadDeadline(c.loop.started.Add(-1)) },
		"its start":        func() { _ = c.SetReadDeadline(c.loop.started) },
	} {
		c.AllowRead(0)
		set()
		if until := c.in.until.Load(); until != passed {
			t.Errorf("%s: it ends at %d", name, until)
		}
	}
	for _, d := range []time.Duration{0, -1, math.MinInt64} {
		c.AllowRead(d)
		c.in.arm(c)
		if until := c.in.until.Load(); until != never {
			t.Errorf("patience %d: it ends at %d", d, until)
		}
	}
}
