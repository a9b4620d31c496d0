package proxy

import (
	"errors"
	"io"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/homeward/homeward/internal/proxy/http1"
	"github.com/homeward/homeward/route"
)

// scripted is a hop whose writes fail with err, if that is not nil.
type scripted struct {
	hop
	err error

	mu      sync.Mutex
	got     []byte
	ended   bool
	aborted bool
	waits   bool // for the answer, not for ever
}

func (h *scripted) write(buf []byte, n int) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err != nil {
		return h.err
	}
	h.got = append(h.got, buf[http1.ChunkRoom:http1.ChunkRoom+n]...)
	return nil
}

func (h *scripted) finish([]route.Field) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = true
	return nil
}

func (h *scripted) abort() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.aborted = true
}

func (h *scripted) allowWrite(time.Duration) {}
func (h *scripted) stopWriting()             {}

func (h *scripted) allowRead(time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.waits = true
}

// spoken is a body whose pieces come when a test says so, and an error in the end.
type spoken struct {
	pieces chan string
	err    error
}

func (b *spoken) Read(p []byte) (int, error) {
	s, ok := <-b.pieces
	if !ok {
		return 0, b.err
	}
	return copy(p, s), nil
}

func (b *spoken) AtHand(int64) ([]byte, bool) { return nil, false }
func (b *spoken) Trailer() []route.Field      { return nil }
func (b *spoken) Interrupt()                  {}
func (b *spoken) Relax(time.Duration)         {}

// unwatched is a client that never leaves.
type unwatched struct{}

func (unwatched) Watch(func()) {}
func (unwatched) Unwatch()     {}

// speaking sends a body to a first hop, which has got a piece when it returns.
func speaking(t *testing.T, first hop, err error) (*sending, *spoken) {
	t.Helper()
	x := shadowed(t, 1)
	body := &spoken{pieces: make(chan string), err: err}
	x.in.Body = body
	x.in.Watcher = unwatched{}
	s := &sending{x: x, to: newOutlet(x, first, func() {}), done: make(chan struct{})}
	s.to.sent.whole = true // as over HTTP/2
	go s.run()
	body.pieces <- "first "
	return s, body
}

// A gateway to which a part of a body could not be sent gets neither the rest nor
// the end: it would take them for the whole.
func TestBodyWithAGapIsNotEnded(t *testing.T) {
	first := &scripted{}
	s, body := speaking(t, first, io.EOF)
	body.pieces <- "second " // the first has left
	giveUp(t, s, "first second ")
	second := &scripted{err: os.ErrDeadlineExceeded}
	s.to.turnTo(second, func() {})
	second.mu.Lock()
	second.err = nil
	second.mu.Unlock()
	body.pieces <- "third"
	close(body.pieces)
	<-s.done
	if len(second.got) > 0 || second.ended || !second.waits {
		t.Errorf("behind a gap came %q, ended: %v; waits for ever: %v", second.got, second.ended, !second.waits)
	}
}

// A client that breaks its body off while no hop has it is seen by the next.
func TestBodyBrokenOffBetweenHops(t *testing.T) {
	s, body := speaking(t, &scripted{}, io.ErrUnexpectedEOF)
	giveUp(t, s, "first ")
	close(body.pieces)
	<-s.done
	second := &scripted{}
	s.to.turnTo(second, func() {})
	if !second.aborted {
		t.Error("the next hop waits for a body that will not come")
	}
}

// What a gateway took no more of cannot go on to another: nobody sends the rest.
func TestBodyThatStoppedIsNotMoved(t *testing.T) {
	s, _ := speaking(t, &scripted{err: errors.New("no more")}, io.EOF)
	<-s.done
	if s.to.hold() {
		t.Error("a body that nobody sends was promised to another hop")
	}
}

// giveUp takes the body from its hop, which has got so much of it.
func giveUp(t *testing.T, s *sending, sent string) {
	t.Helper()
	for got := ""; got != sent; time.Sleep(time.Millisecond) {
		s.to.mu.Lock()
		got = string(s.to.sent.bytes[min(len(s.to.sent.bytes), http1.ChunkRoom):])
		s.to.mu.Unlock()
	}
	if !s.to.hold() {
		t.Fatal("nothing is kept for another hop")
	}
}
