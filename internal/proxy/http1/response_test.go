package http1_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/homeward/homeward/internal/proxy/http1"
)

func TestResponses(t *testing.T) {
	for _, c := range []struct {
		wire, method string
		body         string
		whole        bool // the connection can go on
	}{
		{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "GET", "ok", true},
		{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", "HEAD", "", true},
		{"HTTP/1.1 304 \r\nContent-Length: 2\r\n\r\n", "GET", "", true},
		{"HTTP/1.1 204\r\n\r\n", "GET", "", true},
		{"HTTP/1.1 200 Fine by me\r\n\r\nto the end", "GET", "to the end", false},
		{"HTTP/1.0 200 OK\r\n\r\nold", "GET", "old", false},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "GET", "ok", true},
	} {
		r := http1.NewReader(strings.NewReader(c.wire))
		var resp http1.Response
		if err := http1.ReadResponse(r, &resp, http1.Limits{}); err != nil {
			t.Errorf("%q: %v", c.wire, err)
			continue
		}
		body := http1.ResponseBody(r, &resp, c.method, http1.Limits{})
		b, err := io.ReadAll(body)
		if err != nil || string(b) != c.body || body.Whole() != c.whole {
			t.Errorf("%q: %q, %v, whole %v", c.wire, b, err, body.Whole())
		}
	}
}

var badResponses = []string{
	"\r\nHTTP/1.1 200 OK\r\n\r\n",
	"200 OK\r\n\r\n",
	"HTTP/1.1  200 OK\r\n\r\n",
	"HTTP/1.1 2000 OK\r\n\r\n",
	"HTTP/1.1 20 OK\r\n\r\n",
	"HTTP/1.1 099 OK\r\n\r\n",
	"HTTP/2.0 200 OK\r\n\r\n",
	"HTTP/1.1 200 O\x00K\r\n\r\n",
	"HTTP/1.1 200 OK\nA: b\n\n",
	"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
	"SSH-2.0-OpenSSH_9.2\r\n\r\n",
}

func TestBadResponsesAreRefused(t *testing.T) {
	for _, s := range badResponses {
		var resp http1.Response
		err := http1.ReadResponse(http1.NewReader(strings.NewReader(s)), &resp, http1.Limits{})
		var rule *http1.SyntaxError
		if !errors.As(err, &rule) {
			t.Errorf("%q: %v, want a rule that it breaks", s, err)
		}
	}
}

func TestBadBodies(t *testing.T) {
	const head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
	for _, c := range []struct {
		body      string
		truncated bool // else a rule is broken
	}{
		{"", true}, {"5", true}, {"5\r\nab", true}, {"2\r\nab", true}, {"2\r\nab\r\n", true}, {"2\r\nab\r\n0\r\n", true}, {"0\r\nA: b\r\n", true},
		{"\r\n", false}, {"g\r\n", false}, {"-1\r\n", false}, {"0x2\r\nab\r\n0\r\n\r\n", false}, {" 2\r\nab\r\n0\r\n\r\n", false},
		{"2\nab\r\n0\r\n\r\n", false}, {"2\r\nabc\r\n0\r\n\r\n", false}, {"2\r\nab\n0\r\n\r\n", false}, {"2\r\nab0\r\n\r\n", false},
		{"2 \r\nab\r\n0\r\n\r\n", false}, {"2\t\r\nab\r\n0\r\n\r\n", false}, {"2\r\nab\r\n0 \r\n\r\n", false}, // white space stands before an extension only
		{"2 x\r\nab\r\n0\r\n\r\n", false}, {"2;\x00\r\nab\r\n0\r\n\r\n", false}, {"ffffffffffffffff\r\n", false},
		{"2;" + strings.Repeat("x", 5000) + "\r\nab\r\n0\r\n\r\n", false},
		{"0\r\nA : b\r\n\r\n", false}, {"0\r\nContent-Length: 1\r\n\r\n", false}, {"0\r\nAuthorization: x\r\n\r\n", false}, {"0\r\nA: b\n\r\n", false},
	} {
		r := http1.NewReader(strings.NewReader(head + c.body))
		var req http1.Request
		if err := http1.ReadRequest(r, &req, http1.Limits{}); err != nil {
			t.Fatal(err)
		}
		body := http1.RequestBody(r, &req, http1.Limits{})
		_, err := io.Copy(io.Discard, body)
		var rule *http1.SyntaxError
		if c.truncated && !errors.Is(err, io.ErrUnexpectedEOF) || !c.truncated && !errors.As(err, &rule) || body.Whole() {
			t.Errorf("%q: %v", c.body, err)
		}
	}
}

func TestFrameChunk(t *testing.T) {
	buf := make([]byte, http1.ChunkRoom+70000+2)
	for _, n := range []int{1, 15, 16, 255, 65536, 70000} {
		for i := range n {
			buf[http1.ChunkRoom+i] = byte('a' + i%26)
		}
		wire := string(http1.FrameChunk(buf, n)) + string(http1.AppendLastChunk(nil, nil))
		r := http1.NewReader(strings.NewReader("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + wire))
		var resp http1.Response
		if err := http1.ReadResponse(r, &resp, http1.Limits{}); err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(http1.ResponseBody(r, &resp, "GET", http1.Limits{}))
		if err != nil || len(b) != n || b[n-1] != byte('a'+(n-1)%26) {
			t.Errorf("%d bytes: got %d, %v", n, len(b), err)
		}
	}
}

// What is left of the framing behind a chunk is not content: Ready waits on.
func TestReadyWaitsForContent(t *testing.T) {
	errPause := errors.New("nothing comes")
	for wire, want := range map[string]error{"2\r\nok\r\n": errPause, "2\r\nok\r\n3\r\n": errPause, "2\r\nok\r\n3\r\nx": nil, "2\r\nok\r\n0\r\n\r\n": io.EOF} {
		src := io.MultiReader(strings.NewReader("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"+wire), iotest.ErrReader(errPause))
		r := http1.NewReader(src)
		var resp http1.Response
		if err := http1.ReadResponse(r, &resp, http1.Limits{}); err != nil {
			t.Fatal(err)
		}
		body := http1.ResponseBody(r, &resp, "GET", http1.Limits{})
		if err := body.Ready(); err != nil {
			t.Fatal(err)
		}
		if n, err := body.Read(make([]byte, 2)); n != 2 || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
		if err := body.Ready(); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", wire, err, want)
		}
	}
}

func FuzzReadResponse(f *testing.F) {
	for _, s := range badResponses {
		f.Add(s)
	}
	f.Add("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")
	f.Fuzz(func(t *testing.T, s string) {
		r := http1.NewReader(strings.NewReader(s))
		var resp http1.Response
		if http1.ReadResponse(r, &resp, http1.Limits{}) != nil {
			return
		}
		if resp.Length >= 0 && resp.Chunked {
			t.Fatal("two framings accepted")
		}
		n, _ := io.Copy(io.Discard, http1.ResponseBody(r, &resp, "GET", http1.Limits{}))
		if n > int64(len(s)) {
			t.Fatal("more content than bytes")
		}
	})
}
