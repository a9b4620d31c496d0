package proxy

import (
	"errors"
	"io"

	"github.com/homeward/homeward/internal/eventloop"
)

const (
	// spliceFrom is how much of a body must be left so that it passes within the
	// kernel: a pipe and the calls it takes cost more than a copy of less.
	spliceFrom = 256 << 10
	// spliceLess is what the end of a request's body is copied of: it must be known
	// to be whole before the cell, which has it then, can answer it.
	spliceLess = 32 << 10
)

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

// splice passes some of the request's body to the cell within the kernel, waiting
// for some: both connections are TCP without TLS, and its length is known. It reports
// false, and has passed nothing, where that cannot be.
func (s *sending) splice() (spliced bool, err error) {
	body, ok := s.x.in.Body.(*requestBody)
	if s.copies = s.copies || !ok || !body.splices(); s.copies || body.body.Left() < spliceFrom {
		return false, nil
	}
	nothing := func() {} // is noted: HTTP/1.1 sends nothing once more that passed so
	err = s.to.pass(nothing, func(h hop) error {
		conn := loopOf(h)
		if conn == nil {
			s.copies = true
			return nil
		}
		n, failed, err := body.passTo(conn)
		s.x.rec.BytesIn += n
		if err != nil && failed == nil { // no pipe to be had
			s.copies = true
			return nil
		}
		if err != nil && failed != conn {
			s.clientErr = err
		}
		return err
	})
	return !s.copies, err
}

// loopOf is the connection of an exchange over HTTP/1.1 and TCP without TLS that
// waits in an event loop; nil of any other.
func loopOf(h hop) *eventloop.Conn {
	to, ok := h.(*http1Hop)
	if !ok {
		return nil
	}
	conn, _ := to.conn.Conn.(*eventloop.Conn)
	return conn
}

// splices reports whether what comes of the body comes from a connection that it can
// be spliced from.
func (b *requestBody) splices() bool {
	c := b.conn
	return c.client.loop != nil && !c.tls && len(c.client.unread) == 0
}

// passTo passes some of the body on, waiting for it, see eventloop.Conn.Splice.
func (b *requestBody) passTo(to *eventloop.Conn) (n int64, failed *eventloop.Conn, err error) {
	from := b.conn.client.loop
	if !b.mayRead() {
		return 0, from, errInterrupted
	}
	n, failed, err = to.Splice(from, b.body.Left()-spliceLess)
	if err == nil {
		err = b.body.Passed(n)
	} else if failed == from && errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, failed, err
}
