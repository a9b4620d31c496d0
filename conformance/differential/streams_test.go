package differential_test

import (
	"bytes"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/homeward/homeward/conformance"
)

// vectors are the streams of framing.json, whole, and what is left of them
// without their last byte.
func vectors(t testing.TB) (out [][]byte) {
	t.Helper()
	v, err := conformance.ReadFraming()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range v.Requests {
		if r.Cut == "" {
			out = append(out, []byte(r.Send))
		}
	}
	return out
}

// short are those that are worth changing.
func short(streams [][]byte) (out [][]byte) {
	for _, s := range streams {
		if len(s) < 500 {
			out = append(out, s)
		}
	}
	return out
}

// pieces are what changes put into streams: what parsers have differed about.
var pieces = []string{
	"\r\n", "\n", "\r", "\r\r\n", "\x00", " ", "\t", "\x0b", "\x0c", "\x7f", "\x80", "\xa0", "\xff", ":", ";", ",", "\"", "0", "00", "x", "+", "-", "_",
	"\r\n ", "\r\n\t", "0\r\n\r\n", "5\r\nhello\r\n", "\xe2\x84\xaa", "\xc5\xbf",
	"Content-Length: 5\r\n", "Content-Length: 0\r\n", "content-length:5\r\n", "Content-Length : 5\r\n", "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: identity\r\n",
	"transfer-encoding:\tchunked \r\n", "Host: localhost\r\n", "Host: other.example\r\n", "Connection: close\r\n", "Connection: keep-alive\r\n", "Expect: 100-continue\r\n",
	"Trailer: A\r\n", "A: b\r\n", "Content-Type: multipart/form-data; boundary=b\r\n", " HTTP/1.0", " HTTP/1.1", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
}

// changed is a stream with one to three changes.
func changed(rnd *rand.Rand, streams [][]byte) []byte {
	s := bytes.Clone(streams[rnd.IntN(len(streams))])
	for range 1 + rnd.IntN(3) {
		at := rnd.IntN(len(s) + 1)
		switch rnd.IntN(7) {
		case 0: // a byte less
			if at < len(s) {
				s = append(s[:at], s[at+1:]...)
			}
		case 1: // another byte
			if at < len(s) {
				s[at] = byte(rnd.IntN(256))
			}
		case 2: // a piece more
			s = insert(s, at, pieces[rnd.IntN(len(pieces))])
		case 3: // a piece more where a line begins
			s = insert(s, lineAt(s, at), pieces[rnd.IntN(len(pieces))])
		case 4: // a line twice
			from := lineAt(s, at)
			s = insert(s, from, string(s[from:lineAfter(s, from)]))
		case 5: // a line less
			from := lineAt(s, at)
			s = append(s[:from], s[lineAfter(s, from):]...)
		case 6: // another stream behind it
			s = append(s, streams[rnd.IntN(len(streams))]...)
		}
	}
	return s
}

func insert(s []byte, at int, piece string) []byte {
	return append(append(bytes.Clone(s[:at]), piece...), s[at:]...)
}

// lineAt is where the line begins that a byte is of.
func lineAt(s []byte, at int) int { return bytes.LastIndexByte(s[:at], '\n') + 1 }

func lineAfter(s []byte, at int) int {
	if i := bytes.IndexByte(s[at:], '\n'); i >= 0 {
		return at + i + 1
	}
	return len(s)
}

// composed is a stream of one to three requests, each well-formed or nearly so.
func composed(rnd *rand.Rand) []byte {
	pick := func(of ...string) string { return of[rnd.IntN(len(of))] }
	odd := func(usual string, of ...string) string { // mostly the usual
		if rnd.IntN(20) > 0 {
			return usual
		}
		return pick(of...)
	}
	var b strings.Builder
	for range 1 + rnd.IntN(3) {
		b.WriteString(odd("", "\r\n", "\n", " "))
		b.WriteString(pick("GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "get", "X-A"))
		b.WriteString(odd(" ", "  ", "\t") + odd(pick("/", "/a", "/a?b=c", "http://localhost/", "//a", "/a%20b"), "*", "/%zz", "/#a", "http://a/"))
		b.WriteString(odd(" ", "  ", "\t") + odd("HTTP/1.1", "HTTP/1.0", "HTTP/1.2", "http/1.1", "HTTP/2.0") + odd("\r\n", "\n", "\r"))
		b.WriteString(odd("Host: localhost\r\n", "", "Host:\r\n", "Host: a, b\r\n", "Host: localhost\r\nHost: localhost\r\n"))
		length, chunked := rnd.IntN(3) == 0, rnd.IntN(3) == 0
		content := strings.Repeat("a", rnd.IntN(20))
		if length {
			b.WriteString(odd("Content-Length: ", "Content-Length : ", "content-length:", "Content_Length: ") + odd("", "+", "0", "0x", "\x0b") + strconv.Itoa(len(content)) + odd("", " ", ", 5", ";") + odd("\r\n", "\n"))
		}
		if chunked {
			b.WriteString(odd("Transfer-Encoding: ", "Transfer-Encoding:", "Transfer-Encoding : ", "Transfer_Encoding: ") + odd("chunked", "Chunked", "gzip, chunked", "chunked, identity", "identity", "\"chunked\"", "chunked;a") + odd("\r\n", "\n"))
		}
		b.WriteString(odd("", "A: b\r\n", "A: b\r\n c\r\n", "A : b\r\n", "A\r\n", "Connection: close\r\n", "Connection: keep-alive\r\n", "Expect: 100-continue\r\n", "A: \x01\r\n") + odd("\r\n", "\n"))
		switch {
		case chunked:
			for content != "" {
				n := 1 + rnd.IntN(len(content))
				b.WriteString(odd("", "0", "0x", " ", "+") + strconv.FormatInt(int64(n), 16) + odd("", ";a=b", ";", " ", ";a=\"b\"") + odd("\r\n", "\n", "\r") + content[:n] + odd("\r\n", "\n", ""))
				content = content[n:]
			}
			b.WriteString("0" + odd("", "00", ";a") + odd("\r\n", "\n") + odd("", "A: b\r\n", "Content-Length: 3\r\n", "A : b\r\n") + odd("\r\n", "\n"))
		case length:
			b.WriteString(content)
		}
	}
	return []byte(b.String())
}
