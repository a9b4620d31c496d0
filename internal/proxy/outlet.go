package proxy

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/homeward/homeward/internal/proxy/http1"
	"github.com/homeward/homeward/internal/upstream/http2client"
	"github.com/homeward/homeward/route"
)

// outlet is where the body of a request goes: a hop, and another one after it if
// the gateway says that it did not process the request while all that was sent is
// still at hand. One goroutine sends through it, another receives the answer and
// changes hops.
type outlet struct {
	x        *exchange
	patience time.Duration // for the cell to take a piece

	mu      sync.Mutex
	changed sync.Cond     // hop, held, closed or sent has changed
	hop     hop           // which the body goes to
	leave   func()        // what to do when the client leaves
	held    bool          // hop is given up, and another will take its place
	gap     bool          // what was sent did not all reach hop; closed, too
	closed  bool          // nothing more goes out: nobody wants it, or it would follow a gap
	left    bool          // the client has left
	broken  bool          // the client's body has no end
	headIn  bool          // the answer's head is there: its deadline is no longer ours to set
	sent    replay        // what went out so far
	ended   bool          // the body is at its end
	trailer []route.Field // of a body that is
}

func newOutlet(x *exchange, h hop, leave func()) *outlet {
	o := &outlet{x: x, patience: x.writePatience(), hop: h, leave: leave}
	o.changed.L = &o.mu
	_, o.sent.whole = h.(*http2Hop) // HTTP/1.1 has no way to say that a request was not processed
	return o
}

// write sends n bytes that start at buf[http1.ChunkRoom].
func (o *outlet) write(buf []byte, n int) error {
	return o.pass(func() { o.sent.add(buf, n) }, func(h hop) error { return h.write(buf, n) })
}

// finish ends the body. One with a length over HTTP/1.1 has ended with its last
// byte: the cell may have answered it since, and the outlet be closed.
func (o *outlet) finish(trailer []route.Field) error {
	o.mu.Lock()
	h, ok := o.hop.(*http1Hop)
	ended := ok && !h.chunked && !o.held && !o.gap
	o.mu.Unlock()
	if ended {
		return nil
	}
	return o.pass(func() { o.ended, o.trailer = true, trailer }, func(h hop) error { return h.finish(trailer) })
}

// pass notes what is sent, and sends it. If the gateway says that it did not
// process the request, it waits for what becomes of that: a hop that takes its
// place has got what was noted.
func (o *outlet) pass(note func(), send func(hop) error) error {
	o.mu.Lock()
	for o.held && !o.closed {
		o.changed.Wait()
	}
	if o.closed {
		o.mu.Unlock()
		return errInterrupted
	}
	note()
	hop := o.hop
	hop.allowWrite(o.patience)
	o.mu.Unlock()
	err := send(hop)
	if err == nil {
		return nil
	}
	refused := errors.Is(err, http2client.ErrRefused)
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.hop == hop && !o.closed && (o.held || refused && o.sent.whole) {
		o.changed.Wait()
	}
	if o.hop != hop {
		return nil
	}
	return err
}

// hold stops the body where it is, if another hop could have all that was sent.
func (o *outlet) hold() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.held = o.sent.whole && !o.left && !o.closed && !o.broken
	return o.held
}

// turnTo gives another hop, to which the head was written, what was sent so far,
// and has the rest go there. What fails in it shows in the answer.
func (o *outlet) turnTo(h hop, leave func()) {
	if !o.take(h, leave) {
		return
	}
	err := errInterrupted // for a bug, too, the body is held no longer
	defer func() { o.resume(err) }()
	// The cell may take its time and the client leave in it: mu is not held. What
	// was sent stays as it is while the body is held.
	err = o.sent.writeTo(h)
}

// take makes h the hop, and reports whether it is to have a body.
func (o *outlet) take(h hop, leave func()) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.hop, o.leave = h, leave
	o.changed.Broadcast()
	switch {
	case o.left:
		leave()
	case o.broken: // which the hop before was told
		h.abort()
	default:
		h.allowWrite(o.patience)
		return true
	}
	o.held = false
	return false
}

// resume lets the body go on after what was sent so far, or not after err.
func (o *outlet) resume(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.held = false
	o.changed.Broadcast()
	switch {
	case err != nil && !errors.Is(err, http2client.ErrRefused):
		o.closed, o.gap = true, true // neither more of the body nor its end may follow a gap
		o.awaitHead()
	case o.ended:
		_ = o.hop.finish(o.trailer)
		o.awaitHead()
	}
}

// awaitHead bounds the wait for the head of the answer from now on. mu is held.
func (o *outlet) awaitHead() {
	if !o.headIn {
		o.hop.allowRead(o.x.headPatience())
	}
}

// lateHead is how long the head of an answer is waited for from a cell that took
// nothing of the body for as long as it may: one that it gave early is on its way.
const lateHead = time.Second

// done says that nothing more comes: the whole body has gone out, or the hop
// failed and nobody would send the rest to another.
func (o *outlet) done(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err != nil {
		o.sent.drop()
	}
	if http1.IsTimeout(err) && !o.closed && !o.headIn {
		o.hop.allowRead(lateHead)
		return
	}
	o.awaitHead()
}

// answered says that the head of the answer was read.
func (o *outlet) answered() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.headIn = true
	o.sent.drop()
	o.changed.Broadcast()
}

// clientLeft says that the client has left.
func (o *outlet) clientLeft() {
	o.mu.Lock()
	o.left = true
	leave := o.leave
	o.mu.Unlock()
	leave()
}

// breakOff says that the client's body has no end. The cell must not take a part
// for the whole.
func (o *outlet) breakOff() {
	o.mu.Lock()
	o.broken = true
	hop := o.hop
	o.mu.Unlock()
	hop.abort()
}

// close lets nothing more out, and makes what is on its way fail.
func (o *outlet) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	o.changed.Broadcast()
	o.hop.stopWriting()
}

// replaySize is how much of a body is kept to be sent once more.
const replaySize = 16 << 10

// replay is what was sent of a body, for as long as that is little.
type replay struct {
	whole bool   // bytes are all that was sent
	bytes []byte // behind room for framing
}

func (r *replay) add(buf []byte, n int) {
	if !r.whole {
		return
	}
	if r.bytes == nil {
		r.bytes = make([]byte, http1.ChunkRoom, http1.ChunkRoom+n+2)
	}
	if len(r.bytes)-http1.ChunkRoom+n > replaySize {
		r.drop()
		return
	}
	r.bytes = append(r.bytes, buf[http1.ChunkRoom:http1.ChunkRoom+n]...)
}

func (r *replay) drop() { r.whole, r.bytes = false, nil }

func (r *replay) writeTo(h hop) error {
	n := len(r.bytes) - http1.ChunkRoom
	if n <= 0 {
		return nil
	}
	framed := append(slices.Clone(r.bytes), 0, 0) // a hop frames in place
	return h.write(framed, n)
}
