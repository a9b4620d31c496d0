package http2client

import (
	"errors"
	"io"
	"time"

	"golang.org/x/net/http2"

	"github.com/homeward/homeward/route"
)

var errHeadRead = errors.New("the final head of the answer was read already")

// Stream is one request and its answer. It holds its slot until both have
// ended or it is cancelled: a caller that is done with it calls Cancel, which
// does no harm to a stream that has ended.
type Stream struct {
	conn *Conn
	id   uint32

	// mu of the connection guards everything below.
	in, out  side
	readErr  error // set when nothing more comes; io.EOF after the whole answer
	writeErr error // set when nothing more is sent; errEnded after the whole request
	canceled bool

	window   int64 // what may be sent
	credit   receipt
	heads    []Response // not read yet
	unread   int        // bytes of them
	body     queue      // likewise
	trailer  []route.Field
	answered bool // the final head has come
	connect  bool // the method is CONNECT
	bodyless bool // the answer has no body whatever its head says
	declared int64
	got      int64
}

// ReadHead waits for the next head of the answer: an interim one, or the final
// one, after which there is no other.
func (s *Stream) ReadHead(r *Response) error {
	c := s.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		if err := s.in.expired(); err != nil {
			return err
		}
		switch {
		case len(s.heads) > 0:
			*r = s.heads[0]
			s.unread -= r.size()
			s.heads[0] = Response{}
			s.heads = s.heads[1:]
			return nil
		case s.answered && !s.canceled:
			return errHeadRead
		case s.readErr != nil:
			return s.readErr
		}
		s.in.await()
	}
}

// Read reads the body of the answer. The error is io.EOF when the gateway has
// ended the answer, in order and at the length its head declared, and another
// one when it went away, reset the stream or broke the protocol, after what
// had come until then.
func (s *Stream) Read(p []byte) (int, error) {
	c := s.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		if err := s.in.expired(); err != nil {
			return 0, err
		}
		switch {
		case len(p) == 0:
			return 0, nil
		case !s.body.empty():
			n := s.body.read(p, &c.chunks)
			s.give(n)
			return n, nil
		case s.readErr != nil:
			return 0, s.readErr
		}
		s.in.await()
	}
}

// give lets the gateway send n bytes more. mu is held.
func (s *Stream) give(n int) {
	if s.readErr != nil {
		return
	}
	if n := s.credit.give(int64(n)); n > 0 {
		s.conn.post(control{frame: http2.FrameWindowUpdate, stream: s.id, value: n})
	}
}

// Buffered reports whether Read would return at once.
func (s *Stream) Buffered() bool {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	return !s.body.empty() || s.readErr != nil
}

// Trailer is the trailer of the answer, with canonical capitals, after Read
// has returned io.EOF.
func (s *Stream) Trailer() []route.Field {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	return s.trailer
}

// SetReadDeadline bounds ReadHead and Read, those that wait included: they
// fail with os.ErrDeadlineExceeded after it. The zero time means no bound.
func (s *Stream) SetReadDeadline(t time.Time) error {
	s.in.set(t)
	return nil
}

// SetWriteDeadline bounds how long Write waits for the gateway to allow more,
// as SetReadDeadline does. Bytes that are on their way into the connection are
// bounded by Options.Write.
func (s *Stream) SetWriteDeadline(t time.Time) error {
	s.out.set(t)
	return nil
}

// Cancel gives the stream up, unless it has ended both ways: the gateway is
// told, the slot is free, and calls fail with ErrCanceled, those that wait
// included. It may be called at any time and again.
func (s *Stream) Cancel() {
	c := s.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.canceled {
		return
	}
	s.canceled = true
	s.heads = nil
	s.body.drop(&c.chunks)
	if s.open() {
		if !s.answered {
			c.abandoned++
			c.retired = c.retired || c.abandoned >= maxAbandoned
		}
		s.reset(http2.ErrCodeCancel, ErrCanceled)
	}
	s.readErr, s.writeErr = ErrCanceled, ErrCanceled
}

// open reports whether the stream has an end that has not ended. mu is held,
// as for all below.
func (s *Stream) open() bool { return s.conn.streams[s.id] == s }

// reset ends an open stream both ways, for a reason of this side's.
func (s *Stream) reset(code http2.ErrCode, err error) {
	s.conn.post(control{frame: http2.FrameRSTStream, stream: s.id, value: uint32(code)})
	s.lose(err)
}

// lose ends a stream both ways without telling the gateway. An answer that has
// come as a whole stays whole.
func (s *Stream) lose(err error) {
	if s.readErr == nil {
		s.readErr = err
	}
	if s.writeErr == nil {
		s.writeErr = err
	}
	s.settle()
}

// settle frees the slot when both directions have ended, and wakes the callers.
func (s *Stream) settle() {
	s.in.Broadcast()
	s.out.Broadcast()
	c := s.conn
	if s.readErr == nil || s.writeErr == nil || !s.open() {
		return
	}
	delete(c.streams, s.id)
	if len(c.streams) == 0 {
		c.health.stop()
	}
	c.free()
}

// endAnswer is the end of what the gateway sends on an open stream.
func (s *Stream) endAnswer() {
	if s.declared < 0 || s.bodyless || s.got == s.declared {
		s.readErr = io.EOF
		s.settle()
		return
	}
	err := ProtocolError{"the answer is shorter than its Content-Length"}
	if s.writeErr != nil {
		s.lose(err) // closed on both sides: nothing may be sent on it
		return
	}
	s.reset(http2.ErrCodeProtocol, err)
}
