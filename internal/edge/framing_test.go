package edge_test

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/homeward/homeward/conformance"
	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/topology"
)

// smuggledRequest is behind what must be refused, and within what must not be read as
// a request. No cell may get it.
const smuggledRequest = "GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"

// probe is behind what must be read: its answer shows that the edge knew where
// that ended.
const probe = "GET /probe HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

// targets are those of the requests that cells got.
type targets struct {
	mu   sync.Mutex
	seen map[string]int
}

func (s *targets) note(r *testcell.Request) testcell.Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen[strings.Clone(r.Head.Target)]++
	return testcell.NoFault
}

// Streams of requests through a whole edge: at once, and byte by byte.
func TestFramingOfRequests(t *testing.T) { onBothPaths(t, framingOfRequests) }

func framingOfRequests(t *testing.T, goroutines bool) {
	vectors, err := conformance.ReadFraming()
	if err != nil {
		t.Fatal(err)
	}
	got := targets{seen: map[string]int{}}
	w := newWorldOn(t, goroutines, func(top *topology.Topology) { top.Timeouts.HalfClosed = topology.Duration(patience) }, testcell.Options{Fault: got.note})
	for _, v := range vectors.Requests {
		t.Run(v.Name, func(t *testing.T) {
			runStream(t, w.addr, v, len(v.Send)+len(smuggledRequest))
			// A client that goes on sending when it has asked for the end gets a reset.
			if len(v.Send) < 1000 && !v.Closes {
				runStream(t, w.addr, v, 1)
			}
		})
	}
	got.mu.Lock()
	defer got.mu.Unlock()
	if got.seen["/smuggled"] > 0 || got.seen["/probe"] == 0 {
		t.Errorf("the cells got %d smuggled requests and %d probes", got.seen["/smuggled"], got.seen["/probe"])
	}
}

// runStream sends a stream in pieces and checks what comes back.
func runStream(t *testing.T, addr string, v conformance.RequestStream, piece int) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	go func() {
		wire := []byte(v.Send)
		switch {
		case v.Cut != "":
		case v.Refuse != 0, v.Closes:
			wire = append(wire, smuggledRequest...)
		default:
			wire = append(wire, probe...)
		}
		for len(wire) > 0 {
			n, err := c.Write(wire[:min(piece, len(wire))])
			if wire = wire[n:]; err != nil {
				return // refused before all of it was sent
			}
		}
		if v.Cut != "" {
			_ = c.(*net.TCPConn).CloseWrite()
		}
	}()
	r := bufio.NewReader(c)
	w := &world{t: t}
	for _, m := range v.Read {
		checkRequest(t, m, w.final(r, string(m.Method)))
	}
	refuse := v.Refuse
	switch {
	case v.Cut != "":
		refuse = http.StatusBadRequest
	case refuse == 0 && !v.Closes:
		if got := w.final(r, "GET"); got.StatusCode != http.StatusOK || got.report.Target != "/probe" {
			t.Fatalf("a request behind it gets %d, %q", got.StatusCode, got.report.Target)
		}
	}
	if refuse != 0 {
		got := w.final(r, "GET")
		if kind := got.kind(); got.StatusCode != refuse || kind != "bad-framing" && kind != "too-large" {
			t.Fatalf("status %d, %q, want %d\n%s", got.StatusCode, kind, refuse, got.body)
		}
	}
	if _, err := r.ReadByte(); !errors.Is(err, io.EOF) {
		t.Fatalf("the connection goes on: %v", err)
	}
}

// checkRequest checks that a cell got the request as the vector has it.
func checkRequest(t *testing.T, want conformance.Message, got reply) {
	t.Helper()
	if !hasFacade(want) {
		if got.StatusCode != http.StatusMisdirectedRequest {
			t.Fatalf("another host than the facade gets %d", got.StatusCode)
		}
		return
	}
	if got.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %d\n%s", want.Method, want.Target, got.StatusCode, got.body)
	}
	if want.Method == "HEAD" {
		return
	}
	sum := sha256.Sum256([]byte(want.Body))
	expected := testcell.Report{
		Method: string(want.Method), Target: string(want.Target), Headers: endToEnd(want.Fields), Trailers: endToEnd(want.Trailer),
		BodyBytes: int64(len(want.Body)), BodySHA256: hex.EncodeToString(sum[:]),
	}
	r := got.report
	own := slices.IndexFunc(r.Headers, func(f [2]string) bool { return strings.HasPrefix(f[0], "X-Forwarded-") })
	if own < 0 {
		t.Fatal("the edge told nothing of the client")
	}
	r.Headers = slices.DeleteFunc(r.Headers, func(f [2]string) bool { return addedByEdge(f[0]) })
	actual := testcell.Report{Method: r.Method, Target: r.Target, Headers: r.Headers, Trailers: r.Trailers, BodyBytes: r.BodyBytes, BodySHA256: r.BodySHA256}
	if d := cmp.Diff(expected, actual); d != "" {
		t.Fatalf("the cell got another request (- want, + got)\n%s", d)
	}
}

func hasFacade(m conformance.Message) bool {
	for _, f := range m.Fields {
		if strings.EqualFold(string(f[0]), "Host") {
			host, _, _ := strings.Cut(string(f[1]), ":")
			return strings.EqualFold(host, "localhost")
		}
	}
	return false
}

// endToEnd are the fields that go on to the cell, as its report has them.
func endToEnd(fields [][2]conformance.Wire) [][2]string {
	out := [][2]string{}
	for _, f := range fields {
		if !addedByEdge(string(f[0])) {
			out = append(out, [2]string{string(f[0]), reported(string(f[1]))})
		}
	}
	return out
}

// addedByEdge reports whether a field ends at the edge, or comes from it.
func addedByEdge(name string) bool {
	name = strings.ToLower(name)
	switch name {
	case "connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade", "http2-settings", "x-request-id", "traceparent":
		return true
	}
	return strings.HasPrefix(name, "x-forwarded-") || strings.HasPrefix(name, "homeward-")
}

// reported is a value as a report has it: UTF-8, or else each byte a character.
func reported(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	out := make([]rune, len(s))
	for i := range len(s) {
		out[i] = rune(s[i])
	}
	return string(out)
}
