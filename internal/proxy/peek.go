package proxy

import (
	"errors"
	"io"

	"github.com/homeward/homeward/internal/proxy/http1"
	"github.com/homeward/homeward/route"
)

// peeked is the prefix of a request body that was read for the decision.
type peeked struct {
	prefix []byte
	whole  bool // prefix is all of the body
}

// peek reads the body as far as limit, for a decision on a declared path. ok is
// false when the body cannot be had; problem then says why.
func (x *exchange) peek(limit int64) (problem Problem, ok bool) {
	if x.in.Body == nil {
		x.request.BodyState = route.BodyWhole
		return Problem{}, true
	}
	if x.in.Length > limit {
		x.request.BodyState = route.BodyTooLong
		return Problem{}, true
	}
	if x.in.Expect100 {
		if err := x.out.Interim(100, "Continue", nil); err != nil {
			return Problem{Kind: BadFraming}, false
		}
		x.continued = true
	}
	size := limit + 1
	if x.in.Length >= 0 {
		size = x.in.Length + 1
	}
	buf := make([]byte, 0, min(size, 4<<10))
	for int64(len(buf)) < size {
		if len(buf) == cap(buf) {
			grown := make([]byte, len(buf), min(int64(2*cap(buf)), size))
			copy(grown, buf)
			buf = grown
		}
		n, err := x.in.Body.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		x.rec.BytesIn += int64(n)
		if errors.Is(err, io.EOF) {
			x.peeked = peeked{prefix: buf, whole: true}
			x.request.Body, x.request.BodyState = buf, route.BodyWhole
			return Problem{}, true
		}
		if err != nil {
			return bodyProblem(err), false
		}
	}
	x.peeked.prefix = buf
	x.request.BodyState = route.BodyTooLong
	return Problem{}, true
}

// maxAtHand is the longest body that goes out with the head: what waits for a cell
// holds it in memory, and nobody hears what the cell says before it has taken it.
const maxAtHand = 32 << 10

// takeAtHand takes a body that has come whole with the head. It needs no goroutine
// of its own, and can be sent once more.
func (x *exchange) takeAtHand() {
	if x.in.Body == nil || x.peeked.prefix != nil || x.peeked.whole || x.in.Expect100 {
		return
	}
	if content, ok := x.in.Body.AtHand(maxAtHand); ok {
		x.peeked = peeked{prefix: content, whole: true}
		x.rec.BytesIn = int64(len(content))
	}
}

// errBodyLimit says that a body without a declared length grew over its limit.
var errBodyLimit = errors.New("request body over its limit")

// bodyProblem is the answer to a request whose body could not be read.
func bodyProblem(err error) Problem {
	var broken *http1.SyntaxError
	switch {
	case errors.As(err, &broken):
		return Problem{Kind: BadFraming, Detail: "In the body, " + broken.Rule + "."}
	case errors.Is(err, errBodyLimit):
		return Problem{Kind: TooLarge, Detail: "The body is over its limit."}
	case errors.Is(err, http1.ErrTooLarge):
		return Problem{Kind: TooLarge, Status: 431, Detail: "The trailer is over its limit."}
	case http1.IsTimeout(err):
		return Problem{Kind: RequestTimeout, Detail: "The body stopped arriving."}
	}
	return Problem{Kind: BadFraming, Detail: "The body broke off before its end."}
}
