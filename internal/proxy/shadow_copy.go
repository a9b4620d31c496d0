package proxy

import (
	"context"
	"errors"
	"hash/maphash"
	"log/slog"
	"sync"
	"time"

	"github.com/homeward/homeward/internal/upstream"
	"github.com/homeward/homeward/route"
)

// copies sends what shadows get, each copy in a goroutine of its own. It is safe
// for concurrent use.
type copies struct {
	// core serves the copies: a proxy of its own, so that no copy is counted
	// among the requests of clients.
	core     *Proxy
	observer ShadowObserver // nil for none
	seed     maphash.Seed

	base context.Context // ends when no copy is to go on
	stop context.CancelFunc

	mu      sync.Mutex
	stopped bool
	running map[string]int // copies under way, by the name of their shadow, across topologies
	all     sync.WaitGroup // Add only while not stopped
}

func newCopies(log *slog.Logger, now func() time.Time) *copies {
	c := &copies{
		core: &Proxy{log: log, now: now, pieces: sync.Pool{New: newPiece}, rooms: sync.Pool{New: newRoom}},
		seed: maphash.MakeSeed(), running: map[string]int{},
	}
	c.base, c.stop = context.WithCancel(context.Background())
	return c
}

// end ends all copies and lets no other begin.
func (c *copies) end() {
	c.mu.Lock()
	c.stopped = true
	c.mu.Unlock()
	c.stop()
}

// send sends the copies of a request whose answer the client has. It waits for
// nothing. The topology in force now says whether a shadow still gets one: what
// was removed gets nothing more, however long its requests were under way.
func (c *copies) send(x *exchange, now *State) {
	if x.rec.Kind != NoProblem || x.rec.Type != Short || x.rec.Status == 0 {
		return
	}
	for _, h := range x.sample.shadows {
		if now != x.state {
			if h = now.declared(h); h == nil {
				continue
			}
		}
		said := x.comparison(h)
		switch {
		case x.sample.digest.over(h.body):
			said.Result = OverLimit
			c.tell(said)
		case !c.admit(h):
			said.Result = NotSent
			c.tell(said)
		default:
			go c.run(h, now, x.copyOf(h), x.sample.digest.content(), said)
		}
	}
}

// admit takes one of the places of a shadow, if there is one. leave gives it back.
func (c *copies) admit(h *shadow) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped || c.running[h.name] >= h.concurrent {
		return false
	}
	c.running[h.name]++
	c.all.Add(1)
	return true
}

func (c *copies) leave(h *shadow) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running[h.name]--; c.running[h.name] == 0 {
		delete(c.running, h.name)
	}
	c.all.Done()
}

func (c *copies) tell(said Comparison) {
	if c.observer != nil {
		c.observer.Shadowed(said)
	}
}

// shadowField tells whoever gets a copy that it is one, and whose.
const shadowField = "Homeward-Shadow"

// copyOf is the request as the cell got it, free of what the engine uses again.
func (x *exchange) copyOf(h *shadow) *Inbound {
	in := x.in.owned()
	in.Expect100, in.Watcher = false, nil
	in.Fields = append(owned(x.sample.fields), route.Field{Name: shadowField, Value: h.name})
	if trailersAccepted(x.in.Fields) { // ends at each hop, and begins anew
		in.Fields = append(in.Fields, route.Field{Name: "TE", Value: "trailers"})
	}
	return &in
}

// run sends one copy, once, and compares the answer with that of the cell.
func (c *copies) run(h *shadow, state *State, in *Inbound, want content, said Comparison) {
	defer c.leave(h)
	ctx, cancel := context.WithTimeout(c.base, h.timeout)
	defer cancel()
	abort := func() {}
	defer c.core.survive(func() { abort() })

	got := &discarded{}
	got.digest.limit = h.body
	got.digest.hash.SetSeed(c.seed)
	in.Watcher = &streamWatch{ctx: ctx}
	x := c.core.newExchange(ctx, in, got) // which keeps its room: it may end while it is still aborted
	x.state, x.copy = state, true
	x.rec.Start, x.rec.Method = c.core.now(), in.Method

	whole := false
	lease, err := h.pool.Get(ctx)
	if err == nil {
		said.Copy.Gateway = lease.Gateway()
		t := x.transfer(&lease, nil)
		abort = t.hop.abort
		whole = t.run() == complete && x.rec.Kind == NoProblem
	}
	if c.base.Err() != nil && !whole {
		return // the edge ended it: that says nothing of who was asked
	}
	longer := false
	if x.rec.Upstream > 0 { // else what was discarded is a problem of our own
		said.Copy.Status, said.Copy.Bytes, said.Copy.Wait = got.status, got.digest.n, x.rec.Upstream
		longer = got.digest.over(h.body)
	}
	switch {
	case (whole || longer) && got.status != said.Cell.Status:
		said.Result = OtherStatus
	case longer, whole && want != got.digest.content():
		said.Result = OtherBody
	case whole:
		said.Result = SameAnswer
	default:
		said.Result, said.Kind = NoAnswer, failure(ctx, err, x.rec.Kind)
	}
	c.tell(said)
}

// failure is why a copy got no whole answer.
func failure(ctx context.Context, unreached error, kind Kind) Kind {
	switch {
	case ctx.Err() != nil:
		return UpstreamTimeout
	case errors.Is(unreached, upstream.ErrBusy):
		return Overloaded
	case unreached != nil:
		return CellUnavailable
	case kind == NoProblem:
		return UpstreamReset
	}
	return kind
}

// discarded is an answer that nobody gets: its content is counted and hashed.
type discarded struct {
	status int
	digest digest
}

// errEnough ends an answer that is longer than what is compared.
var errEnough = errors.New("the answer to the copy is over the limit")

// Interim implements Answer.
func (d *discarded) Interim(int, string, []route.Field) error { return nil }

// Head implements Answer.
func (d *discarded) Head(h *AnswerHead, _ bool) error {
	d.status = h.Status
	return nil
}

// Write implements Answer.
func (d *discarded) Write(piece []byte, _ bool) error {
	d.digest.add(piece)
	if d.digest.over(d.digest.limit) {
		return errEnough
	}
	return nil
}

// End implements Answer.
func (d *discarded) End([]route.Field) error { return nil }
