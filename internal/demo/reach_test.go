package demo

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/homeward/homeward/internal/proxy"
)

// at is a listener that only has an address.
type at struct {
	net.Listener
	addr string
}

func (a at) Addr() net.Addr {
	addr, err := net.ResolveTCPAddr("tcp", a.addr)
	if err != nil {
		panic(err)
	}
	return addr
}

func TestCommandsReachAnyAddress(t *testing.T) {
	const name = "api.homeward.test"
	for _, c := range []struct{ scheme, addr, want string }{
		{"http", "127.0.0.1:80", "http://127.0.0.1:80/a"},
		{"http", "0.0.0.0:80", "http://127.0.0.1:80/a"},
		{"http", "[::]:80", "http://127.0.0.1:80/a"},
		{"http", "192.0.2.7:80", "http://api.homeward.test:80/a --resolve api.homeward.test:80:192.0.2.7"},
		{"http", "[::1]:80", "http://api.homeward.test:80/a --resolve 'api.homeward.test:80:[::1]'"},
		{"https", "127.0.0.1:443", "https://api.homeward.test:443/a --resolve api.homeward.test:443:127.0.0.1"},
		{"https", "0.0.0.0:443", "https://api.homeward.test:443/a --resolve api.homeward.test:443:127.0.0.1"},
	} {
		got := quote(reach(c.scheme, at{addr: c.addr}, name).get("/a")...)
		if got != "-s "+c.want {
			t.Errorf("%s on %s: %s", c.scheme, c.addr, got)
		}
	}
	for _, c := range []struct{ ca, addr, want string }{
		{"", "127.0.0.1:80", "-plaintext 127.0.0.1:80 list"},
		{"", "0.0.0.0:80", "-plaintext 127.0.0.1:80 list"},
		{"", "[::1]:80", "-plaintext -authority api.homeward.test '[::1]:80' list"},
		{"", "192.0.2.7:80", "-plaintext -authority api.homeward.test 192.0.2.7:80 list"},
		{"ca.pem", "127.0.0.1:443", "-cacert ca.pem -authority api.homeward.test 127.0.0.1:443 list"},
	} {
		if got := quote(dial(at{addr: c.addr}, name, c.ca).call("list", "")...); got != c.want {
			t.Errorf("gRPC on %s: %s", c.addr, got)
		}
	}
}

func TestQuoteIsReadBackByShells(t *testing.T) {
	for text, want := range map[string]string{"": "''", "a-b_c/d:1": "a-b_c/d:1", "a b": "'a b'", "a?b": "'a?b'", "it's": `'it'\''s'`, "$x": "'$x'", "~": "'~'"} {
		if got := quote(text); got != want {
			t.Errorf("%q: %s", text, got)
		}
	}
}

func TestLineOfWhatWasNotDecided(t *testing.T) {
	var out strings.Builder
	l := newLive(&out, false)
	begin := time.Date(2024, 3, 12, 9, 30, 0, 5e6, time.UTC)
	l.Done(&proxy.Record{Start: begin, Kind: proxy.BadFraming, Status: 400})
	l.Done(&proxy.Record{Start: begin, Own: "health", Method: "GET", Host: "10.0.0.1", Path: "/healthz", Status: 200, Duration: 1234 * time.Microsecond})
	l.Done(&proxy.Record{Start: begin, Method: "LONGMETHOD", Host: strings.Repeat("h", 60), Path: "/" + strings.Repeat("p", 60), Kind: proxy.TooLarge, Aborted: proxy.ClientAborted})
	l.start()
	l.stop()
	lines := strings.Split(out.String(), "\n")
	for i, want := range []string{"bad-framing -> refused ", "health -> edge ", "too-large -> refused "} {
		if !strings.HasPrefix(lines[i], "09:30:00.005  ") || strings.Index(lines[i], want) != 14+7+2+22+2+32+2 {
			t.Errorf("%q", lines[i])
		}
	}
	if !strings.HasSuffix(lines[1], "  200      1.2 ms") || !strings.HasSuffix(lines[2], "-        0.0 ms, broken off by the client") {
		t.Errorf("the lines end in %q and %q", lines[1], lines[2])
	}
}

func TestSlowTerminalCostsLinesOnly(t *testing.T) {
	var out strings.Builder
	l := newLive(&out, false)
	const more = 7
	for range liveBuffer + more { // nothing shows them yet: none may wait
		l.Done(&proxy.Record{Own: "health"})
	}
	l.start()
	l.stop()
	if got := strings.Count(out.String(), "health -> edge"); got != liveBuffer || !strings.HasPrefix(out.String(), "(7 more requests") {
		t.Errorf("%d lines, the first is %.60q", got, out.String())
	}
}
