package proxy

import (
	"errors"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/homeward/homeward/internal/proxy/http1"
	"github.com/homeward/homeward/internal/upstream/http2client"
	"github.com/homeward/homeward/route"
)

// pieceSize is the most of a body that moves at once.
const pieceSize = 32 << 10

// newPiece makes a buffer for bodies, with room to frame a chunk in place.
func newPiece() any {
	b := make([]byte, http1.ChunkRoom+pieceSize+2)
	return &b
}

// keepSize is how much of a body is kept while the gateway may still say that it
// did not process the request, and another connection take all of it once more.
const keepSize = 16 << 10

// sending is a request body on its way to the cell, while the answer may
// already be coming back.
type sending struct {
	x        *exchange
	patience time.Duration // for the cell to take a piece
	done     chan struct{} // closed when nothing reads the client's body any more

	mu       sync.Mutex
	turned   sync.Cond     // hop, headRead, over or held has changed
	hop      hop           // which it goes to
	leave    func()        // what to do when the client leaves after its body
	gone     bool          // the client has left
	headRead bool          // the answer's head is there: its deadline is no longer ours to set
	over     bool          // nobody gets the rest
	held     bool          // hop is given up, and another will take its place
	keeps    bool          // kept is all that was sent
	kept     []byte        // behind room for framing
	ended    bool          // the body is at its end
	trailer  []route.Field // of a body that is

	clientWhole  atomic.Bool // the client's body was read to its end
	clientFailed atomic.Bool // set before the cell's connection is closed for it
	// Valid once done is closed.
	whole     bool  // the cell has all of it
	clientErr error // the client's side failed
	stopWatch func()
}

// send starts sending the body; the head was written already.
func (x *exchange) send(h hop, leave func()) *sending {
	s := &sending{x: x, patience: x.writePatience(), hop: h, leave: leave, done: make(chan struct{})}
	s.turned.L = &s.mu
	_, s.keeps = h.(*http2Hop)
	go s.run()
	return s
}

func (s *sending) run() {
	defer close(s.done)
	defer s.x.proxy.survive(func() { s.current().abort() })
	buf := s.x.proxy.pieces.Get().(*[]byte)
	defer s.x.proxy.pieces.Put(buf)
	err := s.copy(*buf)
	if s.clientErr != nil {
		// The cell must not take a part for the whole. The reader of the
		// answer wakes up and finds that the client failed.
		s.clientFailed.Store(true)
		s.current().abort()
		return
	}
	s.mu.Lock()
	if err != nil {
		s.keeps = false // nobody would send the rest to another
	}
	if !s.headRead {
		s.hop.readBy(time.Now().Add(s.x.headPatience()))
	}
	s.mu.Unlock()
	if err != nil {
		return // the cell's side failed: it may have answered all the same
	}
	s.whole = true
	s.stopWatch = s.x.in.Watch(s.left)
}

func (s *sending) current() hop {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hop
}

// left runs when the client has left after its body.
func (s *sending) left() {
	s.mu.Lock()
	s.gone = true
	leave := s.leave
	s.mu.Unlock()
	leave()
}

// answered says that the head of the answer was read.
func (s *sending) answered() {
	s.mu.Lock()
	s.headRead, s.keeps, s.kept = true, false, nil
	s.turned.Broadcast()
	s.mu.Unlock()
}

// hold stops the sending where it is, if another hop could have all that was sent.
func (s *sending) hold() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = s.keeps && !s.gone && !s.over && !s.clientFailed.Load()
	return s.held
}

// moveTo gives another hop, to which the head was written, what was sent so far,
// and has the rest sent there. What fails in it shows in the answer.
func (s *sending) moveTo(h hop, leave func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hop, s.leave, s.held = h, leave, false
	s.turned.Broadcast()
	switch {
	case s.gone:
		leave()
		return
	case s.clientFailed.Load(): // which the hop before was told
		h.abort()
		return
	}
	h.writeBy(time.Now().Add(s.patience))
	if n := len(s.kept) - http1.ChunkRoom; n > 0 {
		framed := append(slices.Clone(s.kept), 0, 0)
		if err := h.write(framed, n); err != nil && !errors.Is(err, http2client.ErrRefused) {
			s.over = true // neither more of the body nor its end may follow a gap
			h.readBy(time.Now().Add(s.x.headPatience()))
			return
		}
	}
	if s.ended {
		_ = h.finish(s.trailer)
		h.readBy(time.Now().Add(s.x.headPatience()))
	}
}

func (s *sending) copy(buf []byte) error {
	in := s.x.in
	for rest := s.x.peeked.prefix; len(rest) > 0; {
		n := copy(buf[http1.ChunkRoom:len(buf)-2], rest)
		rest = rest[n:]
		if err := s.write(buf, n); err != nil {
			return err
		}
	}
	limit := int64(s.x.state.Limits.Body)
	for !s.x.peeked.whole {
		n, err := in.Body.Read(buf[http1.ChunkRoom : len(buf)-2])
		if s.x.rec.BytesIn += int64(n); limit > 0 && s.x.rec.BytesIn > limit {
			err = errBodyLimit
		}
		if err != nil && !errors.Is(err, io.EOF) {
			s.clientErr = err
			return err
		}
		if err != nil {
			// Before the cell can answer what it got: the answer's head depends on it.
			s.clientWhole.Store(true)
		}
		if n > 0 {
			if err := s.write(buf, n); err != nil {
				return err
			}
		}
		if err != nil {
			break
		}
	}
	return s.finishBody(s.x.state.trailerFields(in.Body.Trailer()))
}

func (s *sending) write(buf []byte, n int) error {
	return s.pass(func() {
		if s.keeps = s.keeps && max(0, len(s.kept)-http1.ChunkRoom)+n <= keepSize; !s.keeps {
			s.kept = nil
			return
		}
		if s.kept == nil {
			s.kept = make([]byte, http1.ChunkRoom, http1.ChunkRoom+n+2)
		}
		s.kept = append(s.kept, buf[http1.ChunkRoom:http1.ChunkRoom+n]...)
	}, func(h hop) error { return h.write(buf, n) })
}

func (s *sending) finishBody(trailer []route.Field) error {
	return s.pass(func() { s.ended, s.trailer = true, trailer }, func(h hop) error { return h.finish(trailer) })
}

// pass notes what is sent, and sends it. If the gateway says that it did not
// process the request, it waits for what becomes of that: a hop that takes its
// place has got what was noted.
func (s *sending) pass(note func(), send func(hop) error) error {
	s.mu.Lock()
	for s.held && !s.over {
		s.turned.Wait()
	}
	if s.over {
		s.mu.Unlock()
		return errInterrupted
	}
	note()
	hop := s.hop
	hop.writeBy(time.Now().Add(s.patience))
	s.mu.Unlock()
	err := send(hop)
	if err == nil {
		return nil
	}
	refused := errors.Is(err, http2client.ErrRefused)
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.hop == hop && !s.over && (s.held || refused && s.keeps) {
		s.turned.Wait()
	}
	if s.hop != hop {
		return nil
	}
	return err
}

// finish ends the sending, interrupting it if it still goes on, and reports
// whether the cell has the whole body.
func (s *sending) finish() bool {
	select {
	case <-s.done:
	default:
		s.mu.Lock()
		s.over = true
		s.turned.Broadcast()
		s.hop.writeBy(time.Unix(1, 0))
		s.mu.Unlock()
		s.x.in.Body.Interrupt()
		<-s.done
	}
	if s.stopWatch != nil {
		s.stopWatch()
		s.stopWatch = nil
	}
	return s.whole
}

// taken reports whether the client's body was read to its end, so that the
// client's connection can go on.
func (s *sending) taken() bool { return s.clientWhole.Load() }
