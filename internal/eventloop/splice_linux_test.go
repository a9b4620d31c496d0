package eventloop_test

import (
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"github.com/homeward/homeward/internal/eventloop"
)

// What one connection has passes to another whole, and in order, however the
// connections take it.
func TestSplice(t *testing.T) {
	from, sender := pair(t)
	to, receiver := pair(t)
	sent := make([]byte, 5<<20+3)
	for i := range sent {
		sent[i] = byte(i * 31 >> 3)
	}
	go func() {
		_, _ = sender.Write(sent)
		_ = sender.CloseWrite()
	}()
	done := make(chan error, 1)
	go func() {
		got, err := io.ReadAll(receiver)
		if err == nil && string(got) != string(sent) {
			err = errors.New("something else came out")
		}
		done <- err
	}()
	for left := int64(len(sent)); left > 0; {
		n, _, err := to.Splice(from, left)
		if err != nil {
			t.Fatalf("%d bytes before the end: %v", left, err)
		}
		left -= n
	}
	if _, failed, err := to.Splice(from, 1); failed != from || !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %v, %v", failed, err)
	}
	if err := to.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// Splicing tells which side is to blame.
func TestSpliceFails(t *testing.T) {
	from, sender := pair(t)
	to, receiver := pair(t)
	from.AllowRead(time.Millisecond)
	if n, failed, err := to.Splice(from, 1<<20); n != 0 || failed != from || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("nothing to pass: %d, %v, %v", n, failed, err)
	}
	from.AllowRead(0)
	to.AllowWrite(time.Millisecond)
	go func() { _, _ = io.Copy(sender, zeroes{}) }()
	var failed *eventloop.Conn
	var err error
	for err == nil { // the receiver takes nothing
		_, failed, err = to.Splice(from, 1<<20)
	}
	if failed != to || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("nobody takes it: %v, %v", failed, err)
	}
	_ = receiver.Close()
	_ = to.Close()
	if _, failed, err := to.Splice(from, 1); failed != to || err == nil {
		t.Errorf("to a closed connection: %v, %v", failed, err)
	}
}

type zeroes struct{}

func (zeroes) Read(b []byte) (int, error) { return len(b), nil }
