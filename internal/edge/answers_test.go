package edge_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/topology"
)

// scripted is a gateway that answers each request head with the same bytes, as
// they are.
func scripted(t *testing.T, answer string) string {
	t.Helper()
	l := listen(t)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for r := bufio.NewReader(c); ; {
					if _, err := http.ReadRequest(r); err != nil {
						return
					}
					if _, err := io.WriteString(c, answer); err != nil {
						return
					}
					if strings.Contains(answer, "Connection: close") {
						return
					}
				}
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

// What a cell answers reaches the client as it is, what it must not answer does
// not, and nothing of one answer ever becomes part of another.
func TestOddAnswers(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	for _, c := range []struct {
		name, method, answer string
		want                 string // the wire as the client gets it, Date and ids aside; or
		kind                 string // the edge's own answer
	}{
		{name: "kept as it is", answer: "HTTP/1.1 299 Fine By Me\r\nset-COOKIE: a=1\r\nX-b: \"q\"\r\nset-COOKIE: b=2\r\nContent-Length: 2\r\n\r\nok",
			want: "HTTP/1.1 299 Fine By Me\r\nset-COOKIE: a=1\r\nX-b: \"q\"\r\nset-COOKIE: b=2\r\nContent-Length: 2\r\n\r\nok"},
		{name: "what ends at the edge", answer: "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=9\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nHomeward-Error: conflict\r\nhomeward_cell: x\r\nContent-Length: 2\r\n\r\nok", want: ok},
		{name: "an interim answer", answer: "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nHomeward-X: y\r\n\r\n" + ok, want: "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + ok},
		{name: "a 100 nobody asked for", answer: "HTTP/1.1 100 Continue\r\n\r\n" + ok, want: ok},
		{name: "a length where there is no body", answer: "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok", want: "HTTP/1.1 204 No Content\r\n\r\n"},
		{name: "a body where there is none", method: "HEAD", answer: ok, want: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"},
		{name: "a second answer behind the first", answer: ok + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", want: ok},
		{name: "an end without length", answer: "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok", want: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"},
		{name: "two framings", answer: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", kind: "upstream-reset"},
		{name: "two lengths", answer: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok", kind: "upstream-reset"},
		{name: "another protocol", answer: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", kind: "upstream-reset"},
		{name: "interim answers without end", answer: strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 1000), kind: "upstream-reset"},
		{name: "a folded header", answer: "HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 2\r\n\r\nok", kind: "upstream-reset"},
		{name: "a head without end", answer: "HTTP/1.1 200 OK\r\nA: " + strings.Repeat("b", 1<<20), kind: "upstream-reset"},
	} {
		t.Run(c.name, func(t *testing.T) {
			gateway := scripted(t, c.answer)
			w := newWorld(t, func(top *topology.Topology) { top.Cells[0].Gateways = []string{gateway} }, testcell.Options{})
			if c.method == "" {
				c.method = "GET"
			}
			request := c.method + " / HTTP/1.1\r\nHost: localhost\r\n\r\n"
			for range 3 { // each on a new connection to the edge, perhaps on a kept one to the cell
				if c.kind != "" {
					conn := w.dial()
					_, _ = io.WriteString(conn, request)
					if got := w.final(bufio.NewReader(conn), c.method); got.kind() != c.kind {
						t.Fatalf("%d %q, want %q", got.StatusCode, got.kind(), c.kind)
					}
					continue
				}
				if got := exchange(t, w.dial(), request, len(c.want)); got != c.want {
					t.Fatalf("got  %q\nwant %q", got, c.want)
				}
			}
		})
	}
}

// final reads answers up to the one that is not interim.
func (w *world) final(r *bufio.Reader, method string) reply {
	w.t.Helper()
	for {
		if got := w.read(r, method); got.StatusCode >= 200 {
			return got
		}
	}
}

// exchange sends a request and reads n bytes, and then makes sure by a second
// request, which the edge refuses, that no more of the first answer comes.
func exchange(t *testing.T, c net.Conn, request string, n int) string {
	t.Helper()
	defer c.Close()
	_, _ = io.WriteString(c, request)
	got := make([]byte, n)
	if m, err := io.ReadFull(c, got); err != nil {
		return string(got[:m])
	}
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\n\r\n")
	next := make([]byte, len("HTTP/1.1 400"))
	if _, err := io.ReadFull(c, next); err != nil || string(next) != "HTTP/1.1 400" {
		t.Fatalf("behind the answer came %q, %v", next, err)
	}
	return string(got)
}

// A trailer that is announced may have the name of a header, and need not come:
// the header stays where it is, and no trailer is made of it.
func TestAnnouncedTrailerOfAHeadersName(t *testing.T) {
	w, _ := answering(t, "HTTP/1.1 200 OK\r\nTrailer: ETag, X-Sum\r\nETag: \"h\"\r\nX-Sum: head\r\nTransfer-Encoding: chunked\r\n\r\n"+
		"2\r\nok\r\n0\r\nX-Sum: trailer\r\n\r\n")
	for _, c := range w.ways() {
		r := c.do(t, c.request(t, "GET", "/x", nil, 0))
		if string(r.body) != "ok" || r.Header.Get("Etag") != `"h"` || r.Header.Get("X-Sum") != "head" {
			t.Errorf("%s: %q with the head %v", c.name, r.body, r.Header)
		}
		if r.Trailer.Get("X-Sum") != "trailer" || r.Trailer.Get("Etag") != "" {
			t.Errorf("%s: the trailer is %v", c.name, r.Trailer)
		}
	}
}

// An answer that declares no length and has no content reaches the client without
// one: the libraries that write to streams would say 0.
func TestNoLengthIsMadeUp(t *testing.T) {
	chunked, _ := answering(t, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
	stream, _ := answeringHTTP2(t, true, ":status", "200")
	for _, w := range []*world{chunked, stream} {
		for _, c := range w.ways() {
			r := c.do(t, c.request(t, "GET", "/x", nil, 0))
			if length, ok := r.Header["Content-Length"]; r.StatusCode != 200 || ok {
				t.Errorf("%s: %d with the length %q", c.name, r.StatusCode, length)
			}
		}
	}
}
