package eventloop_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/homeward/homeward/internal/eventloop"
	"github.com/homeward/homeward/internal/testcert"
	"golang.org/x/sys/unix"
)

// settle has the loop tell of all that happened before.
func (s *served) settle(t testing.TB) {
	t.Helper()
	c, peer := s.connect(t)
	echo(t, c, peer)
}

func send(t testing.TB, peer net.Conn, text string) {
	t.Helper()
	if _, err := peer.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
}

// The peer's end is found behind what it sent before, in whatever order the loop
// tells of both, and with any size of reads.
func TestHalfClose(t *testing.T) {
	const text = "what was sent before"
	for name, size := range map[string]int{"byte by byte": 1, "exactly": len(text), "with room": 100} {
		for when, told := range map[string]bool{"told before": true, "told meanwhile": false} {
			t.Run(name+" "+when, func(t *testing.T) {
				s := open(t)
				c, peer := s.connect(t)
				send(t, peer, text)
				if err := peer.CloseWrite(); err != nil {
					t.Fatal(err)
				}
				if told {
					s.settle(t)
				}
				var got strings.Builder
				if _, err := io.CopyBuffer(struct{ io.Writer }{&got}, struct{ io.Reader }{c}, make([]byte, size)); err != nil || got.String() != text {
					t.Errorf("%q, %v", got.String(), err)
				}
				for range 2 {
					if _, err := c.Read(make([]byte, 1)); err != io.EOF {
						t.Errorf("after its end: %v", err)
					}
				}
				if err := c.AwaitRead(); err != nil {
					t.Errorf("waiting after its end: %v", err)
				}
				send(t, c, text) // it may still read
				if err := c.CloseWrite(); err != nil {
					t.Fatal(err)
				}
				if b, err := io.ReadAll(peer); err != nil || string(b) != text {
					t.Errorf("the way back: %q, %v", b, err)
				}
			})
		}
	}
}

func TestReset(t *testing.T) {
	s := open(t)
	c, peer := s.connect(t)
	wrote := make(chan error)
	go func() {
		var err error
		for err == nil {
			_, err = c.Write(make([]byte, 1<<20))
		}
		wrote <- err
	}()
	_, _ = io.ReadFull(peer, make([]byte, 1))
	_ = peer.SetLinger(0)
	_ = peer.Close()
	if err := <-wrote; !errors.Is(err, unix.ECONNRESET) && !errors.Is(err, unix.EPIPE) {
		t.Errorf("write: %v", err)
	}
	for { // one of the two learns why
		if _, err := c.Read(make([]byte, 1)); err != nil {
			break
		}
	}
	if c.Quiet() {
		t.Error("it could be used")
	}
}

func TestQuiet(t *testing.T) {
	for name, test := range map[string]struct {
		happens func(c *eventloop.Conn, peer *net.TCPConn)
		want    bool
	}{
		"nothing": {func(*eventloop.Conn, *net.TCPConn) {}, true},
		"data":    {func(_ *eventloop.Conn, peer *net.TCPConn) { _, _ = peer.Write([]byte("x")) }, false},
		"end":     {func(_ *eventloop.Conn, peer *net.TCPConn) { _ = peer.CloseWrite() }, false},
		"reset":   {func(_ *eventloop.Conn, peer *net.TCPConn) { _ = peer.SetLinger(0); _ = peer.Close() }, false},
		"data that was read": {func(c *eventloop.Conn, peer *net.TCPConn) {
			_, _ = peer.Write([]byte("x"))
			_, _ = c.Read(make([]byte, 1)) // no less than there is: that nothing is left is not known
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			c, peer := s.connect(t)
			test.happens(c, peer)
			s.settle(t)
			for range 2 {
				if got := c.Quiet(); got != test.want {
					t.Errorf("quiet: %v, want %v", got, test.want)
				}
			}
		})
	}
}

// Pending spares a system call: what was read with room to spare was all.
func TestPending(t *testing.T) {
	s := open(t)
	c, peer := s.connect(t)
	if c.Pending() {
		t.Error("of nothing")
	}
	send(t, peer, "ab")
	if err := c.AwaitRead(); err != nil || !c.Pending() {
		t.Fatalf("not of data, %v", err)
	}
	for _, read := range []struct {
		size    int
		pending bool
	}{{1, true}, {2, false}} {
		s.settle(t)
		if n, err := c.Read(make([]byte, read.size)); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		if got := c.Pending(); got != read.pending {
			t.Errorf("after a read of %d: %v", read.size, got)
		}
	}
}

// An impatient TLS connection goes on where it would have waited, also within a record.
func TestImpatientWithinATLSRecord(t *testing.T) {
	s := open(t)
	c, peer := s.connect(t)
	held := &holding{Conn: peer}
	cert := testcert.New(t, testcert.Options{})
	server := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert.TLS(t)}})
	client := tls.Client(held, &tls.Config{RootCAs: cert.Pool(), ServerName: "localhost"})
	shaken := make(chan error)
	go func() { shaken <- client.Handshake() }()
	if err := server.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-shaken; err != nil {
		t.Fatal(err)
	}
	held.hold = true
	send(t, client, "a record")
	var got [100]byte
	for i := range held.bytes {
		c.Impatient(true)
		if n, err := server.Read(got[:]); n != 0 || !eventloop.WouldWait(err) {
			t.Fatalf("byte %d: %d, %v", i, n, err)
		}
		c.Impatient(false)
		send(t, peer, string(held.bytes[i:i+1]))
		if err := c.AwaitRead(); err != nil {
			t.Fatal(err)
		}
	}
	c.AllowRead(time.Minute)
	if n, err := server.Read(got[:]); string(got[:n]) != "a record" || err != nil {
		t.Errorf("%q, %v", got[:n], err)
	}
}

// holding keeps back what is written.
type holding struct {
	net.Conn
	hold  bool
	bytes []byte
}

func (h *holding) Write(b []byte) (int, error) {
	if !h.hold {
		return h.Conn.Write(b)
	}
	h.bytes = append(h.bytes, b...)
	return len(b), nil
}
