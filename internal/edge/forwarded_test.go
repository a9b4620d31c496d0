package edge_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/topology"
)

// What tells of the way before the edge is believed from declared proxies
// only, and only as far back as the chain is theirs.
func TestForwardedHeaders(t *testing.T) {
	const sent = "X-Forwarded-For: 198.51.100.9, 203.0.113.7, 10.1.2.3\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: www.test\r\nForwarded: for=203.0.113.7\r\n"
	for _, c := range []struct {
		name    string
		trusted []string
		headers string
		client  string
		arrived string // of the forwarding headers, in order
	}{
		{"an untrusted peer", nil, sent, "127.0.0.1",
			"X-Forwarded-For: 127.0.0.1|X-Forwarded-Proto: http|X-Forwarded-Host: localhost"},
		{"a trusted peer", []string{"127.0.0.0/8", "10.0.0.0/8"}, sent, "203.0.113.7",
			"X-Forwarded-Proto: https|X-Forwarded-Host: www.test|Forwarded: for=203.0.113.7|X-Forwarded-For: 198.51.100.9, 203.0.113.7, 10.1.2.3, 127.0.0.1"},
		{"a trusted peer alone", []string{"127.0.0.1"}, sent, "10.1.2.3",
			"X-Forwarded-Proto: https|X-Forwarded-Host: www.test|Forwarded: for=203.0.113.7|X-Forwarded-For: 198.51.100.9, 203.0.113.7, 10.1.2.3, 127.0.0.1"},
		{"two lines", []string{"127.0.0.1"}, "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 192.0.2.2\r\n", "192.0.2.2",
			"X-Forwarded-For: 192.0.2.1, 192.0.2.2, 127.0.0.1|X-Forwarded-Proto: http|X-Forwarded-Host: localhost"},
		{"no address", []string{"127.0.0.1"}, "X-Forwarded-For: 192.0.2.1, unknown\r\n", "127.0.0.1",
			"X-Forwarded-For: 192.0.2.1, unknown, 127.0.0.1|X-Forwarded-Proto: http|X-Forwarded-Host: localhost"},
		{"nothing said", []string{"127.0.0.1"}, "", "127.0.0.1",
			"X-Forwarded-For: 127.0.0.1|X-Forwarded-Proto: http|X-Forwarded-Host: localhost"},
	} {
		w := newWorld(t, func(top *topology.Topology) { top.TrustedProxies = c.trusted }, testcell.Options{})
		r := w.raw("GET / HTTP/1.1\r\nHost: localhost\r\n" + c.headers + "\r\n")
		var arrived []string
		for _, h := range r.report.Headers {
			if strings.Contains(strings.ToLower(h[0]), "forwarded") {
				arrived = append(arrived, h[0]+": "+h[1])
			}
		}
		if got := strings.Join(arrived, "|"); got != c.arrived {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, got, c.arrived)
		}
		if !strings.Contains(w.log.String(), fmt.Sprintf(`"client":"%s"`, c.client)) {
			t.Errorf("%s: client is not %s in %s", c.name, c.client, w.log.String())
		}
	}
}
