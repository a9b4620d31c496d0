package proxy

import (
	"errors"
	"io"
	"sync/atomic"
	"time"

	"github.com/homeward/homeward/internal/proxy/http1"
	"github.com/homeward/homeward/internal/upstream"
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
	pool := x.state.Pools[x.decision.Send]
	get := pool.Get
	for {
		x.rec.Attempts++
		conn, err := get(x.ctx)
		if err != nil {
			return x.refuse(Problem{
				Kind:   CellUnavailable,
				Detail: "No gateway of the cell " + x.state.Table.Cell(x.decision.Send).Name + " takes connections.",
			})
		}
		x.rec.Gateway = conn.Gateway()
		if v := (&transfer{x: x, conn: conn}).run(); v != again {
			return v == complete
		}
		get = pool.Fresh // at most once more: a fresh connection is never again
	}
}

// transfer is one attempt: one request and its answer on one connection.
type transfer struct {
	x    *exchange
	conn *upstream.Conn

	sending   *sending // nil when the body is none, or left with the head
	stopWatch func()
	left      atomic.Bool // the client left while it waited
	written   int         // bytes of the request that the connection took before an error
	response  http1.Response
}

func (t *transfer) run() verdict {
	err := t.sendHead()
	if err == nil {
		err = t.readHead()
	}
	if err != nil {
		clientFailed := t.clientFailed()
		t.end(false)
		return t.failed(err, clientFailed)
	}
	return t.relay()
}

// clientFailed reports whether the client's body broke off or was too slow. It
// must be asked before end, which makes a body that is still read fail too.
func (t *transfer) clientFailed() bool {
	return t.sending != nil && t.sending.clientFailed.Load()
}

// end stops everything that still reads the client's connection, and gives the
// cell's back.
func (t *transfer) end(reusable bool) {
	if t.stopWatch != nil {
		t.stopWatch()
	}
	if t.sending != nil && !t.sending.finish() {
		reusable = false
	}
	t.conn.Release(reusable && !t.left.Load())
}

// leave runs when the client has gone: nobody waits for the answer any more, so
// the cell may stop working on it.
func (t *transfer) leave() {
	t.left.Store(true)
	_ = t.conn.Conn.Close()
}

// sendHead writes the request's head, in one write with a body that is at hand,
// and starts sending any other body.
func (t *transfer) sendHead() error {
	x := t.x
	buf := x.proxy.pieces.Get().(*[]byte)
	defer x.proxy.pieces.Put(buf)
	out := x.requestHead((*buf)[:0])
	if x.peeked.whole {
		out = x.appendPeeked(out)
	}
	_ = t.conn.SetWriteDeadline(time.Now().Add(x.state.Timeouts.Write.Std()))
	var err error
	if t.written, err = t.conn.Write(out); err != nil {
		return err
	}
	if x.unread() {
		t.sending = x.send(t.conn, t.leave)
		return nil
	}
	_ = t.conn.SetReadDeadline(time.Now().Add(x.state.Timeouts.ResponseHeader.Std()))
	t.stopWatch = x.in.Watch(t.leave)
	return nil
}

// appendPeeked appends a body that was read whole for the decision.
func (x *exchange) appendPeeked(dst []byte) []byte {
	if x.in.Length >= 0 {
		return append(dst, x.peeked.prefix...)
	}
	if n := len(x.peeked.prefix); n > 0 {
		framed := make([]byte, http1.ChunkRoom+n+2)
		copy(framed[http1.ChunkRoom:], x.peeked.prefix)
		dst = append(dst, http1.FrameChunk(framed, n)...)
	}
	return http1.AppendLastChunk(dst, x.state.trailerFields(x.in.Body.Trailer()))
}

// maxInterim bounds the interim answers to one request.
const maxInterim = 32

var errUpgraded = &http1.SyntaxError{Rule: "the answer switches protocols without having been asked"}

// readHead reads up to the head of the final answer, passing interim ones on.
func (t *transfer) readHead() error {
	sent := time.Now()
	for range maxInterim {
		if err := http1.ReadResponse(t.conn.Reader, &t.response, answerLimits); err != nil {
			return err
		}
		if !t.response.Interim() {
			if t.response.Status == 101 {
				return errUpgraded
			}
			if t.sending != nil {
				t.sending.answered()
			}
			t.x.rec.Upstream = time.Since(sent)
			return nil
		}
		if t.response.Status == 100 && (!t.x.in.Expect100 || t.x.continued) {
			continue
		}
		fields := t.x.state.answerFields(&t.response)
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
	var garbage *http1.SyntaxError
	switch {
	case clientFailed:
		problem = bodyProblem(t.sending.clientErr)
		x.rec.Aborted = ClientAborted
	case t.mayRetry(err):
		return again
	case http1.IsTimeout(err):
		problem = Problem{Kind: UpstreamTimeout, Detail: "The cell took the request and did not answer in time."}
	case errors.As(err, &garbage), errors.Is(err, http1.ErrTooLarge):
		problem = Problem{Kind: UpstreamReset, Detail: "The cell's answer is not well-formed HTTP."}
	default:
		problem = Problem{Kind: UpstreamReset, Detail: "The cell closed the connection before it answered."}
	}
	if x.refuse(problem) {
		return complete
	}
	return broken
}

// mayRetry reports whether the request can go out once more: the connection was
// a kept one, which the cell may have been closing, no byte of an answer came,
// and either no byte of the request left or doing it twice does no harm (RFC
// 9110 section 9.2.2).
func (t *transfer) mayRetry(err error) bool {
	if !t.conn.Reused || t.sending != nil || http1.IsTimeout(err) || t.conn.Reader.Buffered() > 0 || errors.Is(err, io.ErrUnexpectedEOF) {
		return false
	}
	var garbage *http1.SyntaxError
	if errors.As(err, &garbage) || errors.Is(err, http1.ErrTooLarge) || t.response.Status != 0 {
		return false
	}
	return t.written == 0 || idempotent(t.x.in.Method)
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
	x := t.x
	body := http1.ResponseBody(t.conn.Reader, &t.response, x.in.Method, answerLimits)
	head := AnswerHead{
		Status: t.response.Status, Reason: t.response.Reason,
		Fields: x.state.answerFields(&t.response),
		Length: t.response.Length,
		NoBody: !http1.BodyAllowed(x.in.Method, t.response.Status),
		Close:  t.sending != nil && !t.sending.taken(),
	}
	x.rec.Status = head.Status
	more := body.Empty() || t.conn.Reader.Buffered() > 0
	if err := x.out.Head(&head, more); err != nil {
		return t.abort(ClientAborted)
	}
	for {
		_ = t.conn.SetReadDeadline(time.Now().Add(x.state.Timeouts.ResponseBody.Std()))
		n, err := body.Read(x.out.Space())
		if n > 0 {
			x.rec.BytesOut += int64(n)
			if err := x.out.Commit(n); err != nil {
				return t.abort(ClientAborted)
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return t.abort(UpstreamAborted)
		}
	}
	if err := x.out.End(x.state.trailerFields(body.Trailer())); err != nil {
		return t.abort(ClientAborted)
	}
	t.end(body.Whole() && !t.response.Close)
	return complete
}

// abort ends an answer that was broken off after its head. A client that broke
// its own request off is not the cell's failure, though the cell's connection
// is what failed.
func (t *transfer) abort(by Abort) verdict {
	clientFailed := t.clientFailed()
	t.end(false)
	if t.left.Load() || clientFailed {
		by = ClientAborted
	}
	if by == UpstreamAborted {
		t.x.rec.Kind = UpstreamReset
	}
	t.x.rec.Aborted = by
	return broken
}
