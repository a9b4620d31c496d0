package http3_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"

	"github.com/homeward/homeward/internal/proxy"
	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/topology"
)

// large is more than any window.
const large = 16 << 20

// pattern is a body of n bytes, and its digest.
func pattern(n int64) (io.Reader, string) {
	sum := sha256.New()
	_, _ = io.CopyN(sum, &repeat{}, n)
	return io.LimitReader(&repeat{}, n), hex.EncodeToString(sum.Sum(nil))
}

type repeat struct{ at int }

func (r *repeat) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = testcell.Alphabet[r.at%len(testcell.Alphabet)]
		r.at++
	}
	return len(p), nil
}

func TestLargeBodies(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{})
	c := w.client()
	for _, declared := range []int64{large, -1} {
		body, sum := pattern(large)
		r := do(t, c, w.request(http.MethodPost, "/", io.NopCloser(body), declared))
		if r.report.BodyBytes != large || r.report.BodySHA256 != sum {
			t.Errorf("declared %d: %d %s", declared, r.StatusCode, r.body)
		}
	}
	resp, err := c.Do(w.request(http.MethodGet, "/bytes/16777216", nil, 0))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	_, want := pattern(large)
	sum := sha256.New()
	if n, err := io.Copy(sum, resp.Body); n != large || err != nil || hex.EncodeToString(sum.Sum(nil)) != want || resp.ContentLength != large {
		t.Errorf("%d bytes of %d, %v", n, resp.ContentLength, err)
	}
}

func TestTrailersBothWays(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{})
	req := w.request(http.MethodPost, "/trailers", strings.NewReader("hello"), -1)
	req.Trailer = http.Header{"Checksum": {"abc"}, "Homeward-Cell": {"na1"}}
	r := do(t, w.client(), req)
	want := [2]string{"Checksum", "abc"}
	if len(r.report.Trailers) != 1 || r.report.Trailers[0] != want {
		t.Errorf("the cell got the trailer %v", r.report.Trailers)
	}
	sum := sha256.Sum256(r.body)
	if r.Trailer.Get("Report-Sha256") != hex.EncodeToString(sum[:]) || r.Trailer.Get("Report-Cell") != "eu1" {
		t.Errorf("the client got the trailer %v", r.Trailer)
	}
}

func TestInterimAnswers(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{})
	var got []string
	trace := &httptrace.ClientTrace{
		Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
			if code == 103 {
				got = append(got, header.Get("Link"))
			}
			return nil
		},
	}
	req := w.request(http.MethodGet, "/early-hints", nil, 0)
	r := do(t, w.client(), req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
	if len(got) != 2 || !strings.HasPrefix(got[1], "</style-2.css>") || r.Header.Get("Link") != "" {
		t.Errorf("hints %q, link of the answer %q", got, r.Header.Get("Link"))
	}
}

// Whoever expects a 100 gets the cell's, before any of the body, and one only.
func TestContinueIsTheCells(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{})
	c := w.raw()
	s := c.send(head(plain("POST", "/", "expect", "100-continue", "content-length", "5", "authorization", "Bearer "+euToken)...), false)
	first := rawReply{header: map[string]string{}}
	if err := first.next(s); err != nil || first.status != 100 {
		t.Fatalf("%d, %v", first.status, err)
	}
	if _, err := s.Write(frame(nil, dataFrame, []byte("hello"))); err != nil {
		t.Fatal(err)
	}
	s.Close()
	r := c.read(s)
	if r.status != 200 || !bytes.Contains(r.body, []byte(`"body_bytes":5`)) || !bytes.Contains(r.body, []byte("100-continue")) {
		t.Errorf("%d, the cell got %s", r.status, r.body)
	}
}

// An answer gets nothing that the cell did not send.
func TestAnswersAreTheCells(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{})
	c := w.raw()
	for _, tc := range []struct {
		method, path string
		status       int
		length       string
	}{
		{"HEAD", "/bytes/5000", 200, "5000"}, {"HEAD", "/sse", 200, ""}, {"GET", "/bytes/0", 200, "0"}, {"GET", "/status/204", 204, ""},
		{"GET", "/bytes/5", 200, "5"},
	} {
		r := c.ask(plain(tc.method, tc.path, "authorization", "Bearer "+euToken)...)
		if r.err != nil || r.status != tc.status || r.header["content-length"] != tc.length {
			t.Errorf("%s %s: %d %v %v", tc.method, tc.path, r.status, r.header, r.err)
		}
		if tc.method == "HEAD" && len(r.body) > 0 {
			t.Errorf("HEAD %s has a body", tc.path)
		}
		for _, name := range []string{"date", "connection", "alt-svc"} {
			if v, ok := r.header[name]; ok {
				t.Errorf("%s %s: %s: %s", tc.method, tc.path, name, v)
			}
		}
	}
}

func TestEventsArriveOneByOne(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	resp, err := w.client().Do(w.request(http.MethodGet, "/sse?n=2&ms=600000", nil, 0).WithContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	first := make([]byte, 5)
	if _, err := io.ReadFull(resp.Body, first); err != nil || string(first) != "id: 1" {
		t.Fatalf("%q, %v", first, err)
	}
	cancel()
	if rec := w.seen.next(t); rec.Type != proxy.Events || rec.Aborted != proxy.ClientAborted {
		t.Errorf("recorded %+v", rec)
	}
	eventually(t, "the cell is free", func() bool { return w.cell.Open() == 0 })
}

func TestDuplex(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{})
	out, in := io.Pipe()
	defer in.Close()
	resp, err := w.client().Do(w.request(http.MethodPost, "/duplex", out, -1))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	for range 3 {
		if _, err := io.WriteString(in, "ping"); err != nil {
			t.Fatal(err)
		}
		echo := make([]byte, 4)
		if _, err := io.ReadFull(resp.Body, echo); err != nil || string(echo) != "ping" {
			t.Fatalf("%q, %v", echo, err)
		}
	}
	in.Close()
	if rest, err := io.ReadAll(resp.Body); len(rest) > 0 || err != nil {
		t.Errorf("%q, %v", rest, err)
	}
}

// A client that leaves ends the request to its cell, while it sends and while it
// waits.
func TestClientAborts(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{})
	for _, path := range []string{"/slow?ms=600000", "/duplex"} {
		out, in := io.Pipe()
		req := w.request(http.MethodPost, path, out, -1)
		if path != "/duplex" {
			req = w.request(http.MethodGet, path, nil, 0)
		}
		ctx, cancel := context.WithCancel(t.Context())
		before := w.cell.Requests()
		failed := make(chan error, 1)
		go func() {
			resp, err := w.client().Do(req.WithContext(ctx))
			if err == nil {
				_, err = io.ReadAll(resp.Body)
				resp.Body.Close()
			}
			failed <- err
		}()
		eventually(t, "the cell has it", func() bool { return w.cell.Requests() > before })
		cancel()
		if err := <-failed; err == nil {
			t.Errorf("%s: the answer ended as it should", path)
		}
		in.Close()
		if rec := w.seen.next(t); rec.Aborted != proxy.ClientAborted {
			t.Errorf("%s: recorded %+v", path, rec)
		}
		eventually(t, "the cell is free", func() bool { return w.cell.Open() == 0 })
	}
}

// A part of an answer is not taken for the whole.
func TestCellAborts(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{Fault: func(r *testcell.Request) testcell.Fault {
		return map[string]testcell.Fault{"/reset": testcell.ResetAfterHead, "/hang-up": testcell.HangUpAfterHead, "/none": testcell.Reset}[r.Head.Origin]
	}})
	c := w.raw()
	for _, path := range []string{"/reset", "/hang-up"} {
		r := c.ask(plain("GET", path, "authorization", "Bearer "+euToken)...)
		if r.reset() == 0 {
			t.Errorf("%s: the stream ended with %v, %d bytes", path, r.err, len(r.body))
		}
	}
	if r := c.ask(plain("POST", "/none", "authorization", "Bearer "+euToken)...); r.status != 502 || r.header["homeward-error"] != "upstream-reset" {
		t.Errorf("%d %v %v", r.status, r.header, r.err)
	}
}

// A client that does not take its answer, or stops in the middle of its body,
// holds nothing for longer than the topology says.
func TestClientsThatStop(t *testing.T) {
	w := newWorld(t, func(top *topology.Topology) {
		top.Timeouts.Write = topology.Duration(brief)
		top.Timeouts.Body = topology.Duration(brief)
	}, testcell.Options{})
	c := w.raw()
	c.send(head(plain("GET", "/bytes/1000000000")...), true)
	if rec := w.seen.next(t); rec.Aborted != proxy.ClientAborted {
		t.Errorf("an answer that is not read: recorded %+v", rec)
	}
	r := c.read(c.send(frame(head(plain("POST", "/")...), dataFrame, []byte("x")), false))
	if r.status != 408 {
		t.Errorf("a body that stops: %d %v", r.status, r.err)
	}
	r = c.read(c.send(head(plain("GET", "/")...), false))
	if r.reset() == 0 {
		t.Errorf("a GET that does not end: %d %v", r.status, r.err)
	}
	eventually(t, "the cell is free", func() bool { return w.cell.Open() == 0 })
}
