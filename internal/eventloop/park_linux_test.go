package eventloop_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/homeward/homeward/internal/eventloop"
)

// echoing echoes what comes on a connection that is parked in between.
type echoing struct {
	t     testing.TB
	c     *eventloop.Conn
	owned atomic.Bool // somebody has the connection: it is not parked
	ended chan error
}

func (e *echoing) park() {
	e.owned.Store(false)
	e.c.Park(e)
}

// own takes the connection, which nobody else may have.
func (e *echoing) own() {
	if !e.owned.CompareAndSwap(false, true) {
		e.t.Error("two have the connection")
	}
}

// Resume implements eventloop.Resumer.
func (e *echoing) Resume() {
	e.own()
	b := make([]byte, 1500)
	for {
		e.c.Impatient(true)
		n, err := e.c.Read(b)
		e.c.Impatient(false)
		switch {
		case eventloop.WouldWait(err):
			e.park()
			return
		case errors.Is(err, os.ErrDeadlineExceeded):
			e.c.AllowRead(0)
			continue
		case err == nil:
			_, err = e.c.Write(b[:n])
		}
		if err != nil {
			e.ended <- err
			return
		}
	}
}

// disturb takes the connection back now and then, and has its time end.
func (e *echoing) disturb(times int) {
	for i := range times {
		if i%2 == 0 {
			_ = e.c.SetReadDeadline(time.Unix(1, 0))
		}
		if e.c.Unpark() {
			e.own()
			e.park()
		}
	}
}

// A connection that is parked is gone on with when there is something to read,
// whatever else happens to it at the same time, and by one goroutine.
func TestParkedConnectionsAreResumed(t *testing.T) {
	const conns, messages = 8, 300
	s := open(t)
	var all sync.WaitGroup
	for i := range conns {
		c, peer := s.connect(t)
		e := &echoing{t: t, c: c, ended: make(chan error, 1)}
		e.park()
		all.Go(func() { e.disturb(5 * messages) })
		all.Go(func() {
			random := rand.New(rand.NewPCG(uint64(i), 1))
			sent, got := make([]byte, 4096), make([]byte, 4096)
			for range messages {
				n := 1 + random.IntN(len(sent))
				for j := range sent[:n] {
					sent[j] = byte(random.Int())
				}
				if _, err := peer.Write(sent[:n]); err != nil {
					t.Error(err)
				}
				if _, err := io.ReadFull(peer, got[:n]); err != nil || !bytes.Equal(got[:n], sent[:n]) {
					t.Errorf("another echo, %v", err)
					return
				}
			}
			want := io.EOF
			if i%2 == 0 {
				want = net.ErrClosed
				_ = c.Close()
			} else {
				_ = peer.CloseWrite()
			}
			if err := <-e.ended; !errors.Is(err, want) {
				t.Errorf("it ended with %v, want %v", err, want)
			}
		})
	}
	all.Wait()
}

// resumed counts.
type resumed chan struct{}

func (r resumed) Resume() { r <- struct{}{} }

func TestPark(t *testing.T) {
	nothing := func(*eventloop.Conn, *net.TCPConn) {}
	data := func(_ *eventloop.Conn, peer *net.TCPConn) { _, _ = peer.Write([]byte("x")) }
	for name, test := range map[string]struct {
		before, after func(c *eventloop.Conn, peer *net.TCPConn)
		want          error // of Read
	}{
		"data there":            {func(c *eventloop.Conn, peer *net.TCPConn) { data(c, peer); _ = c.AwaitRead() }, nothing, nil},
		"data":                  {nothing, data, nil},
		"end":                   {nothing, func(_ *eventloop.Conn, peer *net.TCPConn) { _ = peer.CloseWrite() }, io.EOF},
		"closed":                {nothing, func(c *eventloop.Conn, _ *net.TCPConn) { _ = c.Close() }, net.ErrClosed},
		"closed before":         {func(c *eventloop.Conn, _ *net.TCPConn) { _ = c.Close() }, nothing, net.ErrClosed},
		"patience":              {func(c *eventloop.Conn, _ *net.TCPConn) { c.AllowRead(time.Millisecond) }, nothing, os.ErrDeadlineExceeded},
		"patience while parked": {nothing, func(c *eventloop.Conn, _ *net.TCPConn) { c.AllowRead(time.Millisecond) }, os.ErrDeadlineExceeded},
		"less patience":         {func(c *eventloop.Conn, _ *net.TCPConn) { c.AllowRead(time.Hour) }, func(c *eventloop.Conn, _ *net.TCPConn) { c.AllowRead(time.Millisecond) }, os.ErrDeadlineExceeded},
		"deadline":              {nothing, func(c *eventloop.Conn, _ *net.TCPConn) { _ = c.SetReadDeadline(time.Now().Add(time.Millisecond)) }, os.ErrDeadlineExceeded},
		"deadline passed":       {func(c *eventloop.Conn, _ *net.TCPConn) { _ = c.SetDeadline(time.Unix(1, 0)) }, nothing, os.ErrDeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			c, peer := pair(t)
			test.before(c, peer)
			r := make(resumed)
			c.Park(r)
			test.after(c, peer)
			<-r
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, test.want) {
				t.Errorf("%v, want %v", err, test.want)
			}
			if c.Unpark() {
				t.Error("it is still parked")
			}
		})
	}
}

// A connection that was taken back is not resumed, and is parked again as ever.
func TestUnpark(t *testing.T) {
	c, peer := pair(t)
	first, second := make(resumed), make(resumed)
	c.Park(first)
	if !c.Unpark() {
		t.Fatal("it is not parked")
	}
	if c.Unpark() {
		t.Error("it is parked twice")
	}
	c.Park(second)
	if _, err := peer.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	select {
	case <-second:
	case <-first:
		t.Error("resumed for whom it was taken from")
	}
	if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
		t.Error(err)
	}
}
