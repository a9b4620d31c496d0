package testcell_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/internal/testleak"
)

func TestMain(m *testing.M) { testleak.Main(m) }

// start runs a cell until the end of the test.
func start(t *testing.T, o testcell.Options) (*testcell.Cell, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := testcell.New("na1", o)
	ended := make(chan error, 1)
	go func() { ended <- c.Serve(l) }()
	t.Cleanup(func() {
		c.Close()
		if err := <-ended; !errors.Is(err, testcell.ErrClosed) {
			t.Errorf("Serve ended with %v", err)
		}
	})
	return c, l.Addr().String()
}

// client is one raw connection.
type client struct {
	t *testing.T
	net.Conn
	in *bufio.Reader
}

// dial connects; what takes longer than a minute fails the test.
func dial(t *testing.T, addr string) *client {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(time.Minute))
	return &client{t: t, Conn: nc, in: bufio.NewReader(nc)}
}

func (c *client) send(raw string) {
	c.t.Helper()
	if _, err := io.WriteString(c, raw); err != nil {
		c.t.Fatal(err)
	}
}

// answer reads the head of an answer to a request with this method.
func (c *client) answer(method string) *http.Response {
	c.t.Helper()
	resp, err := http.ReadResponse(c.in, &http.Request{Method: method})
	if err != nil {
		c.t.Fatal(err)
	}
	return resp
}

func (c *client) body(resp *http.Response) string {
	c.t.Helper()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return string(b)
}

// report reads a whole answer that tells of its request.
func (c *client) report() testcell.Report {
	c.t.Helper()
	resp := c.answer("GET")
	if got := resp.Header.Get("Content-Type"); got != "application/json" {
		c.t.Errorf("the report is %q", got)
	}
	var r testcell.Report
	dec := json.NewDecoder(strings.NewReader(c.body(resp)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&r); err != nil {
		c.t.Fatal(err)
	}
	return r
}

// ended reports whether the cell closed the connection, and nothing came before.
func (c *client) ended() bool {
	rest, err := io.ReadAll(c.in)
	return len(rest) == 0 && (err == nil || strings.Contains(err.Error(), "reset"))
}

const (
	sumOfNothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	sumOfABC     = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
)

func TestReportTellsTheRequestAsItCame(t *testing.T) {
	_, addr := start(t, testcell.Options{})
	c := dial(t, addr)
	c.send("POST /a%zz//../b;c?x=1;y=%zz&& HTTP/1.1\r\nhOsT: api.homeward.test\r\nb-second: 1\r\nA-first:  2 \r\nB-Second: \r\nb-second: 1\r\n" +
		"X-Latin: caf\xe9\r\nX-UTF8: caf\xc3\xa9\r\nhomeward-lane: batch\r\nTransfer-Encoding: chunked\r\n\r\n" +
		"1\r\na\r\n2;ext=1\r\nbc\r\n0\r\nX-sum: 1\r\nx-Sum: 2\r\n\r\n")
	want := testcell.Report{
		Cell: "na1", Lane: "batch", Proto: "HTTP/1.1", Method: "POST", Host: "api.homeward.test", Target: "/a%zz//../b;c?x=1;y=%zz&&",
		Headers: [][2]string{
			{"hOsT", "api.homeward.test"}, {"b-second", "1"}, {"A-first", "2"}, {"B-Second", ""}, {"b-second", "1"},
			{"X-Latin", "café"}, {"X-UTF8", "café"}, {"homeward-lane", "batch"}, {"Transfer-Encoding", "chunked"},
		},
		Trailers:  [][2]string{{"X-sum", "1"}, {"x-Sum", "2"}},
		BodyBytes: 3, BodySHA256: sumOfABC,
	}
	if diff := cmp.Diff(want, c.report()); diff != "" {
		t.Error(diff)
	}
}

func TestEveryOtherPathIsOrdinary(t *testing.T) {
	_, addr := start(t, testcell.Options{})
	c := dial(t, addr)
	for _, target := range []string{
		"/", "/?", "/crm/sse", "/sse/", "/s%73e", "//sse", "/SSE", "/slow;x", "/duplex/a", "/status/", "/status/abc", "/status/101", "/status/600", "/status/200/",
		"/bytes/", "/bytes/-1", "/bytes/1099511627777", "/bytes/99999999999999999999", "/bytes/+1", "/?a=1&a=&&b", "/%zz?%zz", "/a/../b/./c//d%2Fe+f", "http://h/sse/x?y", "http://h?x",
	} {
		c.send("GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n")
		if r := c.report(); r.Target != target || r.BodySHA256 != sumOfNothing || len(r.Trailers) != 0 || r.Trailers == nil {
			t.Errorf("%s: %+v", target, r)
		}
	}
}

func TestAConnectionServesRequestAfterRequest(t *testing.T) {
	cell, addr := start(t, testcell.Options{})
	c := dial(t, addr)
	c.send("POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcHEAD /2 HTTP/1.1\r\nHost: h\r\n\r\n" +
		"\r\nPOST /3 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET /4 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" +
		"GET /5 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\nGET /6 HTTP/1.1\r\nHost: h\r\n\r\n")
	for _, want := range []string{"/1", "/2", "/3", "/4", "/5"} {
		if want == "/2" {
			if resp := c.answer("HEAD"); resp.ContentLength <= 0 {
				t.Errorf("HEAD tells a length of %d", resp.ContentLength)
			}
			continue
		}
		r := c.report()
		if r.Target != want || (want == "/1" || want == "/3") != (r.BodySHA256 == sumOfABC) {
			t.Errorf("instead of %s: %+v", want, r)
		}
	}
	if !c.ended() {
		t.Error("the connection goes on after Connection: close")
	}
	if cell.Requests() != 5 || cell.Connections() != 1 {
		t.Errorf("counted %d requests on %d connections", cell.Requests(), cell.Connections())
	}
}

func TestContinueComesBeforeTheBody(t *testing.T) {
	_, addr := start(t, testcell.Options{})
	for _, path := range []string{"/", "/duplex", "/status/404", "/slow?ms=0", "/sse?n=1", "/bytes/1"} {
		c := dial(t, addr)
		c.send("PUT " + path + " HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 3\r\n\r\n")
		if resp := c.answer("PUT"); resp.StatusCode != 100 {
			t.Fatalf("%s: %d before the body", path, resp.StatusCode)
		}
		c.send("abc")
		if resp := c.answer("PUT"); resp.StatusCode < 200 {
			t.Errorf("%s: %d after the body", path, resp.StatusCode)
		}
	}
}

func TestBadInputIsAnsweredAndClosed(t *testing.T) {
	_, addr := start(t, testcell.Options{})
	for name, tc := range map[string]struct{ raw, want string }{
		"no HTTP":    {"hello\r\n\r\n", "400"},
		"no Host":    {"GET / HTTP/1.1\r\n\r\n", "400"},
		"two Hosts":  {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "400"},
		"long head":  {"GET / HTTP/1.1\r\nHost: h\r\nX: " + strings.Repeat("x", 1<<20) + "\r\n\r\n", "431"},
		"many lines": {"GET / HTTP/1.1\r\nHost: h\r\n" + strings.Repeat("X: y\r\n", 5000) + "\r\n", "431"},
	} {
		c := dial(t, addr)
		go func() { _, _ = io.WriteString(c, tc.raw) }() // all of it is not waited for
		resp := c.answer("GET")
		if got := resp.Status[:3]; got != tc.want || !resp.Close {
			t.Errorf("%s: %s, closes: %v", name, resp.Status, resp.Close)
		}
		_ = c.body(resp)
		if !c.ended() {
			t.Errorf("%s: the connection goes on", name)
		}
	}
	c := dial(t, addr)
	c.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
	if !c.ended() {
		t.Error("a broken body is answered")
	}
}
