package load

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/homeward/homeward/internal/testleak"
)

func TestMain(m *testing.M) { testleak.Main(m) }

// cells is a server that counts the requests of each token.
type cells struct {
	mu     sync.Mutex
	tokens map[string]int
	status int
}

func (s *cells) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	s.mu.Lock()
	s.tokens[r.Header.Get("Authorization")+" "+r.Method+" "+r.URL.Path+" "+r.Host]++
	status := s.status
	s.mu.Unlock()
	w.Header().Set("Content-Length", "1024")
	w.WriteHeader(status)
	_, _ = w.Write(make([]byte, 1024))
}

// serve runs a server and returns what asks it.
func serve(t *testing.T, status int, secure bool) (*cells, Target) {
	t.Helper()
	s := &cells{tokens: map[string]int{}, status: status}
	server := httptest.NewUnstartedServer(s)
	if secure {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	return s, Target{Address: server.Listener.Addr().String(), TLS: secure, Host: "example.com", Path: "/v1", Tokens: []string{"a", "b"}}
}

// late ticks once, after a while, for all periods that have passed.
type late struct{ wait time.Duration }

func (l late) Wait() (int, error) {
	time.Sleep(l.wait)
	return int(^uint(0) >> 1), nil
}

func (late) Close() error { return nil }

func TestOpenLoopSendsAtItsRate(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("tls %t", secure), func(t *testing.T) {
			s, target := serve(t, http.StatusOK, secure)
			r, err := Job{Kind: OpenLoop, Target: target, Rate: 400, Connections: 4, Duration: 250 * time.Millisecond}.do(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if r.Requests != 100 || r.Errors != 0 || r.P50 <= 0 || r.P999 < r.P99 || r.P99 < r.P50 {
				t.Errorf("got %+v", r)
			}
			if r.Took < 250*time.Millisecond {
				t.Errorf("100 requests at 400 a second took %s", r.Took)
			}
			if n := s.tokens["Bearer a GET /v1 example.com"]; n == 0 || n == 100 {
				t.Errorf("%d requests with the first token: %v", n, s.tokens)
			}
		})
	}
}

// TestLatencyCountsFromWhenARequestWasDue has the requests of the first 50 ms
// sent a fifth of a second too late: that is part of what they took.
func TestLatencyCountsFromWhenARequestWasDue(t *testing.T) {
	_, target := serve(t, http.StatusOK, false)
	const wait = 200 * time.Millisecond
	o := &openLoop{target: target, rate: 1000, connections: 2, duration: 50 * time.Millisecond,
		tick: func(time.Duration) (ticker, error) { return late{wait}, nil }}
	r, err := o.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.Requests != 50 || r.P50 < wait-50*time.Millisecond {
		t.Errorf("got %+v", r)
	}
}

func TestDue(t *testing.T) {
	o := &openLoop{rate: 4}
	began := time.Unix(100, 0)
	for n, want := range map[int]time.Duration{0: 250 * time.Millisecond, 7: 2 * time.Second} {
		if got := o.due(began, n).Sub(began); got != want {
			t.Errorf("request %d is due after %s, want %s", n, got, want)
		}
	}
}

func TestLoadsTellOfFailures(t *testing.T) {
	for _, secure := range []bool{false, true} {
		for _, kind := range []string{OpenLoop, Handshakes} {
			t.Run(fmt.Sprintf("%s tls %t", kind, secure), func(t *testing.T) {
				_, target := serve(t, http.StatusServiceUnavailable, secure)
				r, err := Job{Kind: kind, Target: target, Rate: 100, Connections: 2, Duration: 50 * time.Millisecond}.do(t.Context())
				if !errors.Is(err, errStatus) {
					t.Errorf("got %+v, %v", r, err)
				}
			})
		}
	}
}

func TestOpenLoopEndsWithItsContext(t *testing.T) {
	for _, secure := range []bool{false, true} {
		_, target := serve(t, http.StatusOK, secure)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := (Job{Kind: OpenLoop, Target: target, Rate: 100, Connections: 2, Duration: time.Hour}).do(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("tls %t: got %v", secure, err)
		}
	}
}

func TestHandshakes(t *testing.T) {
	s, target := serve(t, http.StatusOK, true)
	target.Post = 100
	r, err := Job{Kind: Handshakes, Target: target, Connections: 3, Duration: 50 * time.Millisecond}.do(t.Context())
	if err != nil || r.Requests < 3 || r.Took <= 0 {
		t.Errorf("got %+v, %v", r, err)
	}
	total := 0
	for what, n := range s.tokens {
		if what != "Bearer a POST /v1 example.com" && what != "Bearer b POST /v1 example.com" {
			t.Errorf("asked for %q", what)
		}
		total += n
	}
	if int64(total) != r.Requests {
		t.Errorf("%d requests arrived, %d were counted", total, r.Requests)
	}
}

// TestPieces has an answer arrive in pieces of a byte, and two reads for a body.
func TestPieces(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		r := bufio.NewReader(conn)
		for {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			_ = req.Body.Close()
			for _, b := range []byte("HTTP/1.1 200 OK\r\nX: y\r\ncontent-length: 5\r\n\r\nhello") {
				_, _ = conn.Write([]byte{b})
			}
		}
	}()
	target := Target{Address: l.Addr().String(), Host: "example.com", Path: "/", Tokens: []string{"a"}}
	r, err := Job{Kind: OpenLoop, Target: target, Rate: 100, Connections: 1, Duration: 100 * time.Millisecond}.do(t.Context())
	if err != nil || r.Requests != 10 {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestParseHead(t *testing.T) {
	for _, test := range []struct {
		text   string
		length int
		rest   string
		err    error
	}{
		{"HTTP/1.1 200 OK\r\nContent-Le", -1, "", nil},
		{"HTTP/1.1 200 OK\r\nA: b\r\nContent-Length:  12 \r\n\r\nhel", 12, "hel", nil},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 0, "", errStatus},
		{"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", 0, "", errStatus},
		{"HTTP/1.1 503 No\r\nContent-Length: 1\r\n\r\n", 0, "", errStatus},
	} {
		length, rest, err := parseHead([]byte(test.text))
		if length != test.length || string(rest) != test.rest || !errors.Is(err, test.err) {
			t.Errorf("%q: %d, %q, %v", test.text, length, rest, err)
		}
	}
}

func TestHold(t *testing.T) {
	s, target := serve(t, http.StatusOK, false)
	var held Held
	defer held.Close()
	if err := held.Hold(t.Context(), target, 101); err != nil {
		t.Fatal(err)
	}
	if err := held.Check(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int{"Bearer a GET /v1 example.com": 103}, s.tokens); diff != "" {
		t.Error(diff)
	}
	_ = held.clients[100].conn.Close()
	if err := held.Check(); err == nil {
		t.Error("a connection that has ended passes for one that is held")
	}
}
