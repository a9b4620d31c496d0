package eventloop

import (
	"io"
	"net"
	"testing"
	"time"
)

// fed is inert with the other end of the connection.
func fed(t *testing.T, l *Loop) (c *Conn, peer *net.TCPConn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	nc, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	other, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })
	if c, err = l.Take(nc.(*net.TCPConn)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c, other.(*net.TCPConn)
}

// until is how long a test waits for what must happen.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

// A patience begins anew when something has moved; a deadline, and a time that is
// over, do not.
func TestRenew(t *testing.T) {
	c := inert(t)
	s := &c.out
	s.allow(c, time.Hour)
	s.arm(c)
	if armed := s.until.Load(); armed <= passed {
		t.Fatalf("armed, the time is %d", armed)
	}
	if s.renew(); s.until.Load() != -int64(time.Hour) {
		t.Errorf("renewed, the time is %d, want the patience", s.until.Load())
	}
	s.setUntil(c, time.Now().Add(time.Hour))
	deadline := s.until.Load()
	if s.renew(); s.until.Load() != deadline {
		t.Errorf("a deadline became %d", s.until.Load())
	}
	s.allow(c, time.Hour)
	s.setUntil(c, time.Unix(1, 0))
	if s.renew(); s.until.Load() != passed {
		t.Errorf("a time that is over became %d", s.until.Load())
	}
	s.allow(c, 0)
	if s.renew(); s.until.Load() != never {
		t.Errorf("no limit became %d", s.until.Load())
	}
}

// The time that a peer has to take what is written begins anew with what it takes,
// however it is written.
func TestWhoeverTakesSomethingHasMoreTime(t *testing.T) {
	l, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	much := make([]byte, 64<<20) // more than is taken, and buffered
	for name, write := range map[string]func(c *Conn) error{
		"Write":  func(c *Conn) error { _, err := c.Write(much); return err },
		"Writev": func(c *Conn) error { _, err := c.Writev(much[:1], much[1:]); return err },
		"Splice": func(c *Conn) error {
			from, source := fed(t, l)
			go func() { _, _ = source.Write(much) }()
			for left := int64(len(much)); left > 0; {
				n, _, err := c.Splice(from, left)
				if err != nil {
					return err
				}
				left -= n
			}
			return nil
		},
	} {
		c, peer := fed(t, l)
		c.AllowWrite(time.Hour)
		written := make(chan error, 1)
		go func() { written <- write(c) }()
		waits := func(after int64) func() bool {
			return func() bool { return c.out.state.Load() == waiting && c.out.until.Load() > after }
		}
		until(t, name+": it waits", waits(passed))
		first := c.out.until.Load()
		if _, err := io.CopyN(io.Discard, peer, 8<<20); err != nil { // so that it goes on, and waits again
			t.Fatal(err)
		}
		until(t, name+": it waits for longer", waits(first))
		_ = c.Close()
		<-written
	}
}

// Who waits for something to splice holds no pipe meanwhile.
func TestSpliceWaitsWithoutPipe(t *testing.T) {
	l, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	from, source := fed(t, l)
	to, sink := fed(t, l)
	spliced := make(chan int64, 1)
	go func() {
		n, _, _ := to.Splice(from, 1<<20)
		spliced <- n
	}()
	until(t, "it waits", func() bool { return from.in.state.Load() == waiting })
	if n := l.pipesOpen.Load(); n != 0 {
		t.Errorf("%d pipes are open while nothing passes", n)
	}
	_, _ = source.Write([]byte("hello"))
	if n := <-spliced; n != 5 {
		t.Errorf("%d bytes passed", n)
	}
	got := make([]byte, 5)
	if _, err := sink.Read(got); err != nil || string(got) != "hello" {
		t.Errorf("%q, %v came out", got, err)
	}
}
