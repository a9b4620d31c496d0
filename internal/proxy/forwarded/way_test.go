package forwarded_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/homeward/homeward/internal/proxy/forwarded"
	"github.com/homeward/homeward/route"
)

// plainHead is a head as a common client sends it.
var plainHead = []route.Field{
	{Name: "Host", Value: "api.test"}, {Name: "User-Agent", Value: "python-requests/2.32.3"}, {Name: "Accept-Encoding", Value: "gzip, deflate"},
	{Name: "Accept", Value: "*/*"}, {Name: "Authorization", Value: "Bearer x"}, {Name: "X-Forwarded-For", Value: "203.0.113.7"},
}

// What the cell is told of the way.
func TestFields(t *testing.T) {
	trusted := ranges(t, "10.0.0.0/8", "2001:db8::/32")
	for _, c := range []struct{ peer, host, head, want string }{
		{"192.0.2.1", "api.test", "X-Forwarded-For: 203.0.113.7", "X-Forwarded-For: 192.0.2.1|X-Forwarded-Proto: https|X-Forwarded-Host: api.test"},
		{"192.0.2.1", "", "", "X-Forwarded-For: 192.0.2.1|X-Forwarded-Proto: https"},
		{"::ffff:192.0.2.1", "api.test", "", "X-Forwarded-For: 192.0.2.1|X-Forwarded-Proto: https|X-Forwarded-Host: api.test"},
		{"2001:db9::1", "api.test", "", "X-Forwarded-For: 2001:db9::1|X-Forwarded-Proto: https|X-Forwarded-Host: api.test"},
		{"", "api.test", "", "X-Forwarded-For: unknown|X-Forwarded-Proto: https|X-Forwarded-Host: api.test"},
		{"10.0.0.1", "api.test", "X-Forwarded-For: 203.0.113.7, 10.0.0.2|X-Forwarded-Proto: http|X-Real-IP: 1.2.3.4",
			"X-Forwarded-For: 203.0.113.7, 10.0.0.2, 10.0.0.1|X-Forwarded-Host: api.test|X-Real-IP: 203.0.113.7"},
		{"2001:db8::1", "api.test", "Forwarded: for=203.0.113.7;host=www.test",
			`X-Forwarded-For: 203.0.113.7, 2001:db8::1|X-Forwarded-Proto: https|X-Forwarded-Host: www.test|Forwarded: for=203.0.113.7;host=www.test, for="[2001:db8::1]";proto=https;host=api.test`},
	} {
		var peer netip.Addr
		if c.peer != "" {
			peer = netip.MustParseAddr(c.peer)
		}
		var head []route.Field
		for line := range strings.SplitSeq(c.head, "|") {
			if name, value, ok := strings.Cut(line, ": "); ok {
				head = append(head, route.Field{Name: name, Value: value})
			}
		}
		w := forwarded.Read(trusted, peer, "https", c.host, head)
		var said []string
		fields, _ := w.Fields(nil, nil)
		for _, f := range fields {
			said = append(said, f.Name+": "+f.Value)
		}
		if got := strings.Join(said, "|"); got != c.want {
			t.Errorf("from %s with %q the fields are\n%s, want\n%s", c.peer, c.head, got, c.want)
		}
	}
	var nothing forwarded.Way
	if fields, _ := nothing.Fields(nil, nil); len(fields) != 0 {
		t.Errorf("of nothing is told %q", fields)
	}
}

// A field that tells of the way is known in every spelling that an origin might
// take for it.
func TestTells(t *testing.T) {
	for name, want := range map[string]bool{
		"Forwarded": true, "FORWARDED": true, "X-Forwarded-For": true, "x_forwarded-PORT": true, "X-Real-IP": true, "x_real_ip": true,
		"X-Forwarded-": true, "X-Forwarded": false, "Forwarder": false, "From": false, "": false, "X-Real-I": false, "XX-Forwarded-For": false,
	} {
		if got := forwarded.Tells(name); got != want {
			t.Errorf("%q tells: %v", name, got)
		}
	}
}

// What comes straight from a client costs no memory.
func TestUntrustedPeerAllocatesNothing(t *testing.T) {
	trusted, peer := ranges(t, "10.0.0.0/8"), netip.MustParseAddr("192.0.2.1")
	out, text := make([]route.Field, 0, 8), make([]byte, 0, 512)
	if n := testing.AllocsPerRun(100, func() {
		w := forwarded.Read(trusted, peer, "https", "api.test", plainHead)
		out, text = w.Fields(out[:0], text[:0])
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkUntrustedPeer(b *testing.B) {
	trusted, peer := ranges(b, "10.0.0.0/8"), netip.MustParseAddr("192.0.2.1")
	out, text := make([]route.Field, 0, 8), make([]byte, 0, 512)
	b.ReportAllocs()
	for b.Loop() {
		w := forwarded.Read(trusted, peer, "https", "api.test", plainHead)
		for i := range plainHead {
			if forwarded.Tells(plainHead[i].Name) && w.Passes(plainHead[i].Name) {
				b.Fatal("believed")
			}
		}
		out, text = w.Fields(out[:0], text[:0])
	}
}

func ranges(t testing.TB, texts ...string) forwarded.Ranges {
	t.Helper()
	r, err := forwarded.ParseRanges("trusted_proxies", texts)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
