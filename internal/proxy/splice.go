package proxy

import (
	"errors"
	"io"

	"github.com/homeward/homeward/internal/eventloop"
)

// spliceFrom is how much of a body must be left so that it passes within the
// kernel: a pipe and the calls it takes cost more than a copy of less.
const spliceFrom = 256 << 10

// spliced is the rest of an answer that may pass from the cell's connection to the
// client's within the kernel: both are TCP without TLS, and its length is known.
type spliced struct {
	from *http1Answer
	conn *eventloop.Conn // of from
	to   *answer
}

// spliceable reports whether the rest of an answer may pass so, as far as it is not
// at hand already.
func spliceable(body answerBody, out Answer) (s spliced, ok bool) {
	if s.from, ok = body.(*http1Answer); !ok || s.from.Left() < spliceFrom {
		return s, false
	}
	if s.to, ok = out.(*answer); !ok || s.to.conn.client.loop == nil || s.to.conn.tls {
		return s, false
	}
	if s.conn, ok = s.from.conn.Conn.(*eventloop.Conn); ok {
		s.from.conn.Reader.Release() // what is on its way needs no buffer
	}
	return s, ok
}

// next passes on what is there, waiting for some. With copied, that must be done
// otherwise: there is no pipe to be had.
func (s spliced) next() (n int64, end, copied bool, by Abort) {
	a := s.to
	a.conn.client.AllowWrite(a.timeout)
	a.conn.writes.Add(1)
	n, failed, err := a.conn.client.loop.Splice(s.conn, s.from.Left())
	a.conn.writes.Add(1)
	a.left -= n
	switch {
	case err == nil:
		return n, errors.Is(s.from.Passed(n), io.EOF), false, NotAborted
	case failed == nil:
		return 0, false, true, NotAborted
	case failed == s.conn:
		return n, false, false, UpstreamAborted
	}
	return n, false, false, ClientAborted
}
