package eventloop_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/homeward/homeward/internal/eventloop"
)

// stream is bytes that are not like any others of the test.
func stream(seed uint64, n int) []byte {
	b, random := make([]byte, n), rand.New(rand.NewPCG(seed, 1))
	for i := range b {
		b[i] = byte(random.Int())
	}
	return b
}

// sizes are of reads and writes: small and large ones, and those at the edges of
// what sockets and records are.
var sizes = []int{1, 2, 7, 536, 1460, 4096, 16384, 65536, 1 << 18}

// late reports whether a call only ran out of time, and gives it more.
func late(c *eventloop.Conn, err error) bool {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	c.AllowRead(time.Hour)
	c.AllowWrite(time.Hour)
	return true
}

// readAll reads to the end, in pieces of any size.
func readAll(c *eventloop.Conn, random *rand.Rand) (got []byte, err error) {
	b := make([]byte, sizes[len(sizes)-1])
	for {
		n, err := c.Read(b[:sizes[random.IntN(len(sizes))]])
		got = append(got, b[:n]...)
		if err == io.EOF {
			return got, nil
		} else if err != nil && !late(c, err) {
			return got, err
		}
	}
}

// writeAll writes in pieces of any size, one or several at once, and ends its side.
func writeAll(c *eventloop.Conn, b []byte, random *rand.Rand) error {
	for len(b) > 0 {
		var n int
		var err error
		if size := sizes[random.IntN(len(sizes))]; random.IntN(2) == 0 {
			n, err = c.Write(b[:min(size, len(b))])
		} else {
			var parts [6][]byte
			rest := b
			for i := range parts {
				k := min(random.IntN(size+1), len(rest))
				parts[i], rest = rest[:k], rest[k:]
			}
			n, err = c.Writev(parts[:]...)
		}
		b = b[n:]
		if err != nil && !late(c, err) {
			return err
		}
	}
	return c.CloseWrite()
}

// Everything arrives, both ways at once and in order, while deadlines come and go
// and connections beside are closed in the middle.
func TestStress(t *testing.T) {
	const conns, size = 8, 2 << 20
	s := open(t)
	var all sync.WaitGroup
	for i := range conns {
		c, peer := s.connect(t)
		there, back := stream(uint64(2*i), size), stream(uint64(2*i+1), size)
		all.Go(func() {
			if err := writeAll(c, there, rand.New(rand.NewPCG(uint64(i), 2))); err != nil {
				t.Errorf("write: %v", err)
			}
		})
		all.Go(func() {
			got, err := readAll(c, rand.New(rand.NewPCG(uint64(i), 3)))
			if err != nil || !bytes.Equal(got, back) {
				t.Errorf("read %d bytes of %d, or others: %v", len(got), len(back), err)
			}
		})
		all.Go(func() { _, _ = peer.Write(back); _ = peer.CloseWrite() })
		all.Go(func() {
			if got, err := io.ReadAll(peer); err != nil || !bytes.Equal(got, there) {
				t.Errorf("the peer has %d bytes of %d, or others: %v", len(got), len(there), err)
			}
		})
		all.Go(func() {
			for n := range 200 {
				switch n % 4 {
				case 0:
					_ = c.SetDeadline(time.Unix(1, 0))
				case 1:
					c.AllowRead(time.Microsecond)
				case 2:
					c.AllowWrite(time.Microsecond)
				case 3:
					_ = c.SetDeadline(time.Now().Add(time.Microsecond))
				}
				short, shortPeer := s.shortLived()
				go func() { _, _ = shortPeer.Write(back[:100_000]); _ = shortPeer.Close() }()
				go func() { _ = short.Close() }()
				_, _ = io.Copy(io.Discard, short)
			}
			c.AllowRead(time.Hour)
			c.AllowWrite(time.Hour)
		})
	}
	all.Wait()
}

// shortLived is a connection that is closed before the test ends.
func (s *served) shortLived() (*eventloop.Conn, *net.TCPConn) {
	s.accepting.Lock()
	defer s.accepting.Unlock()
	peer, err := net.Dial("tcp", s.ln.Addr().String())
	if err != nil {
		panic(err)
	}
	c, err := s.ln.AcceptConn()
	if err != nil {
		panic(err)
	}
	return c, peer.(*net.TCPConn)
}

// News that come late, for a descriptor that another connection has by now, are
// not that one's; and each that was parked is resumed, once.
func TestDescriptorsUsedAgain(t *testing.T) {
	s := open(t)
	stay, stayPeer := s.connect(t)
	for range 500 {
		c, peer := s.shortLived()
		r := make(resumed, 2)
		c.Park(r)
		go func() { _, _ = peer.Write([]byte("late")); _ = peer.Close() }()
		_ = c.Close()
		other, otherPeer := s.shortLived() // has the number of c, unless the peer is faster
		otherResumed := make(resumed, 2)
		other.Park(otherResumed)
		<-r
		echo(t, stay, stayPeer)
		if !other.Unpark() || len(otherResumed) != 0 {
			t.Fatal("another connection was resumed")
		}
		_, _ = other.Close(), otherPeer.Close()
		if len(r) != 0 {
			t.Fatal("resumed twice")
		}
	}
}

// One connection that always has something does not keep others from going on,
// even on a single processor.
func TestOneThatNeverWaits(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	s := open(t)
	busy, flood := s.connect(t)
	var all sync.WaitGroup
	all.Go(func() {
		for b := make([]byte, 1<<16); ; {
			if _, err := flood.Write(b); err != nil {
				return
			}
		}
	})
	all.Go(func() {
		for b := make([]byte, 1); ; {
			if _, err := busy.Read(b); err != nil {
				return
			}
		}
	})
	c, peer := s.connect(t)
	for range 100 {
		echo(t, c, peer)
	}
	_ = busy.Close()
	_ = flood.Close()
	all.Wait()
}
