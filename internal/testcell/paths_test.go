package testcell_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/homeward/homeward/internal/testcell"
)

// aWhile is longer than any test runs, in milliseconds.
const aWhile = "600000"

func TestEventsLeaveOneByOne(t *testing.T) {
	_, addr := start(t, testcell.Options{})
	c := dial(t, addr)
	c.send("GET /sse?n=3&ms=1 HTTP/1.1\r\nHost: h\r\n\r\n")
	resp := c.answer("GET")
	if got := resp.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Errorf("events are %q", got)
	}
	want := ""
	for i := 1; i <= 3; i++ {
		want += fmt.Sprintf("id: %d\ndata: {\"cell\":\"na1\",\"event\":%d}\n\n", i, i)
	}
	if got := c.body(resp); got != want {
		t.Errorf("got %q", got)
	}

	c.send("GET /sse?n=2&ms=" + aWhile + " HTTP/1.1\r\nHost: h\r\n\r\n")
	first := make([]byte, len(want)/3)
	if _, err := io.ReadFull(c.answer("GET").Body, first); err != nil || string(first) != want[:len(first)] {
		t.Errorf("the first event did not leave at once: %q, %v", first, err)
	}
}

func TestEchoGoesBothWaysAtOnce(t *testing.T) {
	_, addr := start(t, testcell.Options{})
	c := dial(t, addr)
	c.send("POST /duplex HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
	resp := c.answer("POST") // before any of the body was sent
	for _, piece := range []string{"a", "bc", strings.Repeat("d", 100_000)} {
		c.send(fmt.Sprintf("%x\r\n%s\r\n", len(piece), piece))
		got := make([]byte, len(piece))
		if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != piece {
			t.Fatalf("a piece of %d bytes came back as %d: %v", len(piece), len(got), err)
		}
	}
	c.send("0\r\nX-Sum: 1\r\n\r\n")
	if rest := c.body(resp); rest != "" || resp.Trailer.Get("X-Sum") != "1" {
		t.Errorf("after the end: %q, trailer %v", rest, resp.Trailer)
	}

	c.send("POST /duplex HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcPOST /duplex HTTP/1.1\r\nHost: h\r\n\r\n")
	for _, want := range []string{"abc", ""} {
		if got := c.body(c.answer("POST")); got != want {
			t.Errorf("echo of %q: %q", want, got)
		}
	}
}

func TestStatusIsTheOneAskedFor(t *testing.T) {
	_, addr := start(t, testcell.Options{})
	c := dial(t, addr)
	for status, body := range map[int]bool{200: true, 201: true, 204: false, 205: false, 304: false, 307: true, 418: true, 503: true, 599: true} {
		c.send(fmt.Sprintf("POST /status/%d?a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", status))
		resp := c.answer("POST")
		if text := c.body(resp); resp.StatusCode != status || strings.Contains(text, sumOfABC) != body {
			t.Errorf("/status/%d: %d with %q", status, resp.StatusCode, text)
		}
	}
}

func TestBytesAreCountedAndKnown(t *testing.T) {
	_, addr := start(t, testcell.Options{})
	c := dial(t, addr)
	for _, n := range []int{0, 1, 63, 64, 65, 32 << 10, 100_001} {
		c.send(fmt.Sprintf("GET /bytes/%d HTTP/1.1\r\nHost: h\r\n\r\n", n))
		resp := c.answer("GET")
		want := strings.Repeat(testcell.Alphabet, n/len(testcell.Alphabet)+1)[:n]
		if got := c.body(resp); got != want || resp.ContentLength != int64(n) {
			t.Errorf("/bytes/%d: %d bytes, Content-Length %d", n, len(got), resp.ContentLength)
		}
	}
	c.send("GET /bytes/1099511627776 HTTP/1.1\r\nHost: h\r\n\r\n")
	resp := c.answer("GET")
	if n, err := io.CopyN(io.Discard, resp.Body, 10<<20); err != nil || resp.ContentLength != 1<<40 {
		t.Errorf("of 1 TiB (%d) came %d: %v", resp.ContentLength, n, err)
	}
}

func TestHeadIsAnsweredWithoutABody(t *testing.T) {
	_, addr := start(t, testcell.Options{})
	c := dial(t, addr)
	for _, path := range []string{"/", "/sse?ms=" + aWhile, "/duplex", "/slow?ms=1", "/status/404", "/status/204", "/bytes/1099511627776"} {
		c.send("HEAD " + path + " HTTP/1.1\r\nHost: h\r\n\r\nGET /next HTTP/1.1\r\nHost: h\r\n\r\n")
		c.answer("HEAD")
		if r := c.report(); r.Target != "/next" {
			t.Errorf("%s: the next answer is to %s", path, r.Target)
		}
	}
}

func TestHTTP10GetsNoChunks(t *testing.T) {
	_, addr := start(t, testcell.Options{})
	for path, want := range map[string]string{"/duplex": "abc", "/sse?n=1": "id: 1", "/": `"proto":"HTTP/1.0"`} {
		c := dial(t, addr)
		c.send("POST " + path + " HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc")
		resp := c.answer("POST")
		if path == "/" {
			if resp.Header.Get("Connection") != "keep-alive" {
				t.Errorf("%s: keep-alive is not confirmed", path)
			}
			continue
		}
		if got := c.body(resp); !strings.HasPrefix(got, want) || len(resp.TransferEncoding) > 0 {
			t.Errorf("%s: %q %v", path, got, resp.TransferEncoding)
		}
	}
}

func TestWaitingEndsWithTheClient(t *testing.T) {
	_, addr := start(t, testcell.Options{})
	for _, path := range []string{"/slow?ms=" + aWhile, "/sse?n=2&ms=" + aWhile} {
		c := dial(t, addr)
		c.send("GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n")
		if err := c.Conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(c.in); err != nil {
			t.Errorf("%s: the cell goes on without a client: %v", path, err)
		}
	}
	c := dial(t, addr)
	c.send("POST /slow?ms=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcGET /next HTTP/1.1\r\nHost: h\r\n\r\n")
	if r := c.report(); r.Target != "/slow?ms=1" || r.BodySHA256 != sumOfABC {
		t.Errorf("%+v", r)
	}
	if r := c.report(); r.Target != "/next" {
		t.Errorf("%+v", r)
	}
}

func TestCloseEndsEverything(t *testing.T) {
	cell, addr := start(t, testcell.Options{Fault: func(r *testcell.Request) testcell.Fault {
		if r.Head.Target == "/silent" {
			return testcell.Silence
		}
		return testcell.NoFault
	}})
	idle := dial(t, addr)
	idle.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	idle.report()
	for _, raw := range []string{
		"GET /slow?ms=" + aWhile + " HTTP/1.1\r\nHost: h\r\n\r\n", "GET /sse?n=2&ms=" + aWhile + " HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET /bytes/1099511627776 HTTP/1.1\r\nHost: h\r\n\r\n", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n", "GET /silent HTTP/1.1\r\nHost: h\r\n\r\n",
	} {
		dial(t, addr).send(raw)
	}
	if n := cell.Open(); n < 1 {
		t.Errorf("%d connections are open", n)
	}
	cell.Close()
	if n := cell.Open(); n != 0 || !idle.ended() {
		t.Errorf("%d connections are left", n)
	}
	cell.Close()
	if resp, err := http.Get("http://" + addr); err == nil {
		_ = resp.Body.Close()
		t.Error("a closed cell answers")
	}
}
