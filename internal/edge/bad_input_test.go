package edge_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/homeward/homeward/internal/testcell"
)

// What conformance/exchanges.json says of bad input in bytes holds for every
// protocol as far as a client of it can say the same.
func TestBadInputOverEveryProtocol(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{})
	clients := w.clients()
	for _, c := range clients { // a head leaves in one write: who refuses it does not wait for ever for its rest
		c.http.Transport.(*http.Transport).WriteBufferSize = 2 << 20
	}
	bearer := "Bearer " + euToken
	for _, c := range []struct {
		name   string
		target string
		host   string
		header http.Header
		status int
		kind   string
		cell   string
	}{
		{"unknown host", "/", "api.elsewhere.test", nil, 421, "unknown-host", ""},
		{"two Authorization headers", "/", "", http.Header{"Authorization": {bearer, bearer}}, 400, "conflict", ""},
		{"hapikey twice", "/?hapikey=a&hapikey=a", "", nil, 400, "conflict", ""},
		{"credentials that disagree", "/?hapikey=na2-f193-6e85-4f08-b592-7b0fe339d309", "", http.Header{"Authorization": {bearer}}, 400, "conflict", ""},
		{"a cell that is a host name", "/", "", http.Header{"Authorization": {"Bearer pat-eu1.evil.test-50295142-e077-4f79-8505-75f3f345ea49"}}, 401, "malformed", ""},
		{"a token of 100 KiB", "/", "", http.Header{"Authorization": {"Bearer pat-eu1-" + strings.Repeat("a", 100<<10)}}, 431, "too-large", ""},
		{"a header of 128 KiB", "/", "", http.Header{"A": {strings.Repeat("a", 128<<10)}}, 431, "too-large", ""},
		{"4,000 headers", "/", "", http.Header{"A": make([]string, 4000)}, 431, "too-large", ""},
		{"another cell's host", "/", "api-na1.homeward.test", http.Header{"Authorization": {bearer}}, 421, "misrouted", ""},
		{"a stale cookie", "/", "", http.Header{"Authorization": {bearer}, "Cookie": {"session=na2.x"}}, 200, "", "eu1"},
		{"a forged cell", "/", "", http.Header{"Authorization": {bearer}, "Homeward-Cell": {"na1"}, "Homeward_lane": {"x"}}, 200, "", "eu1"},
		{"a query that is no query", "/a?x=%zz;y&&=&?", "", http.Header{"Authorization": {bearer}}, 200, "", "eu1"},
	} {
		for _, client := range clients {
			req, err := http.NewRequest("GET", client.base+c.target, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Host, req.Header = "localhost", c.header.Clone()
			if c.host != "" {
				req.Host = c.host
			}
			r := client.do(t, req)
			if r.StatusCode != c.status || r.kind() != c.kind || r.report.Cell != c.cell {
				t.Errorf("%s over %s: %d %q from %q\n%s", c.name, client.name, r.StatusCode, r.kind(), r.report.Cell, r.body)
			}
			if c.cell != "" && r.report.Target != c.target {
				t.Errorf("%s over %s: target %q", c.name, client.name, r.report.Target)
			}
			for _, h := range r.report.Headers {
				if strings.EqualFold(h[0], "homeward_lane") {
					t.Errorf("%s over %s: %v arrived", c.name, client.name, h)
				}
			}
		}
	}
}
