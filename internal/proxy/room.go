package proxy

import (
	"context"
	"unsafe"

	"github.com/homeward/homeward/internal/upstream"
	"github.com/homeward/homeward/route"
)

// room is the memory of one exchange, which another may have after it: one request
// after the other allocates nothing.
type room struct {
	exchange exchange
	transfer transfer // of the first attempt
	hop      http1Hop // of the first attempt, if it is HTTP/1.1
	head     AnswerHead

	sent, kept []route.Field // of the request as it goes out, of the answer as it does
	nominated  []string
	text       []byte   // values of sent
	trace      [55]byte // a value of traceparent
	leave      func()   // transfer.leave
}

func newRoom() any {
	r := &room{}
	r.leave = r.transfer.leave
	return r
}

// traceparent is the value that starts a trace, valid until the next call.
func (r *room) traceparent() string {
	b := appendTraceparent(r.trace[:0])
	return unsafe.String(&b[0], len(b))
}

// newExchange is one in a room of its own.
func (p *Proxy) newExchange(ctx context.Context, in *Inbound, out Answer) *exchange {
	r := p.rooms.Get().(*room)
	x := &r.exchange
	*x = exchange{} // and then field by field: a literal is made on the stack first, and copied
	x.proxy, x.state, x.in, x.out, x.ctx, x.room = p, p.state.Load(), in, out, ctx, r
	return x
}

// leave gives the room back, unless something that the exchange started can still
// reach it: the timers of requests that last may come late.
func (x *exchange) leave() {
	if x.rec.Type == Short && x.in.Tunnel == nil && x.sample == nil {
		x.proxy.rooms.Put(x.room)
	}
}

// transfer is the next attempt to forward the request.
func (x *exchange) transfer(l *upstream.Lease, body *sending) *transfer {
	if x.rec.Attempts > 1 {
		t := &transfer{x: x, hop: newHop(l, &http1Hop{}), sending: body}
		t.leaveFunc = t.leave
		return t
	}
	t := &x.room.transfer
	fields := t.response.Fields[:0]
	*t = transfer{}
	t.x, t.hop, t.sending, t.leaveFunc, t.response.Fields = x, newHop(l, &x.room.hop), body, x.room.leave, fields
	return t
}

// newHop is an exchange with the gateway of a lease, in the space given if it is
// one over HTTP/1.1.
func newHop(l *upstream.Lease, space *http1Hop) hop {
	if l.HTTP2 != nil {
		return &http2Hop{lease: *l}
	}
	*space = http1Hop{}
	space.conn, space.reused = l.Conn, l.Reused
	return space
}
