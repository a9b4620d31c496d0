package http1_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/homeward/homeward/internal/proxy/http1"
)

func readRequest(s string) (*http1.Request, error) {
	var req http1.Request
	err := http1.ReadRequest(http1.NewReader(strings.NewReader(s)), &req, http1.Limits{})
	return &req, err
}

func TestRequestKeepsItsBytes(t *testing.T) {
	const head = "\r\nGET /a%zz//b/../c;d?x=1;y=%&&hapikey= HTTP/1.1\r\nhOST: API.example:8080\r\nX-b:  2 \t\r\nx-B:3\r\nEmpty:\r\n\r\n"
	req, err := readRequest(head)
	if err != nil {
		t.Fatal(err)
	}
	want := []http1.Field{{Name: "hOST", Value: "API.example:8080"}, {Name: "X-b", Value: "2"}, {Name: "x-B", Value: "3"}, {Name: "Empty"}}
	if d := cmp.Diff(want, req.Fields); d != "" {
		t.Error(d)
	}
	if req.Target != "/a%zz//b/../c;d?x=1;y=%&&hapikey=" || req.Origin != req.Target || req.Host != "API.example:8080" || req.Length != -1 || req.Close {
		t.Errorf("%+v", req)
	}
}

func TestRequestForms(t *testing.T) {
	for _, c := range []struct {
		head   string
		origin string
	}{
		{"GET http://h/a?b HTTP/1.1\r\nHost: h\r\n\r\n", "/a?b"},
		{"GET http://h HTTP/1.1\r\nHost: H\r\n\r\n", "/"},
		{"GET HTTPS://h:8?x HTTP/1.1\r\nHost: h:8\r\n\r\n", "/?x"},
		{"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "*"},
		{"GET / HTTP/1.0\r\n\r\n", "/"},
		{"GET /? HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "/?"},
		{"M-SEARCH //x HTTP/1.1\r\nHost: a_b.c\r\n\r\n", "//x"},
	} {
		req, err := readRequest(c.head)
		if err != nil || req.Origin != c.origin {
			t.Errorf("%q: origin %q, %v; want %q", c.head, req.Origin, err, c.origin)
		}
	}
}

// badRequests must each be refused by a rule, not by running out of bytes.
var badRequests = []string{
	"GET /\nHost: h\n\n",
	"GET / HTTP/1.1\nHost: h\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: h\n\r\n",
	"GET / HTTP/1.1\r\nHost: h\r\n\n",
	"\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
	"\rGET / HTTP/1.1\r\nHost: h\r\n\r\n",
	strings.Repeat("\r\n", 20) + "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
	" GET / HTTP/1.1\r\nHost: h\r\n\r\n",
	"GET  / HTTP/1.1\r\nHost: h\r\n\r\n",
	"GET / HTTP/1.1 \r\nHost: h\r\n\r\n",
	"GET /\tHTTP/1.1\r\nHost: h\r\n\r\n",
	"GET / a HTTP/1.1\r\nHost: h\r\n\r\n",
	"GET /\r\nHost: h\r\n\r\n",
	"GET / HTTP/2.0\r\nHost: h\r\n\r\n",
	"GET / HTTP/1.2\r\nHost: h\r\n\r\n",
	"GET / http/1.1\r\nHost: h\r\n\r\n",
	"GE\x00T / HTTP/1.1\r\nHost: h\r\n\r\n",
	"GET /\x7f HTTP/1.1\r\nHost: h\r\n\r\n",
	"GET /\x80 HTTP/1.1\r\nHost: h\r\n\r\n",
	"GET /#f HTTP/1.1\r\nHost: h\r\n\r\n",
	"GET a HTTP/1.1\r\nHost: h\r\n\r\n",
	"GET * HTTP/1.1\r\nHost: h\r\n\r\n",
	"GET ftp://h/ HTTP/1.1\r\nHost: h\r\n\r\n",
	"GET http:///x HTTP/1.1\r\nHost: h\r\n\r\n",
	"GET http://other/ HTTP/1.1\r\nHost: h\r\n\r\n",
	"GET http://u@h/ HTTP/1.1\r\nHost: h\r\n\r\n",
	"CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n",
	"GET / HTTP/1.1\r\n\r\n",
	"GET / HTTP/1.1\r\nHost:\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: h, g\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: h:80:80\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: h:8a\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: u@h\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: h/x\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: h%41\r\n\r\n",
	"GET / HTTP/1.1\r\nHost : h\r\n\r\n",
	"GET / HTTP/1.1\r\n Host: h\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: h\r\nA\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: h\r\n: b\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: h\r\nA(: b\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: h\r\nA: b\x00\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: h\r\nA: b\rc\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: h\r\nA: b\x0bc\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\ncontent-length: 2\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1, 1\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0x1\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1 1\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: h\r\nContent-Length:\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, chunked\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
	"POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: h\r\nConnection: a" + strings.Repeat(",a", 100) + "\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: h\r\n" + strings.Repeat("Connection: a, b\r\n", 51) + "\r\n",
}

func TestBadRequestsAreRefused(t *testing.T) {
	for _, s := range badRequests {
		_, err := readRequest(s)
		var rule *http1.SyntaxError
		if !errors.As(err, &rule) {
			t.Errorf("%q: %v, want a rule that it breaks", s, err)
		}
	}
}

// A connection ends if that is said anywhere, in whatever order.
func TestConnectionEnds(t *testing.T) {
	for fields, want := range map[string]bool{
		"": false, "Connection: a, b\r\n": false, "Connection: a" + strings.Repeat(",b", 99) + "\r\n": false,
		"Connection: keep-alive, Close\r\n":                       true,
		"Connection: close, keep-alive\r\n":                       true,
		"Connection: close\r\nconnection: keep-alive\r\n":         true,
		"Connection: keep-alive\r\nA: b\r\nConnection: close\r\n": true,
	} {
		if req, err := readRequest("GET / HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n"); err != nil || req.Close != want {
			t.Errorf("%q: ends %v, %v", fields, req.Close, err)
		}
	}
	for fields, want := range map[string]bool{
		"": true, "Connection: keep-alive\r\n": false,
		"Connection: close\r\nConnection: keep-alive\r\n": true,
	} {
		if req, err := readRequest("GET / HTTP/1.0\r\nHost: h\r\n" + fields + "\r\n"); err != nil || req.Close != want {
			t.Errorf("HTTP/1.0, %q: ends %v, %v", fields, req.Close, err)
		}
	}
}

func TestHeadLimits(t *testing.T) {
	const start = "GET / HTTP/1.1\r\nHost: h\r\n"
	for name, s := range map[string]string{
		"one long line":       start + "A: " + strings.Repeat("a", 1<<20) + "\r\n\r\n",
		"a line without end":  start + "A: " + strings.Repeat("a", 1<<20),
		"10,000 lines":        start + strings.Repeat("A: b\r\n", 10000) + "\r\n",
		"101 lines":           start + strings.Repeat("A: b\r\n", 100) + "\r\n",
		"a long request line": "GET /" + strings.Repeat("a", 33<<10) + " HTTP/1.1\r\nHost: h\r\n\r\n",
	} {
		if _, err := readRequest(s); !errors.Is(err, http1.ErrTooLarge) {
			t.Errorf("%s: %v, want ErrTooLarge", name, err)
		}
	}
	if _, err := readRequest(start + strings.Repeat("A: b\r\n", 99) + "\r\n"); err != nil {
		t.Errorf("100 lines: %v", err)
	}
	if _, err := readRequest(start + "A: " + strings.Repeat("a", 31<<10) + "\r\n\r\n"); err != nil {
		t.Errorf("31 KiB: %v", err)
	}
}

func TestRequestThatBreaksOff(t *testing.T) {
	const whole = "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"
	for i := range len(whole) {
		_, err := readRequest(whole[:i])
		if i == 0 && !errors.Is(err, io.EOF) || i > 0 && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%q: %v", whole[:i], err)
		}
	}
}

// Requests in one stream, split at every boundary, read the same.
func TestPipelinedAndSplit(t *testing.T) {
	const stream = "POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc" +
		"POST /2 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\ndefg\r\n1\r\nh\r\n0\r\nT: v\r\n\r\n" +
		"GET /3 HTTP/1.1\r\nHost: h\r\n\r\n"
	for split := range len(stream) {
		src := io.MultiReader(strings.NewReader(stream[:split]), strings.NewReader(stream[split:]))
		checkStream(t, http1.NewReader(src))
	}
	checkStream(t, http1.NewReader(iotest.OneByteReader(strings.NewReader(stream))))
}

func checkStream(t *testing.T, r *http1.Reader) {
	t.Helper()
	var req http1.Request
	for _, want := range []struct{ target, body string }{{"/1", "abc"}, {"/2", "defgh"}, {"/3", ""}} {
		if err := http1.ReadRequest(r, &req, http1.Limits{}); err != nil || req.Target != want.target {
			t.Fatalf("%s: %q, %v", want.target, req.Target, err)
		}
		body := http1.RequestBody(r, &req, http1.Limits{})
		b, err := io.ReadAll(body)
		if err != nil || string(b) != want.body || !body.Whole() {
			t.Fatalf("%s: body %q, %v", want.target, b, err)
		}
		if want.target == "/2" && !cmp.Equal(body.Trailer(), []http1.Field{{Name: "T", Value: "v"}}) {
			t.Fatalf("trailer %v", body.Trailer())
		}
	}
	if err := http1.ReadRequest(r, &req, http1.Limits{}); !errors.Is(err, io.EOF) {
		t.Fatalf("after the last: %v", err)
	}
}

func FuzzReadRequest(f *testing.F) {
	for _, s := range badRequests {
		f.Add(s)
	}
	f.Add("POST /2 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\ndefg\r\n0\r\nT: v\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n")
	f.Fuzz(func(t *testing.T, s string) {
		r := http1.NewReader(strings.NewReader(s))
		var req http1.Request
		if http1.ReadRequest(r, &req, http1.Limits{}) != nil {
			return
		}
		if req.Length >= 0 && req.Chunked {
			t.Fatal("two framings accepted")
		}
		// What was accepted reads the same when it is written again.
		out := http1.AppendRequestLine(nil, req.Method, req.Target)
		for _, f := range req.Fields {
			out = http1.AppendField(out, f.Name, f.Value)
		}
		out = append(out, "\r\n"...)
		var back http1.Request
		if req.Minor == 0 {
			return // is written as HTTP/1.1, which needs a Host
		}
		if err := http1.ReadRequest(http1.NewReader(strings.NewReader(string(out))), &back, http1.Limits{Head: 1 << 20}); err != nil {
			t.Fatalf("%q: %v", out, err)
		}
		if !cmp.Equal(req, back) {
			t.Fatal(cmp.Diff(req, back))
		}
		_, _ = io.Copy(io.Discard, http1.RequestBody(r, &req, http1.Limits{}))
	})
}
