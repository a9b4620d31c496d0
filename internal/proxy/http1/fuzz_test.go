package http1_test

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/homeward/homeward/conformance"
	"github.com/homeward/homeward/internal/proxy/http1"
)

// compareWithModel reads a stream as the parser and as the model do.
func compareWithModel(t *testing.T, wire string) {
	t.Helper()
	got, model := readRequests(strings.NewReader(wire)), conformance.ReadModel([]byte(wire))
	requests := []conformance.Request{}
	for _, m := range got.Read {
		requests = append(requests, conformance.Request{Method: m.Method, Target: m.Target, Body: characters(m.Body)})
	}
	if d := cmp.Diff(append([]conformance.Request{}, model.Requests...), requests); d != "" {
		t.Fatalf("%q (- model, + parser)\n%s", clip(wire), d)
	}
	// What is not whole may be refused by the parser already.
	if model.Refused && got.Refuse == 0 || model.Closed != got.Closes {
		t.Fatalf("%q\nthe model refuses: %v, closes: %v; the parser: %+v", clip(wire), model.Refused, model.Closed, got)
	}
}

// characters has one for each byte.
func characters(s string) string {
	out := make([]rune, len(s))
	for i := range len(s) {
		out[i] = rune(s[i])
	}
	return string(out)
}

func TestVectorsByTheModel(t *testing.T) {
	for _, v := range vectors(t).Requests {
		if len(v.Send) > 50_000 {
			continue // the model is slow
		}
		t.Run(v.Name, func(t *testing.T) {
			compareWithModel(t, string(v.Send))
			model := conformance.ReadModel([]byte(v.Send))
			if len(model.Requests) != len(v.Read) || model.Closed != v.Closes || v.Cut != "" && model.Refused {
				t.Errorf("the model reads %+v", model)
			}
		})
	}
}

// A stream reads as the model reads it, and the same in any two parts.
func FuzzRequests(f *testing.F) {
	for i, v := range vectors(f).Requests {
		if len(v.Send) < 2000 {
			f.Add(string(v.Send), uint(i))
		}
	}
	f.Fuzz(func(t *testing.T, wire string, at uint) {
		compareWithModel(t, wire)
		whole := readRequests(strings.NewReader(wire))
		split := int(at % uint(len(wire)+1))
		for _, src := range []io.Reader{
			iotest.OneByteReader(strings.NewReader(wire)),
			io.MultiReader(strings.NewReader(wire[:split]), strings.NewReader(wire[split:])),
		} {
			if d := cmp.Diff(whole, readRequests(src)); d != "" {
				t.Fatalf("%q, split at %d (- whole, + split)\n%s", wire, split, d)
			}
		}
	})
}

// localChunked is the head of the vectors about chunks.
const localChunked = "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"

// A chunked body reads as the model reads it, in pieces of any size.
func FuzzChunked(f *testing.F) {
	for _, v := range vectors(f).Requests {
		if wire, ok := strings.CutPrefix(string(v.Send), localChunked); ok && len(wire) < 2000 {
			f.Add(wire, uint8(len(wire)))
		}
	}
	f.Add("5\r\nhello\r\n10;a=\"b\"\r\n0123456789abcdef\r\n0\r\nA: b\r\n\r\n", uint8(3))
	f.Fuzz(func(t *testing.T, wire string, room uint8) {
		compareWithModel(t, localChunked+wire)
		one, _, oneErr := content(t, wire, 1)
		many, _, manyErr := content(t, wire, int(room)+1)
		if one != many || (oneErr == io.EOF) != (manyErr == io.EOF) { //nolint:errorlint // a Body returns it bare
			t.Fatalf("%q in pieces of %d: %q, %v; byte by byte %q, %v", wire, int(room)+1, many, manyErr, one, oneErr)
		}
	})
}

// An answer reads the same in any two parts, and is never more than what came.
func FuzzAnswers(f *testing.F) {
	for i, v := range vectors(f).Responses {
		f.Add(string(v.Send), v.Method, uint(i))
	}
	f.Fuzz(func(t *testing.T, wire, method string, at uint) {
		whole := readAnswer(strings.NewReader(wire), method)
		if a := whole.Answer; a != nil && len(a.Body) > len(wire) {
			t.Fatalf("%q: %d bytes of content", wire, len(a.Body))
		}
		split := int(at % uint(len(wire)+1))
		for _, src := range []io.Reader{
			iotest.OneByteReader(strings.NewReader(wire)),
			io.MultiReader(strings.NewReader(wire[:split]), strings.NewReader(wire[split:])),
		} {
			if d := cmp.Diff(whole, readAnswer(src, method)); d != "" {
				t.Fatalf("%q, split at %d (- whole, + split)\n%s", wire, split, d)
			}
		}
		writtenAgain(t, whole.Answer, method)
	})
}

// writtenAgain reads what an answer is when its fields are written out.
func writtenAgain(t *testing.T, a *message, method string) {
	t.Helper()
	if a == nil || a.Minor == 0 {
		return
	}
	out := http1.AppendStatusLine(nil, a.Status, a.Reason)
	for _, f := range a.Fields {
		out = http1.AppendField(out, f[0], f[1])
	}
	var resp http1.Response
	err := http1.ReadResponse(http1.NewReader(strings.NewReader(string(out)+"\r\n")), &resp, http1.Limits{Head: 1 << 20})
	if err != nil || resp.Status != a.Status || resp.Reason != a.Reason || !cmp.Equal(pairs(resp.Fields), a.Fields) {
		t.Fatalf("%s: %q reads as %+v, %v", method, out, resp, err)
	}
}
