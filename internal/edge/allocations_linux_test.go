package edge_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"math"
	"net"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/homeward/homeward/internal/config"
	"github.com/homeward/homeward/internal/edge"
	"github.com/homeward/homeward/internal/testcert"
	"github.com/homeward/homeward/topology"
)

// plainGet is the request that matters most: small, with a bearer credential, on a
// connection that stays.
const plainGet = "GET /crm/v3/objects?limit=10 HTTP/1.1\r\nHost: api.homeward.test\r\nUser-Agent: bench\r\nAccept: */*\r\n" +
	"Authorization: Bearer " + euToken + "\r\n\r\n"

// load is one request over and over, and its answer, between a client and a cell
// that allocate nothing themselves.
type load struct {
	request []byte
	answer  int // bytes of its body
	chunked bool
	secure  bool
	log     io.Writer // of accesses; nil for none
}

func getting(answer int) load { return load{request: []byte(plainGet), answer: answer} }

func posting(size int) load {
	head := "POST /crm/v3/objects HTTP/1.1\r\nHost: api.homeward.test\r\nAuthorization: Bearer " + euToken +
		"\r\nContent-Length: " + strconv.Itoa(size) + "\r\n\r\n"
	return load{request: append([]byte(head), make([]byte, size)...), answer: 1 << 10}
}

func gettingChunks(answer int) load {
	l := getting(answer)
	l.chunked = true
	return l
}

func (l load) over(secure bool) load { l.secure = secure; return l }

func (l load) logged() load { l.log = io.Discard; return l }

// steady is a client's connection to an edge with all that is on by default, that
// has been used before.
type steady struct {
	load
	conn net.Conn
	size int // of the answer as it comes
	room []byte
}

// warmUp is how often a request is made before anything is counted: pools and
// rings fill, and what is made for each cell or connection is there.
const warmUp = 500

func (l load) open(tb testing.TB) *steady {
	tb.Helper()
	top, err := config.LoadFile("../../examples/demo.yaml")
	if err != nil {
		tb.Fatal(err)
	}
	top.Timeouts.Connect = topology.Duration(patience)
	origin := l.origin(tb)
	for i := range top.Cells {
		top.Cells[i].Gateways = []string{"http://" + origin}
	}
	e, err := edge.Open(edge.Config{Topology: top, Log: slog.New(slog.DiscardHandler), AccessLog: l.log})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = e.Shutdown(ctx, 0)
	})
	front, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	s := &steady{load: l, room: make([]byte, 16<<10)}
	pair := testcert.New(tb, testcert.Options{})
	var config *tls.Config
	if l.secure {
		config = &tls.Config{Certificates: []tls.Certificate{pair.TLS(tb)}, MinVersion: tls.VersionTLS13}
	}
	go func() { _ = e.Serve(front, config) }()
	if s.conn, err = net.Dial("tcp", front.Addr().String()); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.conn.Close() })
	_ = s.conn.SetDeadline(time.Now().Add(10 * patience))
	if l.secure {
		s.conn = tls.Client(s.conn, &tls.Config{RootCAs: pair.Pool(), ServerName: "localhost", MinVersion: tls.VersionTLS13})
	}
	s.size = s.first(tb)
	for range warmUp {
		s.once(tb)
	}
	return s
}

// first makes the first request, and returns the length of its whole answer, as
// that of all others.
func (s *steady) first(tb testing.TB) int {
	tb.Helper()
	if _, err := s.conn.Write(s.request); err != nil {
		tb.Fatal(err)
	}
	last := []byte{filler}
	if s.chunked {
		last = []byte("\r\n0\r\n\r\n")
	}
	var answer []byte
	for bytes.Count(answer, []byte{filler}) < s.answer || !bytes.HasSuffix(answer, last) {
		n, err := s.conn.Read(s.room)
		if err != nil {
			tb.Fatalf("%v after %q", err, answer)
		}
		answer = append(answer, s.room[:n]...)
	}
	return len(answer)
}

// once makes the request once more.
func (s *steady) once(tb testing.TB) {
	if _, err := s.conn.Write(s.request); err != nil {
		tb.Fatal(err)
	}
	for left := s.size; left > 0; {
		n, err := s.conn.Read(s.room[:min(left, len(s.room))])
		if err != nil {
			tb.Fatal(err)
		}
		if left == s.size && !bytes.HasPrefix(s.room[:n], []byte("HTTP/1.1 200 ")) {
			tb.Fatalf("%q", s.room[:n])
		}
		left -= n
	}
}

// filler is what bodies of answers are made of: it is in no head.
const filler = '#'

// origin is a cell that gives the same answer to each request.
func (l load) origin(tb testing.TB) (addr string) {
	tb.Helper()
	body := bytes.Repeat([]byte{filler}, l.answer)
	answer := append([]byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: "+strconv.Itoa(l.answer)+"\r\n\r\n"), body...)
	if l.chunked {
		answer = append([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"+strconv.FormatInt(int64(l.answer), 16)+"\r\n"), body...)
		answer = append(answer, "\r\n0\r\n\r\n"...)
	}
	length := 0 // of the body of the request
	if _, body, found := bytes.Cut(l.request, []byte("\r\n\r\n")); found {
		length = len(body)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go repeat(c, length, answer)
		}
	}()
	return listener.Addr().String()
}

// repeat answers requests, which come one at a time and have bodies of length bytes.
func repeat(c net.Conn, length int, answer []byte) {
	defer c.Close()
	room := make([]byte, 64<<10)
	for have := 0; ; {
		n, err := c.Read(room[have:])
		if err != nil {
			return
		}
		have += n
		head := bytes.Index(room[:have], []byte("\r\n\r\n"))
		if head < 0 || have < head+4+length {
			continue
		}
		have = 0
		if _, err := c.Write(answer); err != nil {
			return
		}
	}
}

// BenchmarkPlainGet is what a request allocates in the whole process: the client
// and the cell nothing, and the edge, with its metrics, its last decisions and its
// deadlines, nothing either. TestPlainGetAllocatesNothing holds that.
func BenchmarkPlainGet(b *testing.B) {
	for _, bench := range []struct {
		name string
		load load
	}{
		{"default", getting(1 << 10)},
		{"access log", getting(1 << 10).logged()},
		{"tls", getting(1 << 10).over(true)},
		{"64k answer", getting(64 << 10)},
		{"16k post", posting(16 << 10)},
	} {
		b.Run(bench.name, func(b *testing.B) {
			s := bench.load.open(b)
			b.ReportAllocs()
			for b.Loop() {
				s.once(b)
			}
		})
	}
}

// A request allocates nothing in the steady state. What fills pools and rings does
// so in the first rounds and not in all. crypto/tls allocates 24 bytes whenever it
// is asked for the next record: for a GET once in this client and twice in the edge,
// which asks for the next request before it parks the connection.
func TestPlainGetAllocatesNothing(t *testing.T) {
	const rounds, requests = 5, 2000
	for _, test := range []struct {
		name string
		load load
		most float64 // objects a request, in the best round
	}{
		{"GET", getting(1 << 10), 0.05},
		{"GET, logged", getting(1 << 10).logged(), 0.05},
		{"GET of a chunked answer", gettingChunks(1 << 10), 0.05},
		{"GET of 64 KiB", getting(64 << 10), 0.05},
		{"POST of 1 KiB", posting(1 << 10), 0.05},
		{"POST of 16 KiB", posting(16 << 10), 0.05},
		{"GET over TLS", getting(1 << 10).over(true), 3.3},
		{"POST of 16 KiB over TLS", posting(16 << 10).over(true), 8},
		{"GET of 64 KiB over TLS", getting(64 << 10).over(true), 8},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := test.load.open(t)
			test.most += poolLoss
			least := math.Inf(1)
			for round := 0; round < rounds && least > test.most; round++ {
				least = min(least, s.allocations(t, requests))
			}
			t.Logf("%.4f objects a request", least)
			if least > test.most {
				t.Errorf("%.3f objects a request, more than %.2f", least, test.most)
			}
		})
	}
}

// allocations is how many objects the process allocates for a request, over so many.
func (s *steady) allocations(t *testing.T, requests int) float64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range requests {
		s.once(t)
	}
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / float64(requests)
}
