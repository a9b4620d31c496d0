package forwarded_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/homeward/homeward/internal/proxy/forwarded"
)

// What ranges contain is what one of the texts that they were made of contains,
// whatever their order, and however they lie within each other.
func TestRanges(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	address := func() netip.Addr { // close together, so that ranges meet
		if random.IntN(3) == 0 {
			return netip.AddrFrom16([16]byte{0x20, 1, byte(random.IntN(3)), 15: byte(random.IntN(8))})
		}
		return netip.AddrFrom4([4]byte{10, byte(random.IntN(3)), byte(random.IntN(3)), byte(random.IntN(8))})
	}
	for range 500 {
		var texts []string
		var whole []netip.Prefix
		for range random.IntN(8) {
			a := address()
			p := netip.PrefixFrom(a, 8+random.IntN(a.BitLen()-7)).Masked()
			whole = append(whole, p)
			if texts = append(texts, p.String()); p.IsSingleIP() {
				texts[len(texts)-1] = a.String()
			}
		}
		r, err := forwarded.ParseRanges("trusted_proxies", texts)
		if err != nil {
			t.Fatal(err)
		}
		for range 50 {
			a, want := address(), false
			for _, p := range whole {
				want = want || p.Contains(a)
			}
			if got := r.Contain(a); got != want {
				t.Fatalf("%q contain %s: %v", texts, a, got)
			}
			if mapped := netip.AddrFrom16(a.As16()); r.Contain(mapped) != want {
				t.Fatalf("%q contain %s: %v", texts, mapped, !want)
			}
		}
	}
	if r, err := forwarded.ParseRanges("trusted_proxies", []string{"10.0.0.0/8", "10.1.0.0/16", "10.1.2.3"}); err != nil || len(r) != 1 {
		t.Errorf("%v, %v", r, err)
	}
}

// The address of each proxy is looked up, and a client behind one may name as many
// as its head can hold.
func BenchmarkTrustedChain(b *testing.B) {
	texts := make([]string, 1000)
	for i := range texts {
		texts[i] = fmt.Sprintf("10.%d.%d.0/24", i/250, i%250)
	}
	r, err := forwarded.ParseRanges("trusted_proxies", texts)
	if err != nil {
		b.Fatal(err)
	}
	last := netip.MustParseAddr("10.3.249.1")
	for b.Loop() {
		for range 2900 {
			if !r.Contain(last) {
				b.Fatal("lost")
			}
		}
	}
}
