package proxy

import (
	"errors"
	"io"
	"sync/atomic"

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
	x    *exchange
	to   *outlet
	done chan struct{} // closed when nothing reads the client's body any more

	clientWhole  atomic.Bool // the client's body was read to its end
	clientFailed atomic.Bool // set before the cell's connection is closed for it
	// Valid once done is closed.
	whole     bool  // the cell has all of it
	clientErr error // the client's side failed
	watching  bool
	copies    bool // the body cannot pass within the kernel
}

// send starts sending the body; the head was written already. leave is what to do
// when the client leaves.
func (x *exchange) send(h hop, leave func()) *sending {
	s := &sending{x: x, to: newOutlet(x, h, leave), done: make(chan struct{})}
	go s.run()
	return s
}

func (s *sending) run() {
	defer close(s.done)
	defer s.x.proxy.survive(s.to.breakOff)
	buf := s.x.proxy.pieces.Get().(*[]byte)
	defer s.x.proxy.pieces.Put(buf)
	if s.x.in.WatchesApart { // a cell that takes no more would hide that the client has left
		s.watch()
	}
	err := s.copy(*buf)
	if s.clientErr != nil {
		// The reader of the answer wakes up and finds that the client failed.
		s.clientFailed.Store(true)
		s.to.breakOff()
		return
	}
	s.to.done(err)
	if err != nil {
		return // the cell's side failed: it may have answered all the same
	}
	s.whole = true
	if !s.watching {
		s.watch()
	}
}

func (s *sending) watch() {
	s.watching = true
	s.x.in.Watcher.Watch(s.to.clientLeft)
}

func (s *sending) copy(buf []byte) error {
	in := s.x.in
	for rest := s.x.peeked.prefix; len(rest) > 0; {
		n := copy(buf[http1.ChunkRoom:len(buf)-2], rest)
		rest = rest[n:]
		if err := s.to.write(buf, n); err != nil {
			return err
		}
	}
	limit := int64(s.x.state.Limits.Body)
	for !s.x.peeked.whole {
		if spliced, err := s.splice(); err != nil {
			return err
		} else if spliced {
			continue
		}
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
			if err := s.to.write(buf, n); err != nil {
				return err
			}
		}
		if err != nil {
			break
		}
	}
	return s.to.finish(s.x.state.trailerFields(in.Body.Trailer()))
}

// finish ends the sending, interrupting it if it still goes on, and reports
// whether the cell has the whole body.
func (s *sending) finish() bool {
	select {
	case <-s.done:
	default:
		s.to.close()
		s.x.in.Body.Interrupt()
		<-s.done
	}
	if s.watching {
		s.x.in.Watcher.Unwatch()
		s.watching = false
	}
	return s.whole
}

// taken reports whether the client's body was read to its end, so that the
// client's connection can go on.
func (s *sending) taken() bool { return s.clientWhole.Load() }
