package route_test

import (
	"testing"

	"github.com/homeward/homeward/route"
)

// TestDecideAllocatesNothing covers every place that a head has, plain and in
// need of decoding, and the refusals.
func TestDecideAllocatesNothing(t *testing.T) {
	table := compile(t, demoLike())
	form := request("POST", "/oauth/v1/token", route.Field{Name: "Content-Type", Value: "application/x-www-form-urlencoded"})
	form.Body, form.BodyState = []byte("a=b&refresh%5Ftoken="+benchKey), route.BodyWhole
	for name, r := range map[string]*route.Request{
		"bearer":          request("GET", "/x", bearer(benchPAT)),
		"bearer homeward": request("GET", "/x", bearer(benchOwn)),
		"header":          request("GET", "/x", route.Field{Name: "Private-Token", Value: benchPAT}),
		"query":           request("GET", "/x?hapikey="+benchKey),
		"query encoded":   request("GET", "/x?h%61pikey=%65u1-8cc2-79b5-4a73-838e-4a118913c782&b=+"),
		"cookie":          request("GET", "/x", route.Field{Name: "Cookie", Value: "a=b; session=eu1.x"}),
		"path":            request("GET", "/oauth/v1/access-tokens/"+benchPAT),
		"path encoded":    request("GET", "/x/..//oauth/v1/access-tokens/%70at-eu1-"+benchUUID),
		"basic":           request("GET", "/x", route.Field{Name: "Authorization", Value: "Basic aHdfZXUxXzE5anVONTZfZjF2MmNGQWVkeHVrdW9UdWNhbDdVa1Zjd2pwaEpodGw0RElYUUw6"}),
		"form":            form,
		"anonymous":       request("GET", "/x"),
		"legacy":          request("GET", "/x", bearer("opaque!")),
		"malformed":       request("GET", "/x", bearer("pat-eu1.evil.test")),
		"conflict":        request("GET", "/x", bearer(benchPAT), bearer(benchPAT)),
	} {
		table.Decide(r) // grows the scratch space, once
		if n := testing.AllocsPerRun(100, func() { table.Decide(r) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func TestPeekAllocatesNothing(t *testing.T) {
	table := compile(t, demoLike())
	r := request("POST", "/x/..//oauth/v1/token", route.Field{Name: "Content-Type", Value: "application/x-www-form-urlencoded; charset=utf-8"})
	if _, ok := table.Peek(r); !ok {
		t.Fatal("Peek does not ask for the body")
	}
	if n := testing.AllocsPerRun(100, func() { table.Peek(r) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// A path that may be shown as it is costs no memory.
func TestRedactPathAllocatesNothing(t *testing.T) {
	table := compile(t, demoLike())
	for _, target := range []string{"/", "/crm/v3/objects/contacts?hapikey=" + benchKey, "/v1/long-but-harmless-segment/0123456789abcdef0123456789"} {
		if n := testing.AllocsPerRun(100, func() { table.RedactPath(target) }); n != 0 {
			t.Errorf("%s: %v allocations", target, n)
		}
	}
}
