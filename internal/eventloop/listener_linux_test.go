package eventloop_test

import (
	"errors"
	"net"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

func TestListenerClosed(t *testing.T) {
	s := open(t)
	accepted := make(chan error)
	go func() { _, err := s.ln.Accept(); accepted <- err }()
	if err := s.ln.Close(); err != nil {
		t.Error(err)
	}
	if err := <-accepted; !errors.Is(err, net.ErrClosed) {
		t.Errorf("accept in progress: %v", err)
	}
	if _, err := s.ln.AcceptConn(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("accept: %v", err)
	}
	if c, err := net.Dial("tcp", s.ln.Addr().String()); err == nil {
		_ = c.Close()
		t.Error("the port still takes connections")
	}
}

// All who connect at once are accepted, however many the loop is told of together.
func TestManyConnectAtOnce(t *testing.T) {
	const conns = 300
	s := open(t)
	var all sync.WaitGroup
	for range conns {
		all.Go(func() {
			c, err := net.Dial("tcp", s.ln.Addr().String())
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = c.Read(make([]byte, 1)) // until it is closed
			_ = c.Close()
		})
	}
	for range conns {
		c, err := s.ln.AcceptConn()
		if err != nil {
			t.Fatal(err)
		}
		_ = c.Close()
	}
	all.Wait()
}

// A process that has no descriptor to spare may accept the connection later.
func TestOutOfDescriptors(t *testing.T) {
	s := open(t)
	peer, err := net.Dial("tcp", s.ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 1, Max: limit.Max}); err != nil {
		t.Fatal(err)
	}
	_, err = s.ln.AcceptConn()
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	var ne interface{ Temporary() bool }
	if !errors.Is(err, unix.EMFILE) || !errors.As(err, &ne) || !ne.Temporary() {
		t.Errorf("not a temporary error: %v", err)
	}
	c, err := s.ln.AcceptConn()
	if err != nil {
		t.Fatal(err)
	}
	echo(t, c, peer)
	_ = c.Close()
}

// Take leaves nothing of the connection that it was.
func TestTake(t *testing.T) {
	s := open(t)
	peer, near := s.shortLived()
	c, err := s.loop.Take(near)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := near.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the connection that it was: %v", err)
	}
	echo(t, c, peer)
	if got := c.Peer().String(); got != s.ln.Addr().String() {
		t.Errorf("the peer is %s", got)
	}
	_, _ = c.Close(), peer.Close()
	if _, err := s.loop.Take(near); !errors.Is(err, net.ErrClosed) {
		t.Errorf("one that is closed: %v", err)
	}
}

// A loop that has ended takes nothing, and leaves no descriptor behind.
func TestLoopClosed(t *testing.T) {
	s := open(t)
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	near, err := net.Dial("tcp", tcp.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	peer, err := tcp.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	_ = s.ln.Close()
	s.loop.Close()
	s.loop.Close()
	if _, err := s.loop.Take(near.(*net.TCPConn)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("%v, want %v", err, net.ErrClosed)
	}
	if _, err := peer.Read(make([]byte, 1)); err == nil {
		t.Error("the connection stays open")
	}
}
