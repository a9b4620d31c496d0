package proxy

import (
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/homeward/homeward/internal/proxy/http1"
	"github.com/homeward/homeward/route"
)

// tunnel passes bytes both ways between a client and a cell that have agreed on
// a WebSocket, until both directions have ended, one breaks, or neither carries
// a byte for timeouts.stream.
func (t *transfer) tunnel() verdict {
	x := t.x
	t.unwatch()
	x.rec.Status = 101
	x.enter(WebSocket)
	t.hop.allowRead(0)
	body := t.hop.body()
	fields := x.answerFields(&t.response)
	if first(x.in.Fields, keyField) == "" { // the key was the edge's own, and so is what accepts it
		fields = slices.DeleteFunc(fields, func(f route.Field) bool { return strings.EqualFold(f.Name, acceptField) })
	}
	head := AnswerHead{Status: 101, Reason: t.response.Reason, Fields: fields, Length: -1}
	if err := x.out.Head(&head, body.AtHand()); err != nil {
		t.leave()
		t.end(false)
		return t.ended(ClientAborted)
	}
	u := &upward{t: t, in: x.in.Tunnel, patience: x.state.Timeouts.Stream.Std(), done: make(chan struct{})}
	u.idle = time.AfterFunc(u.patience, u.expire)
	defer u.idle.Stop()
	x.proxy.lasting.add(t, u.expire)
	defer x.proxy.lasting.remove(t)
	go u.run()
	by := u.down(body)
	switch {
	case by != NotAborted:
		u.decide(by)
		u.breakOff()
	case !x.in.HalfClose: // the engine ends both directions at once
		u.decide(NotAborted)
		u.in.Interrupt()
	}
	<-u.done
	t.end(false)
	u.decide(NotAborted)
	return t.ended(u.by)
}

func (t *transfer) ended(by Abort) verdict {
	t.x.rec.Aborted = by
	if by == NotAborted {
		return complete
	}
	return broken
}

// upward is the direction of a tunnel from the client to the cell, and what the
// two directions share.
type upward struct {
	t        *transfer
	in       Tunnel // for a timer that comes late: x.in is another request's by then
	patience time.Duration
	idle     *time.Timer
	halfway  atomic.Bool // one direction has ended
	done     chan struct{}

	decided sync.Once // guards by
	by      Abort     // who ended the tunnel; valid once decided
}

// decide says who ended the tunnel. What fails after the first word is only its
// consequence.
func (u *upward) decide(by Abort) { u.decided.Do(func() { u.by = by }) }

// expire ends a tunnel that carried nothing for too long, or in a drain: an end
// that was due, not one that somebody made.
func (u *upward) expire() {
	u.decide(NotAborted)
	u.breakOff()
}

// breakOff ends both directions.
func (u *upward) breakOff() {
	u.in.Interrupt()
	u.t.hop.abort()
}

// moved says that a direction carried something, or ended.
func (u *upward) moved() {
	if u.halfway.Load() {
		u.idle.Reset(u.t.x.state.Timeouts.Body.Std())
		return
	}
	u.idle.Reset(u.patience)
}

func (u *upward) run() {
	defer close(u.done)
	x := u.t.x
	defer x.proxy.survive(u.breakOff)
	if by := u.copy(); by != NotAborted {
		u.decide(by)
		u.t.hop.abort()
		return
	}
	u.halfway.Store(true)
	u.moved()
}

// copy passes the client's direction on and says who broke it off. A cell that
// takes no more may have ended the tunnel and said so: what it said, or that it
// broke off, is for down to read.
func (u *upward) copy() Abort {
	x := u.t.x
	for last := 0; ; {
		if last < sparseSize {
			if err := u.in.Ready(); err != nil && !errors.Is(err, io.EOF) {
				return ClientAborted
			}
		}
		buf := x.proxy.pieces.Get().(*[]byte)
		n, err := u.in.Read((*buf)[http1.ChunkRoom : len(*buf)-2])
		last = n
		x.rec.BytesIn += int64(n)
		u.t.hop.allowWrite(x.state.Timeouts.Write.Std())
		var sent error
		if n > 0 {
			u.moved()
			sent = u.t.hop.write(*buf, n)
			u.t.hop.allowWrite(0) // TLS may write on its own between two pieces
		}
		x.proxy.pieces.Put(buf)
		switch {
		case http1.IsTimeout(sent):
			return UpstreamAborted
		case sent != nil:
			return NotAborted
		case errors.Is(err, io.EOF):
			_ = u.t.hop.finish(nil)
			return NotAborted
		case err != nil:
			return ClientAborted
		}
	}
}

// down passes the other direction on and says who broke it off.
func (u *upward) down(body answerBody) Abort {
	x := u.t.x
	pieces := pieces{in: body, out: x.out, sparse: true}
	for {
		n, end, by := pieces.next()
		x.rec.BytesOut += n
		u.moved()
		if by != NotAborted {
			return by
		}
		if end {
			u.halfway.Store(true)
			u.moved()
			if x.out.End(nil) != nil {
				return ClientAborted
			}
			return NotAborted
		}
	}
}
