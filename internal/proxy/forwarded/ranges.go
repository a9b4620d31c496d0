package forwarded

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Ranges are ranges of addresses, none within another, in the order of their
// addresses. A chain of forwarding headers may name thousands of addresses, and
// the published ranges of a CDN are hundreds: they must not be multiplied.
type Ranges []netip.Prefix

// ParseRanges reads the addresses and ranges under a key of the topology.
func ParseRanges(key string, texts []string) (Ranges, error) {
	all := make(Ranges, 0, len(texts))
	for _, text := range texts {
		prefix, err := parsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %q is neither an address nor a range", key, text)
		}
		all = append(all, prefix)
	}
	slices.SortFunc(all, func(a, b netip.Prefix) int {
		return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
	})
	apart := all[:0] // a range is before those that it holds
	for _, p := range all {
		if len(apart) == 0 || !apart[len(apart)-1].Contains(p.Addr()) {
			apart = append(apart, p)
		}
	}
	return apart, nil
}

func parsePrefix(s string) (netip.Prefix, error) {
	if strings.Contains(s, "/") {
		p, err := netip.ParsePrefix(s)
		return p.Masked(), err
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, err
	}
	return netip.PrefixFrom(a, a.BitLen()), nil
}

// Contain reports whether an address is in one of them.
func (r Ranges) Contain(a netip.Addr) bool {
	a = a.Unmap()
	after, exact := slices.BinarySearchFunc(r, a, func(p netip.Prefix, a netip.Addr) int { return p.Addr().Compare(a) })
	return exact || after > 0 && r[after-1].Contains(a)
}
