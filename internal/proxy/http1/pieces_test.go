package http1_test

import (
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/homeward/homeward/internal/proxy/http1"
)

const answerHead = "HTTP/1.1 200 OK\r\nX-Kept: as it came\r\n"

// begunAnswer is the body of an answer of which so much has come.
func begunAnswer(t *testing.T, wire string) *http1.Body {
	t.Helper()
	var buffers http1.Buffers
	r := buffers.LargeReader(&arrived{answerHead + wire})
	var head http1.Response
	if err := http1.ReadResponse(r, &head, http1.Limits{}); err != nil {
		t.Fatal(err)
	}
	return http1.ResponseBody(r, &head, "GET", http1.Limits{})
}

// Next gives what is at hand in one piece, chunks too, with the end if that has come.
func TestNext(t *testing.T) {
	const chunked = "Transfer-Encoding: chunked\r\n\r\n"
	broken := errors.New("some rule is broken")
	for name, c := range map[string]struct {
		wire  string
		begun bool
		want  []string // pieces
		end   error    // with the last
	}{
		"a length":                {"Content-Length: 3\r\n\r\nabc", true, []string{"abc"}, io.EOF},
		"a part of a length":      {"Content-Length: 4\r\n\r\nabc", true, []string{"abc"}, errNotYet},
		"nothing yet":             {"Content-Length: 4\r\n\r\n", false, nil, errNotYet},
		"no content":              {"Content-Length: 0\r\n\r\n", true, nil, io.EOF},
		"no length":               {"\r\nabc", true, []string{"abc"}, errNotYet},
		"chunks":                  {chunked + "1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", true, []string{"abc"}, io.EOF},
		"chunks without end":      {chunked + "1\r\na\r\n2\r\nbc\r\n", true, []string{"abc"}, errNotYet},
		"half a chunk":            {chunked + "1\r\na\r\n3\r\nbc", true, []string{"abc"}, errNotYet},
		"half a size":             {chunked + "1", false, nil, errNotYet},
		"a size and nothing more": {chunked + "1\r\n", false, nil, errNotYet},
		"the end alone":           {chunked + "0\r\n\r\n", true, nil, io.EOF},
		"a trailer":               {chunked + "1\r\na\r\n0\r\nT: v\r\n\r\n", true, []string{"a"}, io.EOF},
		"a chunk over its size":   {chunked + "1\r\nab\r\n", true, []string{"a"}, broken},
	} {
		t.Run(name, func(t *testing.T) {
			body := begunAnswer(t, c.wire)
			if got := body.Begun(); got != c.begun {
				t.Errorf("begun: %v", got)
			}
			var got []string
			var err error
			for err == nil {
				var piece []byte
				if piece, err = body.Next(); len(piece) > 0 {
					got = append(got, string(piece))
				}
			}
			if strings.Join(got, "|") != strings.Join(c.want, "|") {
				t.Errorf("in pieces: %q, want %q", got, c.want)
			}
			var rule *http1.SyntaxError
			if c.end == broken && !errors.As(err, &rule) || c.end != broken && !errors.Is(err, c.end) { //nolint:errorlint // a mark of the table
				t.Errorf("it ends with %v, want %v", err, c.end)
			}
		})
	}
}

// A body at hand, and the head before it, stay as they are while more is read: the
// next requests, until the buffer has grown.
func TestAtHandStays(t *testing.T) {
	var buffers http1.Buffers
	for _, size := range []int{1, 3000, 4096, 16 << 10, 20 << 10, 30 << 10} {
		content := strings.Repeat("content ", size/8+1)[:size]
		head := "POST /target HTTP/1.1\r\nHost: a\r\nX-Kept: as it came\r\nContent-Length: " + strconv.Itoa(size) + "\r\n\r\n"
		r := buffers.Reader(&arrived{head + content + strings.Repeat("the next ", 8<<10)})
		for range 2 { // the second time in buffers that are used again
			var req http1.Request
			if err := http1.ReadRequest(&r, &req, http1.Limits{}); err != nil {
				t.Fatal(err)
			}
			got, ok := http1.RequestBody(&r, &req, http1.Limits{}).AtHand(32 << 10)
			if !ok {
				t.Fatalf("%d bytes are not at hand", size)
			}
			for r.AwaitMore() == nil { // until there is no room for more
			}
			if string(got) != content || req.Target != "/target" || req.Fields[1].Value != "as it came" {
				t.Errorf("%d bytes, or their head, changed while more was read", size)
			}
			r.Reset(&arrived{head + content + strings.Repeat("another ", 8<<10)})
		}
	}
}

// A body that has not come whole is not at hand, and nothing of it is lost.
func TestNotAtHand(t *testing.T) {
	r := http1.NewReader(&arrived{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabc"})
	var req http1.Request
	if err := http1.ReadRequest(r, &req, http1.Limits{}); err != nil {
		t.Fatal(err)
	}
	body := http1.RequestBody(r, &req, http1.Limits{})
	if got, ok := body.AtHand(4); ok {
		t.Errorf("at hand, though longer than asked for: %q", got)
	}
	if got, ok := body.AtHand(5); ok {
		t.Errorf("at hand, though it has not come: %q", got)
	}
	var p [8]byte
	if n, err := body.Read(p[:]); string(p[:n]) != "abc" || err != nil {
		t.Errorf("then read: %q, %v", p[:n], err)
	}
}
