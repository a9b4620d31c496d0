package edge_test

import (
	"testing"

	"github.com/homeward/homeward/internal/testcell"
)

const (
	euToken  = "pat-eu1-20b81d7f-8e9e-4bb8-b4a3-7b2b926271f2"
	na2Token = "pat-na2-a930d55d-9545-40f3-ae88-9fe46f2c7a8c"
)

func TestTargetsArriveByteForByte(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{})
	for _, target := range []string{
		"/", "/?", "/??", "/a?x=1;y=2", "/a?x=%zz&%", "/a%zz/%2F/%2f//b", "//a//", "/a/../b/./c", "/a+b?c+d", "/?a&a&a=&=b&&",
		"/%00%0a", "/~!$&'()*+,;=:@-._", "/a|b{c}\"<>^`\\[]", "*", "http://localhost/x//y%zz?z", "/crm/sse", "/a?hapikey=",
	} {
		method := "GET"
		if target == "*" {
			method = "OPTIONS"
		}
		r := w.raw(method + " " + target + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + euToken + "\r\n\r\n")
		if r.StatusCode != 200 || r.report.Cell != "eu1" || r.report.Target != target || r.report.Host != "localhost" {
			t.Errorf("%q: %d %s %+v", target, r.StatusCode, r.body, r.report)
		}
	}
}
