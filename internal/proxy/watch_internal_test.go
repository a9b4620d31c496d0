package proxy

import (
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/homeward/homeward/internal/eventloop"
)

// halfClosed is a connection whose client has ended its side. It takes what is
// written after a while.
type halfClosed struct {
	net.Conn
	takes time.Duration
}

func (halfClosed) Read([]byte) (int, error)         { return 0, io.EOF }
func (halfClosed) SetReadDeadline(time.Time) error  { return nil }
func (halfClosed) SetWriteDeadline(time.Time) error { return nil }
func (h halfClosed) Write(b []byte) (int, error)    { time.Sleep(h.takes); return len(b), nil }
func (h halfClosed) watched(gone func()) (*conn, *watch) {
	c := &conn{client: &tracked{Transport: eventloop.Blocking(h)}, net: h}
	c.reader.Reset(h)
	w := &watch{conn: c, gone: gone, halfClosed: time.Second}
	w.done.Add(1)
	go w.Resume()
	return c, w
}

// A client that has ended its side and takes its answer has not gone, however
// long the answer is. One whose answer does not go on counts as gone.
func TestHalfClosedClientThatTakesItsAnswer(t *testing.T) {
	for name, c := range map[string]struct{ pause, takes time.Duration }{
		"an answer in pieces":   {900 * time.Millisecond, 0},
		"a client that is slow": {0, 5 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			var gone atomic.Bool
			conn, w := halfClosed{takes: c.takes}.watched(func() { gone.Store(true) })
			out := &answer{conn: conn, timeout: time.Minute}
			for range 10 {
				time.Sleep(c.pause)
				_ = out.write([]byte("piece"))
				if gone.Load() {
					t.Fatalf("%s: counts as gone", name)
				}
			}
			time.Sleep(2100 * time.Millisecond)
			if !gone.Load() {
				t.Errorf("%s: still there", name)
			}
			w.end()
		})
	}
}
