package eventloop_test

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/homeward/homeward/internal/eventloop"
	"github.com/homeward/homeward/internal/testleak"
)

func TestMain(m *testing.M) { testleak.Main(m) }

// served is a loop that accepts connections.
type served struct {
	loop      *eventloop.Loop
	ln        *eventloop.Listener
	accepting sync.Mutex
}

func open(t testing.TB) *served {
	t.Helper()
	loop, err := eventloop.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(loop.Close)
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln, err := loop.Listen(tcp.(*net.TCPListener))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	return &served{loop: loop, ln: ln}
}

// connect is a connection in the loop, and its other end.
func (s *served) connect(t testing.TB) (*eventloop.Conn, *net.TCPConn) {
	t.Helper()
	c, peer := s.shortLived()
	t.Cleanup(func() { _, _ = peer.Close(), c.Close() })
	return c, peer
}

// pair is a connection in a loop of its own, and its other end.
func pair(t testing.TB) (*eventloop.Conn, *net.TCPConn) {
	t.Helper()
	return open(t).connect(t)
}

// echo sends something to the peer and back.
func echo(t testing.TB, c, peer net.Conn) {
	t.Helper()
	const text = "something"
	for _, way := range []struct{ from, to net.Conn }{{c, peer}, {peer, c}} {
		if _, err := way.from.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(text))
		if _, err := io.ReadFull(way.to, got); err != nil || string(got) != text {
			t.Fatalf("%q, %v", got, err)
		}
	}
}

func TestAddresses(t *testing.T) {
	s := open(t)
	c, peer := s.connect(t)
	if got := c.RemoteAddr().String(); got != peer.LocalAddr().String() || got != c.Peer().String() {
		t.Errorf("the peer is %s and %s, want %s", got, c.Peer(), peer.LocalAddr())
	}
	if got := c.LocalAddr().String(); got != s.ln.Addr().String() {
		t.Errorf("local is %s, want %s", got, s.ln.Addr())
	}
}

func TestReadsAndWrites(t *testing.T) {
	c, peer := pair(t)
	go func() { _, _ = io.Copy(peer, peer); _ = peer.CloseWrite() }()
	sent := make([]byte, 8<<20) // more than the sockets hold
	for i := range sent {
		sent[i] = byte(i * 7)
	}
	go func() {
		if _, err := c.Write(sent); err != nil {
			t.Errorf("write: %v", err)
		}
		_ = c.CloseWrite()
	}()
	got, err := io.ReadAll(c)
	if err != nil || string(got) != string(sent) {
		t.Fatalf("%d bytes of %d came back, %v", len(got), len(sent), err)
	}
}

func TestDeadlines(t *testing.T) {
	c, peer := pair(t)
	var b [8]byte
	timesOut := func(what string) {
		t.Helper()
		if _, err := c.Read(b[:]); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("%s: %v", what, err)
		}
	}
	c.AllowRead(time.Millisecond)
	timesOut("patience")
	timesOut("patience that is over")
	_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
	timesOut("deadline")
	c.AllowRead(0)
	time.AfterFunc(5*time.Millisecond, func() { _ = c.SetReadDeadline(time.Unix(1, 0)) })
	timesOut("interrupted")
	c.AllowRead(0)
	time.AfterFunc(5*time.Millisecond, func() { c.AllowRead(time.Millisecond) })
	timesOut("patience of a wait in progress")
	c.AllowRead(time.Minute)
	if _, err := peer.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(b[:]); n != 1 || err != nil {
		t.Fatalf("after deadlines: %d, %v", n, err)
	}
	c.AllowWrite(time.Millisecond)
	if n, err := c.Write(make([]byte, 64<<20)); !errors.Is(err, os.ErrDeadlineExceeded) || n == 0 {
		t.Fatalf("write to one that does not read: %d, %v", n, err)
	}
}
