package eventloop_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/homeward/homeward/internal/eventloop"
)

// Patience is for waiting: what need not wait takes none of it.
func TestPatienceBeginsWithTheFirstWait(t *testing.T) {
	s := open(t)
	c, peer := s.connect(t)
	send(t, peer, "there")
	if err := c.AwaitRead(); err != nil {
		t.Fatal(err)
	}
	c.AllowRead(1)
	c.AllowWrite(1)
	s.settle(t) // longer than a nanosecond
	if _, err := c.Read(make([]byte, 10)); err != nil {
		t.Errorf("read: %v", err)
	}
	if _, err := c.Write([]byte("fits")); err != nil {
		t.Errorf("write: %v", err)
	}
	if _, err := c.Writev([]byte("fits"), []byte("too")); err != nil {
		t.Errorf("writev: %v", err)
	}
	for range 2 { // and once it is over it stays so
		if _, err := c.Read(make([]byte, 10)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read that waits: %v", err)
		}
	}
	if err := c.AwaitRead(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("await: %v", err)
	}
}

// A wait in progress ends when the time for it is changed, lifted and set again.
func TestDeadlineChangedDuringAWait(t *testing.T) {
	for name, change := range map[string]func(c *eventloop.Conn){
		"patience":        func(c *eventloop.Conn) { c.AllowRead(time.Millisecond) },
		"deadline":        func(c *eventloop.Conn) { _ = c.SetReadDeadline(time.Now().Add(time.Millisecond)) },
		"both directions": func(c *eventloop.Conn) { _ = c.SetDeadline(time.Now().Add(time.Millisecond)) },
		"past":            func(c *eventloop.Conn) { _ = c.SetReadDeadline(time.Unix(1, 0)) },
		"lifted and set": func(c *eventloop.Conn) {
			_ = c.SetReadDeadline(time.Time{})
			c.AllowRead(0)
			c.AllowRead(time.Millisecond)
		},
		"later and earlier": func(c *eventloop.Conn) {
			c.AllowRead(2 * time.Hour)
			_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := pair(t)
			c.AllowRead(time.Hour)
			ended := make(chan error)
			go func() { _, err := c.Read(make([]byte, 1)); ended <- err }()
			change(c)
			if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%v", err)
			}
		})
	}
}

// A write that runs out of time tells how much has gone.
func TestWriteThatIsLate(t *testing.T) {
	const size = 4 << 20
	sent := stream(1, size)
	for name, write := range map[string]func(c *eventloop.Conn) (int, error){
		"write": func(c *eventloop.Conn) (int, error) { return c.Write(sent) },
		"writev": func(c *eventloop.Conn) (int, error) {
			return c.Writev(sent[:100], nil, sent[100:size/2], sent[size/2:])
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, peer := pair(t)
			_ = peer.SetReadBuffer(1 << 16)
			c.AllowWrite(time.Millisecond)
			n, err := write(c)
			if !errors.Is(err, os.ErrDeadlineExceeded) || n == 0 || n == size {
				t.Fatalf("%d bytes, %v", n, err)
			}
			if more, err := c.Write(sent[n:]); more != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%d more, %v", more, err)
			}
			_ = c.Close()
			if got, err := io.ReadAll(peer); err != nil || !bytes.Equal(got, sent[:n]) {
				t.Errorf("the peer has %d bytes of %d, or others: %v", len(got), n, err)
			}
		})
	}
}

// Many connections run out of time together and one by one; those that have more
// are left alone.
func TestDeadlinesOfMany(t *testing.T) {
	s := open(t)
	var all sync.WaitGroup
	for i := range 150 {
		c, peer := s.connect(t)
		all.Go(func() {
			if i%3 == 0 {
				c.AllowRead(time.Hour)
				echo(t, c, peer)
				return
			}
			c.AllowRead(time.Duration(i%10+1) * time.Millisecond)
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("connection %d: %v", i, err)
			}
			c.AllowRead(time.Hour) // and may then go on
			echo(t, c, peer)
		})
	}
	all.Wait()
}
