package edge_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/topology"
)

// An event reaches the client before the next one exists.
func TestEventsAreNotHeldBack(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{})
	for _, client := range w.clients() {
		ctx, cancel := context.WithCancel(t.Context())
		req, _ := http.NewRequestWithContext(ctx, "GET", client.base+"/sse?n=3&ms=3600000", nil)
		req.Host = "localhost"
		resp, err := client.http.Do(req)
		if err != nil {
			t.Fatalf("%s: %v", client.name, err)
		}
		line, err := bufio.NewReader(resp.Body).ReadString('\n')
		if err != nil || line == "" {
			t.Errorf("%s: %q, %v", client.name, line, err)
		}
		cancel()
		resp.Body.Close()
	}
}

// What the client sends comes back while it is still sending.
func TestDuplex(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{})
	for _, client := range w.clients() {
		pr, pw := io.Pipe()
		req, _ := http.NewRequest("POST", client.base+"/duplex", pr)
		req.Host = "localhost"
		go func() { _, _ = io.WriteString(pw, "0\n") }()
		resp, err := client.http.Do(req)
		if err != nil {
			t.Fatalf("%s: %v", client.name, err)
		}
		r := bufio.NewReader(resp.Body)
		for i := range 20 {
			line, err := r.ReadString('\n')
			if err != nil || line != fmt.Sprintf("%d\n", i) {
				t.Fatalf("%s: round %d: %q, %v", client.name, i, line, err)
			}
			if _, err := fmt.Fprintf(pw, "%d\n", i+1); err != nil {
				t.Fatalf("%s: %v", client.name, err)
			}
		}
		pw.Close()
		if _, err := io.Copy(io.Discard, r); err != nil {
			t.Errorf("%s: the end: %v", client.name, err)
		}
		resp.Body.Close()
	}
}

func TestTrailersPassBothWays(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{})
	for _, client := range w.clients() {
		for _, path := range []string{"/x", "/duplex"} {
			req, _ := http.NewRequest("POST", client.base+path, io.MultiReader(strings.NewReader("abc")))
			req.Host = "localhost"
			req.Trailer = http.Header{"X-Sum": {"1"}, "Homeward-Cell": {"eu1"}, "Private-Token": {euToken}}
			r := client.do(t, req)
			switch {
			case path == "/duplex" && (r.Trailer.Get("X-Sum") != "1" || r.Trailer.Get("Homeward-Cell") != ""):
				t.Errorf("%s: the answer's trailer is %v", client.name, r.Trailer)
			case path == "/x" && fmt.Sprint(r.report.Trailers) != "[[X-Sum 1]]":
				t.Errorf("%s: the request's trailer is %v", client.name, r.report.Trailers)
			case path == "/x" && !slices.ContainsFunc(r.report.Headers, func(h [2]string) bool { return h[0] == "Trailer" && strings.Contains(h[1], "X-Sum") }):
				t.Errorf("%s: the trailer is not announced: %v", client.name, r.report.Headers)
			}
		}
	}
}

func TestContinueComesFromTheCell(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{})
	for _, client := range w.clients() {
		if client.proto == "HTTP/2.0" {
			continue // the library answers Expect itself
		}
		continued := false
		req, _ := http.NewRequest("POST", client.base+"/x", strings.NewReader("abc"))
		req.Host = "localhost"
		req.Header.Set("Expect", "100-continue")
		req = req.WithContext(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got100Continue: func() { continued = true }}))
		if r := client.do(t, req); r.report.BodyBytes != 3 || !continued {
			t.Errorf("%s: %d bytes, continued %v", client.name, r.report.BodyBytes, continued)
		}
	}
	// On a path where the body is looked into, the edge says it, once.
	c := w.dial()
	_, _ = io.WriteString(c, "POST /oauth/v1/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"+
		"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n")
	r := bufio.NewReader(c)
	if line, _ := r.ReadString('\n'); line != "HTTP/1.1 100 Continue\r\n" {
		t.Fatalf("got %q", line)
	}
	_, _ = r.ReadString('\n')
	_, _ = io.WriteString(c, "a=b&c")
	got := w.read(r, "POST")
	if got.StatusCode != 200 || got.report.BodyBytes != 5 {
		t.Errorf("%d %s", got.StatusCode, got.body)
	}
	for _, h := range got.report.Headers {
		if strings.EqualFold(h[0], "Expect") {
			t.Error("the cell was asked to continue what is sent already")
		}
	}
}

func TestAnswersWithoutBody(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{})
	for _, client := range w.clients() {
		for _, c := range []struct {
			method, path string
			status       int
		}{{"HEAD", "/bytes/1000", 200}, {"GET", "/status/204", 204}, {"GET", "/status/304", 304}, {"HEAD", "/x", 200}, {"GET", "/status/500", 500}} {
			req, _ := http.NewRequest(c.method, client.base+c.path, nil)
			req.Host = "localhost"
			r := client.do(t, req)
			if r.StatusCode != c.status || c.status != 500 && len(r.body) > 0 {
				t.Errorf("%s: %s %s: %d with %d bytes", client.name, c.method, c.path, r.StatusCode, len(r.body))
			}
			if c.path == "/bytes/1000" && r.ContentLength != 1000 {
				t.Errorf("%s: Content-Length of HEAD is %d", client.name, r.ContentLength)
			}
		}
	}
}

// Bodies far larger than any buffer pass unchanged, in memory that does not
// depend on their size.
func TestLargeBodies(t *testing.T) {
	const size = 48 << 20
	w := newWorld(t, nil, testcell.Options{})
	for _, client := range w.clients() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		sum := sha256.New()
		body := io.TeeReader(io.LimitReader(&pattern{}, size), sum)
		req, _ := http.NewRequest("POST", client.base+"/x", body)
		req.Host = "localhost"
		req.ContentLength = size
		if client.name == "http1" {
			req.ContentLength = -1 // in chunks
		}
		r := client.do(t, req)
		if r.report.BodyBytes != size || r.report.BodySHA256 != hex.EncodeToString(sum.Sum(nil)) {
			t.Errorf("%s: up: %d bytes, %s", client.name, r.report.BodyBytes, r.report.BodySHA256)
		}
		req, _ = http.NewRequest("GET", client.base+fmt.Sprintf("/bytes/%d", size), nil)
		req.Host = "localhost"
		resp, err := client.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, resp.Body); n != size || err != nil {
			t.Errorf("%s: down: %d bytes, %v", client.name, n, err)
		}
		resp.Body.Close()
		runtime.ReadMemStats(&after)
		if grown := int64(after.Sys) - int64(before.Sys); grown > 32<<20 {
			t.Errorf("%s: memory grew by %d MiB", client.name, grown>>20)
		}
	}
}

// pattern is endless content.
type pattern struct{ at byte }

func (p *pattern) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = p.at
		p.at += 7
	}
	return len(b), nil
}

// Requests of one connection that differ in cell do not mix.
func TestPipelinedRequestsGoTheirOwnWays(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{})
	c := w.dial()
	var wire bytes.Buffer
	tokens := []string{euToken, na2Token}
	const n = 50
	for i := range n {
		fmt.Fprintf(&wire, "POST /%d HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Length: 2\r\n\r\n%02d", i, tokens[i%2], i)
	}
	go func() { _, _ = c.Write(wire.Bytes()) }()
	r := bufio.NewReader(c)
	for i := range n {
		got := w.read(r, "POST")
		if got.report.Target != fmt.Sprintf("/%d", i) || got.report.Cell != []string{"eu1", "na2"}[i%2] {
			t.Fatalf("answer %d: %s", i, got.body)
		}
	}
}

// What a client sends behind its last request must not cost it the answer: a
// connection that is closed with bytes unread is reset.
func TestPipelinedRequestsBehindTheLast(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{})
	c := w.dial()
	const more = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"+strings.Repeat(more, 2000)); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(c)
	if got := w.read(r, "GET"); got.StatusCode != 200 || !got.Close {
		t.Errorf("%d, closing %v", got.StatusCode, got.Close)
	}
	if rest, err := io.ReadAll(r); err != nil || len(rest) > 0 {
		t.Errorf("after the answer: %d bytes, %v", len(rest), err)
	}
}

func TestBodyLimit(t *testing.T) {
	w := newWorld(t, func(top *topology.Topology) { top.Limits.Body = 10 }, testcell.Options{})
	for _, client := range w.clients() {
		for _, length := range []int64{11, -1} {
			req, _ := http.NewRequest("POST", client.base+"/x", io.LimitReader(&pattern{}, 11))
			req.Host, req.ContentLength = "localhost", length
			if r := client.do(t, req); r.StatusCode != 413 || r.kind() != "too-large" {
				t.Errorf("%s: length %d: %d %q", client.name, length, r.StatusCode, r.kind())
			}
		}
	}
}
