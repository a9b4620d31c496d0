package proxy

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/homeward/homeward/internal/proxy/http1"
)

// pieceSize is the most of a body that moves at once.
const pieceSize = 32 << 10

// newPiece makes a buffer for bodies, with room to frame a chunk in place.
func newPiece() any {
	b := make([]byte, http1.ChunkRoom+pieceSize+2)
	return &b
}

// sending is a request body on its way to the cell, while the answer may
// already be coming back.
type sending struct {
	x     *exchange
	hop   hop
	leave func()        // what to do when the client leaves after its body
	done  chan struct{} // closed when nothing reads the client's body any more

	mu       sync.Mutex
	headRead bool // the answer's head is there: its deadline is no longer ours to set

	clientWhole  atomic.Bool // the client's body was read to its end
	clientFailed atomic.Bool // set before the cell's connection is closed for it
	// Valid once done is closed.
	whole     bool  // the cell has all of it
	clientErr error // the client's side failed
	stopWatch func()
}

// send starts sending the body; the head was written already.
func (x *exchange) send(h hop, leave func()) *sending {
	s := &sending{x: x, hop: h, leave: leave, done: make(chan struct{})}
	go s.run()
	return s
}

func (s *sending) run() {
	defer close(s.done)
	defer s.x.proxy.survive(s.hop.abort)
	buf := s.x.proxy.pieces.Get().(*[]byte)
	defer s.x.proxy.pieces.Put(buf)
	err := s.copy(*buf)
	if s.clientErr != nil {
		// The cell must not take a part for the whole. The reader of the
		// answer wakes up and finds that the client failed.
		s.clientFailed.Store(true)
		s.hop.abort()
		return
	}
	s.mu.Lock()
	if !s.headRead {
		s.hop.readBy(time.Now().Add(s.x.headPatience()))
	}
	s.mu.Unlock()
	if err != nil {
		return // the cell's side failed: it may have answered all the same
	}
	s.whole = true
	s.stopWatch = s.x.in.Watch(s.leave)
}

// answered says that the head of the answer was read.
func (s *sending) answered() {
	s.mu.Lock()
	s.headRead = true
	s.mu.Unlock()
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
	s.hop.writeBy(time.Now().Add(s.x.state.Timeouts.Write.Std()))
	return s.hop.finish(s.x.state.trailerFields(in.Body.Trailer()))
}

func (s *sending) write(buf []byte, n int) error {
	s.hop.writeBy(time.Now().Add(s.x.state.Timeouts.Write.Std()))
	return s.hop.write(buf, n)
}

// finish ends the sending, interrupting it if it still goes on, and reports
// whether the cell has the whole body.
func (s *sending) finish() bool {
	select {
	case <-s.done:
	default:
		s.x.in.Body.Interrupt()
		s.hop.writeBy(time.Unix(1, 0))
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
