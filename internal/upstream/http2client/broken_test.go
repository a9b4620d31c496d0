package http2client_test

import (
	"errors"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/homeward/homeward/internal/upstream/http2client"
)

// failing is a connection that takes no more bytes once broken is set.
type failing struct {
	net.Conn
	broken atomic.Bool
	failed chan struct{} // has a value when a write failed
}

func (f *failing) Write(p []byte) (int, error) {
	if !f.broken.Load() {
		return f.Conn.Write(p)
	}
	select {
	case f.failed <- struct{}{}:
	default:
	}
	return 0, syscall.EPIPE
}

func broken(t *testing.T) (*http2client.Conn, *failing, *peer) {
	t.Helper()
	near, far := socket(t)
	p := newPeer(t, far)
	p.must(p.fr.WriteSettings())
	f := &failing{Conn: near, failed: make(chan struct{}, 1)}
	return open(t, f, http2client.Options{}), f, p
}

// TestGoneBeforeTheHead has a gateway go away just as a request is written: its
// GOAWAY, which comes after the write failed, tells that the request may be
// sent elsewhere.
func TestGoneBeforeTheHead(t *testing.T) {
	c, f, p := broken(t)
	if !c.Reserve() {
		t.Fatal("no slot")
	}
	p.settle()
	f.broken.Store(true)
	go func() {
		<-f.failed
		_ = p.fr.WriteGoAway(0, http2.ErrCodeNo, nil)
		p.nc.Close()
	}()
	if _, err := c.Begin(get("/"), true); !errors.Is(err, http2client.ErrRefused) {
		t.Error(err)
	}
}

// TestWriteFailsAfterTheAnswer has what the gateway said before it left read,
// though the connection can no longer be written.
func TestWriteFailsAfterTheAnswer(t *testing.T) {
	c, f, p := broken(t)
	s := begin(t, c, post("/"), false)
	p.settle()
	f.broken.Store(true)
	if _, err := s.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
		t.Error(err)
	}
	if c.Reserve() {
		t.Error("a slot of a connection that cannot be written")
	}
	p.head(1, false, ":status", "503")
	p.data(1, true, "left")
	if r := readHead(t, s); r.Status != 503 {
		t.Errorf("%+v", r)
	}
	if got := readAll(t, s); got != "left" {
		t.Errorf("%q", got)
	}
	p.nc.Close()
}

// timed is a connection that knows until when it may be written.
type timed struct {
	net.Conn
	until atomic.Pointer[time.Time]
}

func (d *timed) SetWriteDeadline(t time.Time) error {
	d.until.Store(&t)
	return d.Conn.SetWriteDeadline(t)
}

// TestNoDeadlineBetweenWrites has a connection be written: the bound of that is lifted
// after it. TLS writes on its own when the gateway asks for new keys, and reads
// nothing more if it cannot.
func TestNoDeadlineBetweenWrites(t *testing.T) {
	near, far := socket(t)
	p := newPeer(t, far)
	p.must(p.fr.WriteSettings())
	d := &timed{Conn: near}
	c := open(t, d, http2client.Options{})
	exchange(t, c, p, 1)
	p.settle()
	for late := time.Now().Add(10 * time.Second); !d.until.Load().IsZero(); time.Sleep(time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("nothing is written, and nothing may be after %v", d.until.Load())
		}
	}
}
