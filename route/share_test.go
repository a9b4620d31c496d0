package route_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/homeward/homeward/route"
)

// withShare is demoLike with a share of eu1, in percent.
func withShare(t testing.TB, share float64) *route.Table {
	top := demoLike()
	top.Cells[2].Share = &share
	return compile(t, top)
}

// TestShareGrowsMonotone: raising a share never moves a credential back to the
// legacy cell.
func TestShareGrowsMonotone(t *testing.T) {
	tables := make([]*route.Table, 101)
	for i := range tables {
		tables[i] = withShare(t, float64(i))
	}
	home, legacy := tables[0].Decide(request("GET", "/", bearer(benchPAT))).Cell, tables[0].LegacyCell()
	rapid.Check(t, func(t *rapid.T) {
		token := "pat-eu1-" + rapid.StringMatching(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`).Draw(t, "uuid")
		was := legacy
		for share, table := range tables {
			d := table.Decide(request("GET", "/", bearer(token)))
			if d.Outcome != route.Home || d.Cell != home {
				t.Fatalf("share %d: %v to %v, want home to %v", share, d.Outcome, d.Cell, home)
			}
			if d.Send != was && was == home {
				t.Fatalf("share %d moves the credential back to the legacy cell", share)
			}
			was = d.Send
		}
		if was != home {
			t.Fatal("share 100 leaves the credential out")
		}
	})
}

// TestShareIsProportional counts over many credentials. The bound is five
// standard deviations of a fair draw; the credentials are fixed, so the count is.
func TestShareIsProportional(t *testing.T) {
	const n = 20000
	for _, share := range []float64{0, 0.01, 1, 25, 50, 99.99, 100} {
		table := withShare(t, share)
		in := 0
		for i := range n {
			d := table.Decide(request("GET", "/", bearer("pat-eu1-"+uuidOf(i))))
			if d.Send == d.Cell {
				in++
			}
		}
		p := share / 100
		if want, most := p*n, 5*math.Sqrt(p*(1-p)*n); math.Abs(float64(in)-want) > most {
			t.Errorf("share %v: %d of %d sent home, want %v give or take %v", share, in, n, want, most)
		}
	}
}

// uuidOf is the i-th of many synthetic UUIDs.
func uuidOf(i int) string {
	b := []byte("00000000-0000-4000-8000-000000000000")
	const hex = "0123456789abcdef"
	for at := len(b) - 1; i > 0; at, i = at-1, i/16 {
		b[at] = hex[i%16]
	}
	return string(b)
}
