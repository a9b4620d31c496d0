package proxy

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/homeward/homeward/internal/proxy/http1"
	"github.com/homeward/homeward/internal/upstream"
	"github.com/homeward/homeward/internal/upstream/http2client"
)

// verdict is how one attempt to forward a request ended.
type verdict uint8

const (
	broken   verdict = iota // the answer could not be ended as it should
	complete                // the client has a whole answer
	again                   // nothing was lost: the request may go out once more
)

// forward sends the request to the cell and the answer to the client.
func (x *exchange) forward() bool {
	pool := x.pool()
	if x.rec.Type == GRPC && !pool.HTTP2() {
		return x.refuse(Problem{Kind: NotSupported, Detail: "The cell has no gateway for gRPC, which needs HTTP/2."})
	}
	if x.state.shadows != nil {
		if x.sample = x.sampled(); x.sample != nil {
			x.out = x.sample
		}
	}
	ctx, cancel := x.untilDue()
	defer cancel()
	lease, err := pool.Get(ctx)
	var body *sending // that goes on from one attempt to the next
	for {
		x.rec.Attempts++
		if err != nil {
			if body != nil {
				body.finish()
			}
			if x.ctx.Err() != nil { // the client of a stream, or the edge, has left
				return x.clientLeft()
			}
			if x.overdue() {
				return x.refuse(tooLate)
			}
			return x.refuse(x.unconnected(err))
		}
		x.rec.Gateway = lease.Gateway()
		t := x.transfer(&lease, body)
		v := t.run()
		x.judge(&lease)
		if v != again {
			return v == complete
		}
		body = t.sending
		lease, err = pool.Fresh(ctx, &lease)
	}
}

// pool is that of the request's lane in the cell that it is sent to.
func (x *exchange) pool() *upstream.Pool {
	pools, lane := x.state.Pools[x.rec.Decision.Send], x.state.lanes[x.rec.Decision.Lane]
	if x.rec.Type == GRPC {
		return pools.GRPC.Pool(lane)
	}
	return pools.Main.Pool(lane)
}

// unconnected is the problem of a request for which there is no connection.
func (x *exchange) unconnected(err error) Problem {
	cell := x.state.Table.Cell(x.rec.Decision.Send).Name
	if errors.Is(err, upstream.ErrBusy) {
		lane := x.state.Table.Lane(x.rec.Decision.Lane).Name
		return Problem{Kind: Overloaded, Detail: "All connections that the lane " + lane + " may have to the cell " + cell + " are in use."}
	}
	return Problem{Kind: CellUnavailable, Detail: "No gateway of the cell " + cell + " takes connections."}
}

// judge tells what an attempt showed of the health of a gateway. A time that is over
// shows nothing: some requests take long.
func (x *exchange) judge(lease *upstream.Lease) {
	switch {
	case x.rec.Upstream > 0:
		lease.Answered()
	case x.rec.Kind == UpstreamReset:
		lease.Broke()
	}
}

// transfer is one attempt: one request and its answer on one hop.
type transfer struct {
	x   *exchange
	hop hop

	sending   *sending // nil when the body is none, or left with the head
	watching  bool
	ending    *streamWatch // of the edge, while a client whose body is read is not watched; nil for none
	leaveFunc func()       // leave
	left      atomic.Bool  // the client left while it waited
	deadline  *time.Timer  // ends a gRPC call some time after its deadline
	drained   atomic.Bool  // the edge ends the exchange, which would go on
	released  bool         // the hop is no longer ours
	response  http1.Response
}

func (t *transfer) run() verdict {
	defer t.abandon()
	err := t.sendHead()
	if err == nil {
		err = t.readHead()
	}
	if err == nil && t.opensByMistake() {
		err = errNotOpened
	}
	if err != nil && t.sending != nil && t.mayRetry(err) && t.sending.to.hold() {
		t.drop()
		return again
	}
	if err != nil {
		clientFailed := t.clientFailed()
		t.end(false)
		return t.failed(err, clientFailed)
	}
	if t.response.Status == 101 {
		return t.tunnel()
	}
	return t.relay()
}

// sendHead sends the request's head, with a body that is at hand, and starts
// sending any other body.
func (t *transfer) sendHead() error {
	x := t.x
	if err := t.hop.begin(x); err != nil {
		return err
	}
	t.limit()
	switch {
	case t.sending != nil:
		t.leash()
		t.sending.to.turnTo(t.hop, t.leaveFunc)
		return nil
	case x.unread():
		t.leash()
		t.sending = x.send(t.hop, t.leaveFunc)
		return nil
	}
	t.hop.allowRead(x.headPatience())
	t.watching = true
	x.in.Watcher.Watch(t.leaveFunc)
	return nil
}

// maxInterim bounds the interim answers to one request.
const maxInterim = 32

// readHead reads up to the head of the final answer, passing interim ones on.
func (t *transfer) readHead() error {
	sent := time.Since(t.x.rec.Start)
	for range maxInterim {
		if err := t.hop.head(&t.response); err != nil {
			return err
		}
		if !t.response.Interim() {
			if t.sending != nil {
				t.sending.to.answered()
			}
			t.x.rec.Upstream = time.Since(t.x.rec.Start) - sent
			return nil
		}
		if t.response.Status == 100 && (!t.x.in.Expect100 || t.x.continued) {
			continue
		}
		fields := t.x.answerFields(&t.response)
		if err := t.x.out.Interim(t.response.Status, t.response.Reason, fields); err != nil {
			t.leave()
			return err
		}
	}
	return &http1.SyntaxError{Rule: "the answer does not end its interim answers"}
}

// failed answers a request whose attempt gave no final head.
func (t *transfer) failed(err error, clientFailed bool) verdict {
	x := t.x
	if t.left.Load() {
		x.rec.Aborted = ClientAborted
		return broken
	}
	var problem Problem
	switch {
	case clientFailed:
		problem = bodyProblem(t.sending.clientErr)
		x.rec.Aborted = ClientAborted
	case t.sending == nil && t.mayRetry(err):
		return again
	case x.overdue():
		problem = tooLate
	default:
		problem = hopProblem(err)
	}
	if x.refuse(problem) {
		return complete
	}
	return broken
}

// hopProblem is the answer to a request whose cell failed it.
func hopProblem(err error) Problem {
	var garbage *http1.SyntaxError
	var broken http2client.ProtocolError
	switch {
	case http1.IsTimeout(err):
		return Problem{Kind: UpstreamTimeout, Detail: "The cell took the request and did not answer in time."}
	case errors.Is(err, http2client.ErrHeadTooLarge):
		return Problem{Kind: TooLarge, Status: 431, Detail: "The head or the trailer of the request is larger than the cell's gateway takes."}
	case errors.Is(err, errNoSockets):
		return Problem{Kind: NotSupported, Detail: "The cell's gateway takes no WebSockets over HTTP/2."}
	case errors.Is(err, errNotOpened):
		return Problem{Kind: UpstreamReset, Detail: "The cell answered the request for a WebSocket as one for a page, and opened none."}
	case errors.As(err, &garbage), errors.As(err, &broken), errors.Is(err, http1.ErrTooLarge):
		return Problem{Kind: UpstreamReset, Detail: "The cell's answer is not well-formed HTTP."}
	}
	return Problem{Kind: UpstreamReset, Detail: "The cell closed the connection before it answered."}
}

// maxAttempts bounds how often a request goes out that gateways do not process
// because they are going away.
const maxAttempts = 5

// mayRetry reports whether the request can go out once more: no byte of an
// answer came, all of the request is still there, and either the gateway did not
// process it or doing it twice does no harm (RFC 9110 section 9.2.2). A gateway
// that refuses streams rather than go away is asked once more only.
func (t *transfer) mayRetry(err error) bool {
	unsent, stale := t.hop.lost(err)
	if t.sending != nil && (!unsent || t.left.Load() || t.x.overdue()) {
		return false
	}
	if refused := (http2client.StreamError{}); unsent && !errors.As(err, &refused) {
		return t.x.rec.Attempts < maxAttempts
	}
	return t.x.rec.Attempts == 1 && (unsent || stale && idempotent(t.x.in.Method))
}

func idempotent(method string) bool {
	switch method {
	case "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE":
		return true
	}
	return false
}

// relay passes the final answer on as it comes.
func (t *transfer) relay() verdict {
	x, body := t.x, t.hop.body()
	head := &x.room.head
	*head = AnswerHead{
		Status: t.response.Status, Reason: t.response.Reason,
		Fields: x.advertised(x.answerFields(&t.response)),
		Length: t.response.Length,
		NoBody: !http1.BodyAllowed(x.in.Method, t.response.Status),
		Close:  t.sending != nil && !t.sending.taken(),
	}
	x.rec.Status = head.Status
	x.enter(answerType(head.Fields))
	if err := x.out.Head(head, body.AtHand()); err != nil {
		return t.abort(ClientAborted)
	}
	if x.rec.Type == Events {
		x.proxy.lasting.add(t, t.drain)
		defer x.proxy.lasting.remove(t)
	}
	if by := t.relayBody(body); by != NotAborted && !t.drained.Load() {
		return t.abort(by)
	}
	trailer := x.state.trailerFields(body.Trailer())
	if x.rec.Type == GRPC {
		x.rec.GRPC = grpcStatusIn(head.Fields, trailer)
	}
	if err := x.out.End(trailer); err != nil {
		return t.abort(ClientAborted)
	}
	t.end(!t.response.Close && !t.drained.Load())
	return complete
}

// relayBody passes the body on and says who broke it off.
func (t *transfer) relayBody(body answerBody) Abort {
	x := t.x
	pieces := pieces{in: body, out: x.out, sparse: x.rec.Type != Short}
	for copied := false; ; {
		t.hop.allowRead(x.bodyPatience())
		var n int64
		var end bool
		var by Abort
		if s, ok := spliceable(body, x.out); ok && !copied {
			n, end, copied, by = s.next()
		} else {
			n, end, by = pieces.next()
		}
		x.rec.BytesOut += n
		if end || by != NotAborted {
			return by
		}
	}
}
