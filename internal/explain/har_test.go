package explain_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/homeward/homeward/internal/explain"
)

func har(requests ...string) string {
	return `{"log":{"version":"1.2","creator":{"name":"t"},"entries":[{"request":` + strings.Join(requests, `},{"request":`) + `}],"pages":[]}}`
}

func TestParseHAR(t *testing.T) {
	for _, c := range []struct{ name, request, want string }{
		{"HTTP/2", `{"method":"GET","url":"https://api.homeward.test/a/../b?x=1#f","httpVersion":"h2","headers":[{"name":":authority","value":"api.homeward.test"},{"name":":method","value":"GET"},{"name":"authorization","value":"Bearer t"}]}`,
			"GET https /a/../b?x=1\nHost: api.homeward.test\nauthorization: Bearer t\n"},
		{"HTTP/1.1", `{"method":"GET","url":"http://h.test:8080","headers":[{"name":"Accept","value":"a"},{"name":"Host","value":"h.test:8080"},{"name":"Cookie","value":"a=b"}],"cookies":[{"name":"a","value":"b"}]}`,
			"GET http /\nAccept: a\nHost: h.test:8080\nCookie: a=b\n"},
		{"cookies alone", `{"method":"GET","url":"http://h.test/","cookies":[{"name":"a","value":"b"},{"name":"c","value":"d"}]}`,
			"GET http /\nHost: h.test\nCookie: a=b; c=d\n"},
		{"text", `{"method":"POST","url":"http://u:p@h.test/","postData":{"mimeType":"text/plain","text":"a=b"}}`,
			"POST http /\nHost: h.test\nAuthorization: Basic dTpw\n\na=b"},
		{"base64", `{"method":"POST","url":"http://u:p@h.test/","postData":{"text":"YT1i","encoding":"base64"}}`,
			"POST http /\nHost: h.test\nAuthorization: Basic dTpw\n\na=b"},
		{"params", `{"method":"POST","url":"http://h.test/","headers":[{"name":"Cookie","value":"a=b"}],"postData":{"params":[{"name":"a b","value":"c&d"},{"name":"e"}]}}`,
			"POST http /\nHost: h.test\nCookie: a=b\n\na+b=c%26d&e="},
		{"body left out", `{"method":"POST","url":"http://h.test/","bodySize":10}`, "POST http /\nHost: h.test\n(unknown)"},
		{"web socket", `{"method":"GET","url":"wss://h.test/ws"}`, "GET https /ws\nHost: h.test\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := explain.ParseHAR(strings.NewReader("\uFEFF" + har(c.request)))
			if err != nil {
				t.Fatal(err)
			}
			want := strings.ReplaceAll(c.want, "(unknown)", "\n(unknown)")
			if diff := cmp.Diff(want, wire(got[0])); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseHARLeavesOut(t *testing.T) {
	got, err := explain.ParseHAR(strings.NewReader(har(
		`{"method":"GET","url":"data:text/plain,x"}`, `{"method":"GET","url":"http://h.test/1"}`, `{"method":"GET","url":"chrome-extension://a/b"}`)))
	if err != nil || len(got) != 1 || got[0].From != "entry 1" {
		t.Fatal(got, err)
	}
	if notes := strings.Join(got[0].Notes, "\n"); !strings.HasPrefix(notes, "2 entries of the file are not HTTP") || !strings.Contains(notes, "sensitive data") {
		t.Error(notes)
	}
}

func TestParseHARRefuses(t *testing.T) {
	ok := `{"method":"GET","url":"http://h.test/"}`
	for _, c := range []struct{ text, want string }{
		{``, "not JSON, or ends early, at byte 0"},
		{`[]`, "it is not an object"},
		{`{}`, "log.entries: it is not there"},
		{`{"log":1}`, "log: it is not an object"},
		{`{"log":{"entries":{}}}`, "log.entries: it is not a list"},
		{`{"log":{"entries":[]}}`, "log.entries: no entry is an HTTP request"},
		{`{"log":{"entries":[{}]}}`, "log.entries[0].request: it is not there"},
		{har(ok, `{"url":"http://h.test/"}`), "log.entries[1].request.method: it is missing"},
		{har(ok, `{"method":"GET"}`), "log.entries[1].request.url: it is not an absolute URL"},
		{har(`{"method":"GET","url":"http://"}`), "log.entries[0].request.url: the URL has no host"},
		{har(ok, ok, `{"method":5}`), "log.entries[2].request.method: it is not a string"},
		{har(`{"headers":{}}`), "log.entries[0].request.headers: it is not a list"},
		{har(`{"method":"POST","url":"http://h.test/","postData":{"text":"*","encoding":"base64"}}`), "postData.text: it is not base64"},
		{har(`{"method":"POST","url":"http://h.test/","postData":{"text":"*","encoding":"hex"}}`), "postData.encoding"},
		{har(ok)[:60], "ends early"},
		{har(strings.TrimSuffix(strings.Repeat(ok+`},{"request":`, explain.MaxHAREntries), `},{"request":`), ok), "more than 10000 entries"},
	} {
		_, err := explain.ParseHAR(strings.NewReader(c.text))
		var input *explain.InputError
		if !errors.As(err, &input) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.80s: %v, want %q", c.text, err, c.want)
		}
	}
	long := io.MultiReader(strings.NewReader(`{"log":{"x":"`), io.LimitReader(letters{}, explain.MaxHAR))
	if _, err := explain.ParseHAR(long); err == nil || !strings.Contains(err.Error(), "longer than 64 MiB") {
		t.Error(err)
	}
}

// letters is an endless text.
type letters struct{}

func (letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}
