package edge_test

import (
	"strings"
	"testing"

	"github.com/homeward/homeward/internal/proxy"
	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/topology"
)

// What is trusted: nobody; the peer of every test here; the peer and some of
// what may stand before it.
var (
	peerOnly = []string{"127.0.0.1"}
	several  = []string{"127.0.0.0/8", "10.0.0.0/8", "2001:db8:a::/48"}
)

// sender is what a peer sends, and what must come of it. A | stands between lines.
type sender struct {
	name    string
	headers string // of the request
	client  string
	arrived string // the forwarding headers at the cell, in order
}

// own are the headers for a request that told nothing.
const own = "X-Forwarded-For: 127.0.0.1|X-Forwarded-Proto: http|X-Forwarded-Host: localhost"

func runSenders(t *testing.T, trusted []string, senders []sender) {
	t.Helper()
	w := newWorld(t, func(top *topology.Topology) { top.TrustedProxies = trusted }, testcell.Options{})
	for _, c := range senders {
		w.seen.forget()
		headers := strings.ReplaceAll(c.headers+"|", "|", "\r\n")
		r := w.raw("GET / HTTP/1.1\r\nHost: localhost\r\n" + strings.TrimPrefix(headers, "\r\n") + "\r\n")
		var arrived []string
		for _, h := range r.report.Headers {
			name := strings.ReplaceAll(strings.ToLower(h[0]), "_", "-")
			if strings.Contains(name, "forwarded") || name == "x-real-ip" {
				arrived = append(arrived, h[0]+": "+h[1])
			}
		}
		if got := strings.Join(arrived, "|"); got != c.arrived {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, got, c.arrived)
		}
		rec := w.seen.await(t, func(proxy.Record) bool { return true })
		if got := rec.Client.String(); got != c.client {
			t.Errorf("%s: the client is %s, want %s", c.name, got, c.client)
		}
	}
}

// A peer that is not declared is believed in nothing.
func TestForwardedHeadersOfAnUntrustedPeer(t *testing.T) {
	runSenders(t, nil, []sender{
		{"nothing", "", "127.0.0.1", own},
		{"all that there is", "X-Forwarded-For: 198.51.100.9, 127.0.0.1|X-Forwarded-Proto: https|X-Forwarded-Host: www.test|Forwarded: for=203.0.113.7|X-Real-IP: 203.0.113.7|X-Forwarded-Port: 1",
			"127.0.0.1", own},
		{"in the spelling of CGI", "X_Forwarded_For: 198.51.100.9|x_real_ip: 203.0.113.7|X-Forwarded_Host: www.test", "127.0.0.1", own},
	})
}

// X-Forwarded-For is followed back for as long as it is of declared proxies.
func TestForwardedForOfTrustedProxies(t *testing.T) {
	const rest = "|X-Forwarded-Proto: http|X-Forwarded-Host: localhost"
	runSenders(t, peerOnly, []sender{
		{"nothing", "", "127.0.0.1", own},
		{"an empty one", "X-Forwarded-For:", "127.0.0.1", own},
		{"the peer is trusted alone", "X-Forwarded-For: 203.0.113.7, 10.1.2.3", "10.1.2.3", "X-Forwarded-For: 203.0.113.7, 10.1.2.3, 127.0.0.1" + rest},
		{"two lines", "X-Forwarded-For: 192.0.2.1|X-FORWARDED-FOR: 192.0.2.2", "192.0.2.2", "X-Forwarded-For: 192.0.2.1, 192.0.2.2, 127.0.0.1" + rest},
		{"no address", "X-Forwarded-For: 192.0.2.1, unknown", "127.0.0.1", "X-Forwarded-For: 192.0.2.1, unknown, 127.0.0.1" + rest},
		{"in the spelling of CGI", "X_Forwarded_For: 198.51.100.9|X-Real_IP: 203.0.113.7", "127.0.0.1", own},
	})
	long := strings.TrimSuffix(strings.Repeat("10.0.0.1, ", 1000), ", ")
	runSenders(t, several, []sender{
		{"one that was made up before", "X-Forwarded-For: 198.51.100.9, 203.0.113.7, 10.1.2.3", "203.0.113.7", "X-Forwarded-For: 198.51.100.9, 203.0.113.7, 10.1.2.3, 127.0.0.1" + rest},
		{"trusted ones behind one that is not", "X-Forwarded-For: 10.9.9.9, 203.0.113.7, 10.1.2.3", "203.0.113.7", "X-Forwarded-For: 10.9.9.9, 203.0.113.7, 10.1.2.3, 127.0.0.1" + rest},
		{"empty elements", "X-Forwarded-For: , 203.0.113.7,, ,10.1.2.3,", "203.0.113.7", "X-Forwarded-For: 203.0.113.7, 10.1.2.3, 127.0.0.1" + rest},
		{"none but trusted", "X-Forwarded-For: 10.0.0.1, 10.0.0.2", "10.0.0.1", "X-Forwarded-For: 10.0.0.1, 10.0.0.2, 127.0.0.1" + rest},
		{"IPv4 in IPv6", "X-Forwarded-For: 203.0.113.7, ::ffff:10.1.2.3", "203.0.113.7", "X-Forwarded-For: 203.0.113.7, ::ffff:10.1.2.3, 127.0.0.1" + rest},
		{"with ports", "X-Forwarded-For: 203.0.113.7:4711, [2001:db8:a::1]:80", "203.0.113.7", "X-Forwarded-For: 203.0.113.7:4711, [2001:db8:a::1]:80, 127.0.0.1" + rest},
		{"IPv6 bare", "X-Forwarded-For: 2001:db8:b::7, 2001:db8:a::1", "2001:db8:b::7", "X-Forwarded-For: 2001:db8:b::7, 2001:db8:a::1, 127.0.0.1" + rest},
		{"a zone", "X-Forwarded-For: fe80::1%eth0, 10.1.2.3", "10.1.2.3", "X-Forwarded-For: fe80::1%eth0, 10.1.2.3, 127.0.0.1" + rest},
		{"a broken port", "X-Forwarded-For: 203.0.113.7:x, 10.1.2.3", "10.1.2.3", "X-Forwarded-For: 203.0.113.7:x, 10.1.2.3, 127.0.0.1" + rest},
		{"a thousand", "X-Forwarded-For: " + long, "10.0.0.1", "X-Forwarded-For: " + long + ", 127.0.0.1" + rest},
	})
}

// Scheme and host of a trusted proxy stay where they are well-formed and said once.
func TestForwardedSchemeAndHost(t *testing.T) {
	const chain = "X-Forwarded-For: 127.0.0.1"
	runSenders(t, peerOnly, []sender{
		{"well-formed", "x-forwarded-PROTO: https|X-Forwarded-Host: www.test:8443|X-Forwarded-Port: 8443", "127.0.0.1",
			"x-forwarded-PROTO: https|X-Forwarded-Host: www.test:8443|X-Forwarded-Port: 8443|" + chain},
		{"another scheme", "X-Forwarded-Proto: javascript", "127.0.0.1", own},
		{"two schemes", "X-Forwarded-Proto: https|X-Forwarded-Proto: http", "127.0.0.1", own},
		{"a list of schemes", "X-Forwarded-Proto: https, http", "127.0.0.1", own},
		{"no host", "X-Forwarded-Host: www.test/path", "127.0.0.1", own},
		{"two hosts", "X-Forwarded-Host: a.test|X-Forwarded-Host: b.test", "127.0.0.1", own},
		{"user information", "X-Forwarded-Host: a@b.test", "127.0.0.1", own},
	})
}

// Where there is no X-Forwarded-For, Forwarded is read and the other filled from it.
func TestForwardedOfTrustedProxies(t *testing.T) {
	const edge = ", for=127.0.0.1;proto=http;host=localhost"
	arrived := func(chain, proto, host, before string) string {
		return "X-Forwarded-For: " + chain + ", 127.0.0.1|X-Forwarded-Proto: " + proto + "|X-Forwarded-Host: " + host + "|Forwarded: " + before + edge
	}
	runSenders(t, several, []sender{
		{"one element", "Forwarded: for=203.0.113.7;proto=https;host=www.test", "203.0.113.7",
			arrived("203.0.113.7", "https", "www.test", "for=203.0.113.7;proto=https;host=www.test")},
		{"quoted", `Forwarded: FOR="[2001:db8:b::7]:4711" ; Proto="HTT\PS";host="www.test:1"`, "2001:db8:b::7",
			arrived("2001:db8:b::7", "https", "www.test:1", `FOR="[2001:db8:b::7]:4711" ; Proto="HTT\PS";host="www.test:1"`)},
		{"one that was made up before", "Forwarded: for=198.51.100.9;proto=https;host=evil.test, for=203.0.113.7;proto=http, for=10.1.2.3;host=www.test", "203.0.113.7",
			arrived("198.51.100.9, 203.0.113.7, 10.1.2.3", "http", "www.test", "for=198.51.100.9;proto=https;host=evil.test, for=203.0.113.7;proto=http, for=10.1.2.3;host=www.test")},
		{"two lines", "Forwarded: for=203.0.113.7|forwarded: for=10.1.2.3", "203.0.113.7",
			arrived("203.0.113.7, 10.1.2.3", "http", "localhost", "for=203.0.113.7, for=10.1.2.3")},
		{"hidden", "Forwarded: for=203.0.113.7;proto=https, for=_hidden;proto=https, for=10.1.2.3", "10.1.2.3",
			arrived("203.0.113.7, unknown, 10.1.2.3", "https", "localhost", "for=203.0.113.7;proto=https, for=_hidden;proto=https, for=10.1.2.3")},
		{"unknown", `Forwarded: for=unknown`, "127.0.0.1", arrived("unknown", "http", "localhost", "for=unknown")},
		{"nobody named", `Forwarded: ,proto=https;by=10.0.0.1;,`, "127.0.0.1", arrived("unknown", "https", "localhost", ",proto=https;by=10.0.0.1;,")},
		{"what is no scheme and no host", `Forwarded: for=203.0.113.7;proto=x;host="a/b"`, "203.0.113.7",
			arrived("203.0.113.7", "http", "localhost", `for=203.0.113.7;proto=x;host="a/b"`)},
		{"a quote left open", `Forwarded: for="203.0.113.7, for=10.1.2.3`, "127.0.0.1", own},
		{"a quote left open on a line before", `Forwarded: for="|Forwarded: for=203.0.113.7`, "203.0.113.7", arrived("203.0.113.7", "http", "localhost", "for=203.0.113.7")},
		{"a parameter twice", `Forwarded: for=203.0.113.7;for=203.0.113.8`, "127.0.0.1", own},
		{"no parameter", `Forwarded: 203.0.113.7`, "127.0.0.1", own},
		{"two without a semicolon", `Forwarded: for=203.0.113.7 proto=https`, "127.0.0.1", own},
		{"an empty one", `Forwarded:`, "127.0.0.1", own},
	})
}

// A proxy may pass on what its client made up, in the fields that it does not
// know: the chain that counts is the one that it is known to write.
func TestForwardingHeadersThatContradict(t *testing.T) {
	const rest = "|X-Forwarded-Proto: http|X-Forwarded-Host: localhost"
	runSenders(t, peerOnly, []sender{
		{"another client", "X-Forwarded-For: 203.0.113.7|Forwarded: for=198.51.100.9;proto=https;host=evil.test", "203.0.113.7",
			"X-Forwarded-For: 203.0.113.7, 127.0.0.1" + rest},
		{"the same client", "X-Forwarded-For: 203.0.113.7|Forwarded: for=203.0.113.7;proto=https;host=evil.test", "203.0.113.7",
			"X-Forwarded-For: 203.0.113.7, 127.0.0.1" + rest + "|Forwarded: for=203.0.113.7;proto=https;host=evil.test, for=127.0.0.1;proto=http;host=localhost"},
		{"X-Real-IP of another", "X-Forwarded-For: 203.0.113.7|X-Real-IP: 198.51.100.9", "203.0.113.7", "X-Forwarded-For: 203.0.113.7, 127.0.0.1" + rest + "|X-Real-IP: 203.0.113.7"},
		{"X-Real-IP and Forwarded", "Forwarded: for=203.0.113.7|X-Real-IP: 198.51.100.9", "203.0.113.7",
			"X-Forwarded-For: 203.0.113.7, 127.0.0.1" + rest + "|Forwarded: for=203.0.113.7, for=127.0.0.1;proto=http;host=localhost|X-Real-IP: 203.0.113.7"},
		{"X-Real-IP alone", "X-Real-IP: 203.0.113.7", "203.0.113.7", "X-Forwarded-For: 203.0.113.7, 127.0.0.1" + rest + "|X-Real-IP: 203.0.113.7"},
		{"X-Real-IP twice", "X-Real-IP: 203.0.113.7|X-Real-IP: 203.0.113.8", "127.0.0.1", own + "|X-Real-IP: 127.0.0.1"},
		{"X-Real-IP that is none", "X-Real-IP: localhost", "127.0.0.1", own + "|X-Real-IP: 127.0.0.1"},
	})
}
