package differential_test

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

var (
	seed    = flag.Uint64("seed", 9112, "of the streams that are made")
	streams = flag.Int("streams", 20000, "number of streams to make, of each kind")
)

// The same bytes to Homeward's parser and to two servers. Where they differ,
// Homeward refuses what the other accepts, by a rule that reasons lists, or
// exceptions says why it does not.
func TestStricterThanOthers(t *testing.T) {
	lib := newLibrary()
	others := map[string]func([]byte) reading{"net/http": lib.read, "fasthttp": fast}
	all := vectors(t)
	rnd := rand.New(rand.NewPCG(*seed, 0)) //nolint:gosec // the same streams each time
	base := short(all)
	for range *streams {
		all = append(all, changed(rnd, base), composed(rnd))
	}
	stricter := map[string]int{}
	agreed, failed := 0, 0
	for _, stream := range all {
		ours := read(stream)
		for name, other := range others {
			theirs := other(stream)
			rule, why := differ(ours, theirs)
			switch {
			case rule == "" && why == "":
				agreed++
			case rule != "" && reasons[rule] != "":
				stricter[rule]++
			case rule != "":
				failed++
				t.Errorf("%s accepts what this parser refuses, and no reason is listed for: %s\n%q", name, rule, stream)
			case !excused(name, ours, theirs):
				failed++
				t.Errorf("%s: %s\n%q\nours   %+v\ntheirs %+v", name, why, stream, ours, theirs)
			default:
				stricter["(listed exceptions)"]++
			}
			if failed > 20 {
				t.FailNow()
			}
		}
	}
	for rule := range reasons {
		if stricter[rule] == 0 {
			t.Errorf("no stream shows the listed reason %q", rule)
		}
	}
	for _, rule := range slices.Sorted(maps.Keys(stricter)) {
		t.Logf("%6d %s: %s", stricter[rule], rule, reasons[rule])
	}
	t.Logf("%d streams, the same outcome %d times", len(all), agreed)
}

// closed is the reason where this parser reads nothing behind a request that ends
// its connection.
const closed = "the connection ends behind the request"

// differ compares two readings. rule is why this parser refuses what the other
// accepts; why is how they differ otherwise.
func differ(ours, theirs reading) (rule, why string) {
	for i, q := range theirs.Requests {
		if i == len(ours.Requests) {
			switch {
			case ours.Rule != "":
				return ours.Rule, ""
			case !ours.Open:
				return closed, ""
			}
			return "", fmt.Sprintf("reads a request more: %q", q)
		}
		if !alike(ours.Requests[i], q) {
			return "", fmt.Sprintf("request %d is %q for it, %q for this parser", i, q, ours.Requests[i])
		}
	}
	if n := len(theirs.Requests); n < len(ours.Requests) {
		return "", fmt.Sprintf("refuses request %d (%s): %q", n, theirs.Rule, ours.Requests[n])
	}
	return "", ""
}

// alike compares two readings of a request, of which the second may lack fields.
func alike(a, b request) bool {
	if b.Fields == "" {
		a.Fields = ""
	}
	return a == b
}

// excused reports whether a listed exception covers a difference in which this
// parser is not the stricter one.
func excused(name string, ours, theirs reading) bool {
	n := 0
	for n < min(len(ours.Requests), len(theirs.Requests)) && alike(ours.Requests[n], theirs.Requests[n]) {
		n++
	}
	for _, e := range exceptions {
		if (e.of == "" || e.of == name) && n < len(ours.Requests) && e.covers(n, ours, theirs) {
			return true
		}
	}
	return false
}
