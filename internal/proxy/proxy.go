// Package proxy carries requests to the cells that they belong to, and the
// answers back, changing where the connection goes and nothing else.
//
// It has two layers. The core (Proxy.Serve) decides, forwards, and answers what
// is refused; it knows an Inbound request and an Answer, and not which protocol
// carries them. The engines do: Server speaks HTTP/1.1 itself, strictly, and
// gives HTTP/2 to the standard library.
package proxy

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/homeward/homeward/internal/proxy/forwarded"
	"github.com/homeward/homeward/internal/proxy/http1"
	"github.com/homeward/homeward/route"
)

// Proxy is the core. It is safe for concurrent use.
type Proxy struct {
	state    atomic.Pointer[State]
	draining atomic.Bool
	observer Observer
	log      *slog.Logger
	now      func() time.Time
	pieces   sync.Pool // of newPiece
	rooms    sync.Pool // of newRoom
	open     openRequests
	lasting  lasting

	challenges Challenges // nil for none
	altSvc     atomic.Pointer[string]
	copies     *copies
}

// New makes a proxy that tells observer of every request. log gets what concerns
// no single request, and is never given anything that a client sent. now tells when
// requests begin; it may be the time at which an event loop last looked.
func New(state *State, observer Observer, log *slog.Logger, now func() time.Time) *Proxy {
	p := &Proxy{observer: observer, log: log, now: now, pieces: sync.Pool{New: newPiece}, rooms: sync.Pool{New: newRoom}, copies: newCopies(log, now)}
	p.state.Store(state)
	return p
}

// Swap takes another state, whole. Requests under way keep theirs.
func (p *Proxy) Swap(s *State) { p.state.Store(s) }

// State is the state that the next request gets.
func (p *Proxy) State() *State { return p.state.Load() }

// Drain makes the health path answer 503, so that load balancers look elsewhere.
func (p *Proxy) Drain() { p.draining.Store(true) }

// survive keeps a bug that one request uncovers from ending all others: it
// breaks that one off and logs where the bug is, but not the value of
// the panic, which may hold what a client sent.
func (p *Proxy) survive(breakOff func()) {
	if v := recover(); v != nil {
		breakOff()
		p.log.Error("panic", "type", fmt.Sprintf("%T", v), "stack", string(debug.Stack()))
	}
}

// exchange is one request on its way.
type exchange struct {
	proxy *Proxy
	state *State
	in    *Inbound
	out   Answer
	ctx   context.Context
	room  *room

	request   route.Request
	rec       Record
	way       forwarded.Way
	idGiven   bool
	madeID    idSpace   // of rec.RequestID, unless it is given
	due       time.Time // the deadline of a gRPC call that has one, else zero
	peeked    peeked
	continued bool    // 100 Continue was sent by the edge itself
	key       string  // Sec-WebSocket-Key of the edge's own
	sample    *sample // nil when no shadow gets a copy
	copy      bool    // a shadow gets this one; its fields are as they go out
}

// Serve answers one request. It returns false when the answer could not be
// ended as it should: the engine must then break the connection (or stream), so
// that the client does not take a part for the whole. ctx ends when the edge
// gives up its remaining requests.
func (p *Proxy) Serve(ctx context.Context, in *Inbound, out Answer) (complete bool) {
	x := p.newExchange(ctx, in, out)
	x.begin()
	p.open[Short].Add(1)
	served := false
	defer func() {
		if !served { // a bug: nobody knows who holds the exchange, and nobody has it after this one
			p.open[x.rec.Type].Add(-1)
		}
	}()
	complete = x.serve()
	served = true
	p.open[x.rec.Type].Add(-1)
	x.rec.Duration = time.Since(x.rec.Start)
	p.observer.Done(&x.rec)
	if x.sample != nil && complete {
		p.copies.send(x, p.state.Load())
	}
	x.leave()
	return complete
}

func (x *exchange) serve() bool {
	in := x.in
	if isGRPC(in.Fields) {
		x.enter(GRPC)
		x.takeDeadline()
		if in.Body != nil {
			in.Body.Relax(x.state.Timeouts.Stream.Std())
		}
	}
	if x.state.IsHealth(in.Method, in.Origin) {
		return x.health()
	}
	if body, ok := x.challenge(); ok {
		x.rec.Own = "challenge"
		return x.text(200, body)
	}
	if fields, ok := x.state.Preflight(in.Method, in.Host, in.Fields); ok {
		x.rec.Own = "preflight"
		return x.reply(204, fields, nil)
	}
	x.request.Method, x.request.Host, x.request.Target, x.request.Fields = in.Method, in.Host, in.Origin, in.Fields
	if limit, ok := x.state.Table.Peek(&x.request); ok {
		if problem, ok := x.peek(limit); !ok {
			return x.refuse(problem)
		}
	}
	x.rec.Decision, x.rec.Decided = x.state.Table.Decide(&x.request), true
	if x.rec.Decision.Refused() {
		return x.refuse(x.state.Refusal(&x.rec.Decision))
	}
	if problem, over := x.state.OverLimit(in.Length); over {
		return x.refuse(problem)
	}
	if x.rec.Type == Short && x.state.Table.Lane(x.rec.Decision.Lane).LongPoll {
		x.enter(LongPoll)
	}
	x.takeAtHand()
	return x.forward()
}

func (x *exchange) begin() {
	in, rec := x.in, &x.rec
	x.way = forwarded.Read(x.state.trusted, in.Peer.Addr(), scheme(in.TLS || in.Secure), in.Host, in.Fields)
	rec.Start = x.proxy.now()
	rec.Proto, rec.Method, rec.Host, rec.TLS = in.Proto, in.Method, in.Host, in.TLS
	rec.Path, rec.Client = x.state.Table.RedactPath(in.Origin), x.way.Client
	rec.Table, rec.GRPC = x.state.Table, -1
	rec.RequestID, x.idGiven = requestID(in.Fields, &x.madeID)
}

// health answers load balancers' probes, for any Host.
func (x *exchange) health() bool {
	x.rec.Own = "health"
	status, body := 200, "ok\n"
	if x.proxy.draining.Load() {
		status, body = 503, "draining\n"
	}
	return x.text(status, body)
}

// text sends a short answer that nobody is to keep.
func (x *exchange) text(status int, body string) bool {
	return x.reply(status, []route.Field{
		{Name: "Content-Type", Value: "text/plain; charset=utf-8"},
		{Name: "Content-Length", Value: strconv.Itoa(len(body))},
		{Name: "Cache-Control", Value: "no-store"},
	}, []byte(body))
}

// refuse sends a problem.
func (x *exchange) refuse(p Problem) bool {
	x.rec.Kind = p.Kind
	if x.speaksGRPC() {
		x.rec.GRPC = int8(kinds[p.Kind].grpc)
		return x.reply(200, grpcReply(p, x.rec.RequestID), nil)
	}
	status, fields, body := x.state.Reply(p, x.rec.RequestID)
	return x.reply(status, x.state.CORSFields(fields, x.in.Host, x.in.Fields), body)
}

// reply sends a whole answer of the edge's own.
func (x *exchange) reply(status int, fields []route.Field, body []byte) bool {
	fields = append(fields, route.Field{Name: "Date", Value: x.rec.Start.UTC().Format(http.TimeFormat)})
	head := &x.room.head
	*head = AnswerHead{
		Status: status, Fields: x.advertised(fields), Length: int64(len(body)),
		NoBody: !http1.BodyAllowed(x.in.Method, status), Close: x.unread(),
	}
	x.rec.Status = status
	if err := x.out.Head(head, true); err != nil {
		return x.clientLeft()
	}
	if !head.NoBody {
		if err := x.out.Write(body, true); err != nil {
			return x.clientLeft()
		}
		x.rec.BytesOut += int64(len(body))
	}
	if err := x.out.End(nil); err != nil {
		return x.clientLeft()
	}
	return true
}

// unread reports whether a part of the request may still be on its way.
func (x *exchange) unread() bool { return x.in.Body != nil && !x.peeked.whole }

func (x *exchange) clientLeft() bool {
	x.rec.Aborted = ClientAborted
	return false
}
