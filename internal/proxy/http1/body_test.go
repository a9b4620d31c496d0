package http1_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/homeward/homeward/internal/proxy/http1"
)

const chunkedHead = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

// errNotYet is what a source says that has nothing more for now.
var errNotYet = errors.New("nothing more for now")

// arrived is a connection on which so much has come at once.
type arrived struct{ rest string }

func (a *arrived) Read(p []byte) (int, error) {
	if a.rest == "" {
		return 0, errNotYet
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}

// content reads a body with room for so many bytes at once until there is no more,
// and says in how many pieces it came.
func content(t *testing.T, wire string, room int) (text string, pieces int, err error) {
	t.Helper()
	r := http1.NewReader(&arrived{chunkedHead + wire})
	var head http1.Request
	if err := http1.ReadRequest(r, &head, http1.Limits{}); err != nil {
		t.Fatal(err)
	}
	body := http1.RequestBody(r, &head, http1.Limits{})
	for p := make([]byte, room); ; {
		n, err := body.Read(p)
		text += string(p[:n])
		if err != nil {
			return text, pieces, err
		}
		pieces++
	}
}

// A client pays a few bytes for a chunk: what comes together is passed on together.
func TestSmallChunksAreReadTogether(t *testing.T) {
	const chunks = 5000
	text, pieces, err := content(t, strings.Repeat("1\r\na\r\n", chunks)+"0\r\n\r\n", 32<<10)
	if text != strings.Repeat("a", chunks) || err != io.EOF { //nolint:errorlint // a Body returns it bare
		t.Errorf("%d bytes, then %v", len(text), err)
	}
	if pieces > chunks/100 {
		t.Errorf("%d chunks came in %d pieces", chunks, pieces)
	}
}

// Wherever a body stops arriving, and whatever is wrong with it, one that is read
// in large pieces gives the same as one that is read byte by byte.
func TestChunksReadTogetherAreTheSame(t *testing.T) {
	for _, wire := range []string{
		"2\r\nab\r\n003;x=y\r\ncde\r\n4\r\nfghi\r\n00\r\nA: b\r\n\r\nGET",
		"2\r\nab\r\n3\r\ncdefg\r\n0\r\n\r\n",
		"2\r\nab\r\n3\ncde\r\n0\r\n\r\n",
		"2\r\nab\r\n\r\n3\r\ncde\r\n0\r\n\r\n",
		"2\r\nab\r\n3" + strings.Repeat(" ", 300) + "\r\ncde\r\n0\r\n\r\n",
	} {
		for end := range len(wire) + 1 {
			one, _, oneErr := content(t, wire[:end], 1)
			many, _, manyErr := content(t, wire[:end], 100)
			if one != many || fmt.Sprint(oneErr) != fmt.Sprint(manyErr) {
				t.Errorf("%q: %q, %v; byte by byte %q, %v", wire[:end], many, manyErr, one, oneErr)
			}
		}
	}
}
