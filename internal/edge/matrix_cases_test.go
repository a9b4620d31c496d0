package edge_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"github.com/homeward/homeward/internal/proxy"
)

// matrixCases are the rows of the matrix.
var matrixCases = []matrixCase{
	{name: "plain", run: matrixPlain},
	{name: "chunked", run: matrixChunked},
	{name: "trailers", run: matrixTrailers},
	{name: "100-continue", run: matrixContinue},
	{name: "103", run: matrixEarlyHints},
	{name: "HEAD", run: matrixHead},
	{name: "SSE", run: matrixEvents},
	{name: "WebSocket", run: wsSimple},
	{name: "gRPC unary", run: matrixUnary, impossible: noGRPC},
	{name: "gRPC stream", run: matrixChat, impossible: noGRPC},
	{name: "gRPC without HTTP/2 gateway", run: matrixNoGRPC, impossible: func(c way, g gatewayKind) string {
		if g.http2 || c.proto == "HTTP/1.1" {
			return "it is not without"
		}
		return ""
	}},
	{name: "duplex", run: matrixDuplex},
	{name: "large both ways", run: matrixLarge},
	{name: "client abort", run: matrixClientAbort},
	{name: "upstream abort", run: matrixUpstreamAbort},
}

// noGRPC: "gRPC over HTTP/2" needs it on both sides.
func noGRPC(c way, g gatewayKind) string {
	if c.proto == "HTTP/1.1" {
		return "gRPC has no binding to HTTP/1.1, and the client speaks that"
	}
	if !g.http2 {
		return "gRPC has no binding to HTTP/1.1, and the gateway speaks that"
	}
	return ""
}

func matrixPlain(t *testing.T, _ *world, c way) {
	const target = "/a//b/../c;d?x=1;y=2&%7a=%2F&&e"
	r := c.do(t, c.request(t, "PUT", target, strings.NewReader("abc"), 3))
	if r.StatusCode != 200 || r.report.Cell != "eu1" || r.report.Target != target || r.report.Host != "localhost" || r.report.BodyBytes != 3 || r.report.Method != "PUT" {
		t.Errorf("%d, %+v", r.StatusCode, r.report)
	}
	r = c.do(t, c.request(t, "GET", "/bytes/100000", nil, 0))
	if len(r.body) != 100000 || r.err != nil || r.ContentLength != 100000 {
		t.Errorf("%d bytes of %d, %v", len(r.body), r.ContentLength, r.err)
	}
}

func matrixChunked(t *testing.T, _ *world, c way) {
	r := c.do(t, c.request(t, "POST", "/x", io.MultiReader(strings.NewReader("abc"), strings.NewReader("def")), -1))
	if r.StatusCode != 200 || r.report.BodyBytes != 6 {
		t.Errorf("%d, %+v", r.StatusCode, r.report)
	}
	r = c.do(t, c.request(t, "POST", "/duplex", strings.NewReader("abc"), -1)) // answered without a length
	if string(r.body) != "abc" || r.ContentLength != -1 {
		t.Errorf("%q with length %d", r.body, r.ContentLength)
	}
}

func matrixTrailers(t *testing.T, _ *world, c way) {
	req := c.request(t, "POST", "/trailers", strings.NewReader("abc"), -1)
	req.Trailer = http.Header{"X-Sum": {"1", "2"}, "Homeward-Cell": {"na1"}}
	r := c.do(t, req)
	if got := fmt.Sprint(r.report.Trailers); !strings.EqualFold(got, "[[X-Sum 1] [X-Sum 2]]") {
		t.Errorf("the cell got the trailer %v", got)
	}
	if len(r.Trailer) == 0 {
		t.Error("the answer has no trailer")
	}
	for name := range r.Trailer {
		if strings.HasPrefix(name, "Homeward-") {
			t.Errorf("trailer %s", name)
		}
	}
}

func matrixContinue(t *testing.T, _ *world, c way) {
	continued := 0
	req := c.request(t, "POST", "/x", strings.NewReader("abc"), 3)
	req.Header.Set("Expect", "100-continue")
	req = req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		Got100Continue: func() { continued++ },
	}))
	if r := c.do(t, req); r.report.BodyBytes != 3 || continued != 1 {
		t.Errorf("%d bytes, continued %d times", r.report.BodyBytes, continued)
	}
}

func matrixEarlyHints(t *testing.T, _ *world, c way) {
	hints := 0
	req := c.request(t, "GET", "/early-hints?n=3", nil, 0)
	req = req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
			if code == 103 && h.Get("Link") != "" {
				hints++
			}
			return nil
		},
	}))
	if r := c.do(t, req); r.StatusCode != 200 || hints != 3 {
		t.Errorf("%d after %d hints", r.StatusCode, hints)
	}
}

func matrixHead(t *testing.T, _ *world, c way) {
	r := c.do(t, c.request(t, "HEAD", "/bytes/1000", nil, 0))
	if r.StatusCode != 200 || r.ContentLength != 1000 || len(r.body) != 0 {
		t.Errorf("HEAD: %d, length %d, %d bytes", r.StatusCode, r.ContentLength, len(r.body))
	}
	r = c.do(t, c.request(t, "OPTIONS", "/x", nil, 0))
	if r.StatusCode != 200 || r.report.Method != "OPTIONS" {
		t.Errorf("OPTIONS: %d, %+v", r.StatusCode, r.report)
	}
	for _, path := range []string{"/status/204", "/status/304"} {
		if r := c.do(t, c.request(t, "GET", path, nil, 0)); fmt.Sprint("/status/", r.StatusCode) != path || len(r.body) != 0 {
			t.Errorf("%s: %d with %d bytes", path, r.StatusCode, len(r.body))
		}
	}
}

func matrixEvents(t *testing.T, w *world, c way) {
	ctx, cancel := context.WithCancel(t.Context())
	resp, err := c.http.Do(c.request(t, "GET", "/sse?n=3&ms=3600000", nil, 0).WithContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if line, err := bufio.NewReader(resp.Body).ReadString('\n'); err != nil || line != "id: 1\n" {
		t.Errorf("%q, %v", line, err)
	}
	cancel()
	rec := w.seen.await(t, func(r proxy.Record) bool { return r.Type == proxy.Events })
	if rec.Aborted != proxy.ClientAborted {
		t.Errorf("recorded as broken off by %q", rec.Aborted)
	}
}

func matrixDuplex(t *testing.T, _ *world, c way) {
	pr, pw := io.Pipe()
	defer pw.Close()
	go func() { _, _ = io.WriteString(pw, "0\n") }()
	resp, err := c.http.Do(c.request(t, "POST", "/duplex", pr, -1))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	r := bufio.NewReader(resp.Body)
	for i := range 20 {
		line, err := r.ReadString('\n')
		if err != nil || line != fmt.Sprintf("%d\n", i) {
			t.Fatalf("round %d: %q, %v", i, line, err)
		}
		if _, err := fmt.Fprintf(pw, "%d\n", i+1); err != nil {
			t.Fatal(err)
		}
	}
	pw.Close()
	if rest, err := io.ReadAll(r); err != nil || string(rest) != "20\n" {
		t.Errorf("the end is %q, %v", rest, err)
	}
}

func matrixLarge(t *testing.T, _ *world, c way) {
	size := *matrixSize
	c.http = &http.Client{Transport: c.http.Transport} // without its patience
	sum := sha256.New()
	r := c.do(t, c.request(t, "POST", "/x", io.TeeReader(io.LimitReader(&pattern{}, size), sum), size))
	if r.report.BodyBytes != size || r.report.BodySHA256 != hex.EncodeToString(sum.Sum(nil)) {
		t.Errorf("up: %d bytes, %s", r.report.BodyBytes, r.report.BodySHA256)
	}
	resp, err := c.http.Do(c.request(t, "GET", fmt.Sprintf("/bytes/%d", size), nil, 0))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if n, err := io.Copy(io.Discard, resp.Body); n != size || err != nil {
		t.Errorf("down: %d bytes, %v", n, err)
	}
}

func matrixClientAbort(t *testing.T, w *world, c way) {
	for _, path := range []string{"/slow?ms=600000", "/bytes/1000000000000", "/duplex"} {
		w.seen.forget()
		ctx, cancel := context.WithCancel(t.Context())
		pr, pw := io.Pipe()
		req := c.request(t, "GET", path, nil, 0)
		if path == "/duplex" {
			req = c.request(t, "POST", path, pr, -1)
			go func() { _, _ = io.WriteString(pw, "abc") }()
		}
		if strings.HasPrefix(path, "/slow") {
			before := w.cells["eu1"].Requests()
			go func() {
				for w.cells["eu1"].Requests() == before && ctx.Err() == nil { // until it has reached the cell
					time.Sleep(time.Millisecond)
				}
				cancel()
			}()
		}
		resp, err := c.http.Do(req.WithContext(ctx))
		if err == nil {
			_, _ = io.ReadFull(resp.Body, make([]byte, 3))
			cancel()
			resp.Body.Close()
		} else if !strings.HasPrefix(path, "/slow") {
			t.Errorf("%s: %v", path, err)
		}
		cancel()
		pw.Close()
		rec := w.seen.await(t, func(r proxy.Record) bool { return path == r.Path || strings.HasPrefix(path, r.Path+"?") })
		if rec.Aborted != proxy.ClientAborted {
			t.Errorf("%s: recorded as broken off by %q", path, rec.Aborted)
		}
	}
}

func matrixUpstreamAbort(t *testing.T, w *world, c way) {
	for _, path := range []string{"/reset-after-head", "/hang-up-after-head"} {
		w.seen.forget()
		resp, err := c.http.Do(c.request(t, "GET", path, nil, 0))
		if err == nil {
			var n int64
			n, err = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if err == nil {
				t.Errorf("%s: a part of %d bytes looks whole", path, n)
			}
		}
		rec := w.seen.await(t, func(r proxy.Record) bool { return r.Path == path })
		if rec.Aborted != proxy.UpstreamAborted || rec.Kind != proxy.UpstreamReset {
			t.Errorf("%s: recorded as %q by %q", path, rec.Kind, rec.Aborted)
		}
	}
	for _, path := range []string{"/reset", "/hang-up", "/garbage"} {
		r := c.do(t, c.request(t, "POST", path, strings.NewReader("abc"), 3))
		if r.StatusCode != 502 || r.Header.Get("Homeward-Error") != "upstream-reset" {
			t.Errorf("%s: %d %s", path, r.StatusCode, r.body)
		}
	}
}
