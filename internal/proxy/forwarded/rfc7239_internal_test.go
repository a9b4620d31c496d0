package forwarded

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/homeward/homeward/internal/proxy/http1"
	"github.com/homeward/homeward/route"
)

// FuzzForwarded holds that nothing which a client puts before it can swallow or
// change the element that the edge adds, nor move the client that is found out
// of what trusted proxies wrote.
func FuzzForwarded(f *testing.F) {
	for _, line := range []string{
		`for=203.0.113.7;proto=https;host=www.test`, `for="[2001:db8::7]:80" ; by=_edge, for=unknown`, `for="`, `for="\`, `;,;`, `for=a;for=b`, `for=203.0.113.7,`,
	} {
		f.Add(line, "192.0.2.1", "api.test:8443")
		f.Add(line, "2001:db8::1", `a"b\c`)
	}
	f.Fuzz(func(t *testing.T, line, from, host string) {
		peer, err := netip.ParseAddr(from)
		if err != nil || peer.Zone() != "" || host == "" {
			return
		}
		peer = peer.Unmap()
		w := Read(Ranges{netip.PrefixFrom(peer, peer.BitLen())}, peer, "http", host, []route.Field{{Name: "Forwarded", Value: line}})
		before, ok := parseForwarded(line)
		if !ok || len(before) == 0 {
			if w.forwarded != "" || w.Client != peer || len(w.before) != 0 {
				t.Fatalf("made of a broken line: %+v", w)
			}
			return
		}
		after, ok := parseForwarded(w.forwarded)
		want := append(slices.Clone(before), hop{node: bracketed(peer), proto: "http", host: host})
		if !ok || !slices.Equal(after, want) {
			t.Fatalf("%q is read as %+v, want %+v", w.forwarded, after, want)
		}
		if told := nodeAddress(before[len(before)-1].node); told.IsValid() && told != peer && w.Client != told {
			t.Fatalf("the client is %s, told was %s", w.Client, told)
		}
		if w.proto != "http" && w.proto != "https" || w.host != host && !http1.ValidHost(w.host) {
			t.Fatalf("told the cell of %q and %q", w.proto, w.host)
		}
	})
}
