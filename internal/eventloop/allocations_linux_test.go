//go:build !race

package eventloop_test

import (
	"io"
	"testing"
	"time"

	"github.com/homeward/homeward/internal/eventloop"
)

// The race detector makes pools forget at random, so this is not for its builds.

// answering answers what comes on a connection that is parked in between, and
// says when it is done.
type answering struct {
	c     *eventloop.Conn
	b     [100]byte
	ended chan error
}

func (a *answering) Resume() {
	for {
		a.c.Impatient(true)
		n, err := a.c.Read(a.b[:])
		a.c.Impatient(false)
		if eventloop.WouldWait(err) {
			a.c.AllowRead(time.Hour)
			a.c.Park(a)
			return
		}
		if err == nil {
			a.c.AllowWrite(time.Hour)
			_, err = a.c.Writev(a.b[:n/2], a.b[n/2:n])
		}
		if err != nil {
			a.ended <- err
			return
		}
	}
}

// A round trip on a kept connection allocates nothing, whether a goroutine waits for
// it or none.
func TestRoundTripAllocatesNothing(t *testing.T) {
	s := open(t)
	const text = "something to be sent"
	there, back := []byte(text), make([]byte, len(text))
	waiting, peer := s.connect(t)
	echoed := make(chan error)
	go func() { _, err := io.Copy(struct{ io.Writer }{peer}, struct{ io.Reader }{peer}); echoed <- err }()
	allocations := testing.AllocsPerRun(1000, func() {
		waiting.AllowRead(time.Hour)
		waiting.AllowWrite(time.Hour)
		if _, err := waiting.Write(there); err != nil {
			t.Fatal(err)
		}
		if err := waiting.AwaitRead(); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(waiting, back); err != nil || string(back) != text {
			t.Fatalf("%q, %v", back, err)
		}
	})
	if allocations != 0 {
		t.Errorf("where a goroutine waits: %v allocations", allocations)
	}
	_ = waiting.CloseWrite()
	if err := <-echoed; err != nil {
		t.Error(err)
	}
	parked, client := s.connect(t)
	a := &answering{c: parked, ended: make(chan error)}
	parked.Park(a)
	allocations = testing.AllocsPerRun(1000, func() {
		if _, err := client.Write(there); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(client, back); err != nil || string(back) != text {
			t.Fatalf("%q, %v", back, err)
		}
	})
	if allocations != 0 {
		t.Errorf("parked: %v allocations", allocations)
	}
	_ = client.CloseWrite()
	if err := <-a.ended; err != io.EOF {
		t.Error(err)
	}
}
