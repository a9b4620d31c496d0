package http3_test

import (
	"encoding/json"
	"strings"
	"testing"

	lib "github.com/quic-go/quic-go/http3"

	"github.com/homeward/homeward/internal/proxy"
	"github.com/homeward/homeward/internal/testcell"
)

func TestTargetsArriveByteForByte(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{})
	c := w.raw()
	for _, target := range []string{
		"/", "/?", "/??", "/a?x=1;y=2", "/a?x=%zz&%", "/a%2F/%2f//b", "//a//", "/a/../b/./c", "/a+b?c+d", "/?a&a&a=&=b&&",
		"/%00%0a", "/~!$&'()*+,;=:@-._", "/a|b{c}\"<>^`\\[]", "*", "/a?hapikey=",
	} {
		method := "GET"
		if target == "*" {
			method = "OPTIONS"
		}
		r := c.ask(plain(method, target, "authorization", "Bearer "+euToken)...)
		var report testcell.Report
		_ = json.Unmarshal(r.body, &report)
		if r.status != 200 || report.Cell != "eu1" || report.Target != target || report.Host != "localhost" {
			t.Errorf("%q: %d %s %v", target, r.status, r.body, r.err)
		}
	}
}

// What no well-behaved client sends, and an HTTP/1.1 cell would read differently
// than the edge did, reaches no cell: the edge or the library refuses it.
func TestHeadsThatAreNoHTTP1Heads(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{})
	c := w.raw()
	for _, tc := range []struct {
		name   string
		fields []string
		status int         // of the edge's answer
		reset  lib.ErrCode // of the library
	}{
		{"an address as the path", plain("GET", "http://api-eu1.homeward.test/"), 0, lib.ErrCodeMessageError},
		{"a percent sign that is no escape", plain("GET", "/a%zz"), 0, lib.ErrCodeMessageError},
		{"a fragment", plain("GET", "/a#b"), 400, 0},
		{"an asterisk for GET", plain("GET", "*"), 0, lib.ErrCodeMessageError},
		{"CONNECT to a host", []string{":method", "CONNECT", ":authority", "localhost:80"}, 400, 0},
		{"CONNECT for another protocol", plain("CONNECT", "/", ":protocol", "connect-udp"), 501, 0},
		{"another Host", plain("GET", "/", "host", "api-eu1.homeward.test"), 0, lib.ErrCodeMessageError},
		{"two Hosts", plain("GET", "/", "host", "localhost", "host", "localhost"), 0, lib.ErrCodeMessageError},
		{"an authority that is none", []string{":method", "GET", ":scheme", "https", ":authority", "a/b", ":path", "/"}, 400, 0},
		{"no authority", []string{":method", "GET", ":scheme", "https", ":path", "/"}, 0, lib.ErrCodeMessageError},
		{"two paths", plain("GET", "/", ":path", "/b"), 0, lib.ErrCodeMessageError},
		{"a pseudo field at the end", append(plain("GET", "/", "a", "b"), ":method", "POST"), 0, lib.ErrCodeMessageError},
		{"an unknown pseudo field", plain("GET", "/", ":x", "y"), 0, lib.ErrCodeMessageError},
		{"a name in capitals", plain("GET", "/", "Authorization", "x"), 0, lib.ErrCodeMessageError},
		{"a line break", plain("GET", "/", "a", "b\r\nc: d"), 0, lib.ErrCodeMessageError},
		{"white space before a credential", plain("GET", "/", "authorization", " Bearer "+euToken), 400, 0},
		{"Connection", plain("GET", "/", "connection", "close"), 0, lib.ErrCodeMessageError},
		{"Transfer-Encoding", plain("POST", "/", "transfer-encoding", "chunked"), 0, lib.ErrCodeMessageError},
		{"TE: gzip", plain("GET", "/", "te", "gzip"), 0, lib.ErrCodeMessageError},
		{"two Content-Lengths", plain("POST", "/", "content-length", "0", "content-length", "4"), 0, lib.ErrCodeMessageError},
		{"a Content-Length that is no number", plain("POST", "/", "content-length", "+1"), 0, lib.ErrCodeMessageError},
		{"many lines", plain("GET", "/", strings.Split(strings.Repeat("a,b,", 101)+"a,b", ",")...), 431, 0},
		{"a long head", plain("GET", "/", "a", strings.Repeat("b", 40<<10)), 431, 0},
		{"a head over what is read of one", plain("GET", "/", "a", strings.Repeat("b", 100<<10)), 431, 0},
		{"a head over all limits", plain("GET", "/", "a", strings.Repeat("\\", 400<<10)), 431, 0},
	} {
		r := c.ask(tc.fields...)
		if r.status != tc.status || r.reset() != tc.reset {
			t.Errorf("%s: status %d, reset %v (%v)", tc.name, r.status, r.reset(), r.err)
		}
		if own := !strings.HasPrefix(tc.name, "a head over "); r.status != 0 && (r.header["homeward-error"] != "") != own {
			t.Errorf("%s: the edge's own answer: %v, want %v; %v", tc.name, !own, own, r.header)
		}
	}
	if n := w.cell.Requests(); n != 0 {
		t.Errorf("%d of them reached the cell", n)
	}
}

// A body that is not as long as declared ends the request to the cell.
func TestContentLengthIsTheLengthOfTheBody(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{})
	c := w.raw()
	for _, tc := range []struct{ name, declared, body string }{
		{"too short", "9", "hello"}, {"too long", "3", "hello"}, {"none", "40", ""},
	} {
		b := head(plain("POST", "/", "content-length", tc.declared)...)
		if tc.body != "" {
			b = frame(b, dataFrame, []byte(tc.body))
		}
		r := c.read(c.send(b, true))
		if r.status == 200 {
			t.Errorf("%s: answered %d %s", tc.name, r.status, r.body)
		}
		if rec := w.seen.next(t); rec.Aborted != proxy.ClientAborted && rec.Kind != proxy.BadFraming {
			t.Errorf("%s: recorded %+v", tc.name, rec)
		}
	}
}

// Whether a request has a body is known before its cell is told, however the
// end of its stream arrives.
func TestRequestWithoutBodyHasNone(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{})
	c := w.raw()
	for _, method := range []string{"GET", "DELETE", "PROPFIND"} {
		s := c.send(head(plain(method, "/", "trailer", "checksum")...), false)
		// An empty frame of an unknown type is not the end, and no body.
		if _, err := s.Write(frame(nil, 0x21, nil)); err != nil {
			t.Fatal(err)
		}
		s.Close()
		r := c.read(s)
		var report testcell.Report
		_ = json.Unmarshal(r.body, &report)
		for _, f := range report.Headers {
			if f[0] == "Transfer-Encoding" || f[0] == "Content-Length" {
				t.Errorf("%s: the cell was sent %v", method, f)
			}
		}
		if r.status != 200 || report.Method != method {
			t.Errorf("%s: %d %s %v", method, r.status, r.body, r.err)
		}
	}
	r := c.read(c.send(frame(head(plain("GET", "/")...), dataFrame, []byte(strings.Repeat("x", 1000))), true))
	var report testcell.Report
	_ = json.Unmarshal(r.body, &report)
	if report.BodyBytes != 1000 {
		t.Errorf("of the body of a GET, %d bytes arrived: %s", report.BodyBytes, r.body)
	}
}
