package route

import (
	"slices"
	"strings"
)

// prefixNode is a node of a radix tree over the literal prefixes of a place's
// rules. A walk costs no more than the length of the longest prefix.
type prefixNode struct {
	label  string // what the way from the parent spells
	firsts string // first byte of each kid's label
	kids   []*prefixNode
	// positions of the rules whose prefix is this node's way or the beginning
	// of it, ascending
	positions []uint16
}

type prefixEntry struct {
	prefix string
	pos    uint16
}

// newPrefixNode builds the tree; nil for no entries.
func newPrefixNode(entries []prefixEntry) *prefixNode {
	if len(entries) == 0 {
		return nil
	}
	slices.SortFunc(entries, func(a, b prefixEntry) int {
		return strings.Compare(a.prefix, b.prefix)
	})
	root := &prefixNode{}
	root.grow(entries, 0)
	return root
}

// grow hangs entries, which are sorted, not empty, and have their first depth
// bytes in common with the way to n, below n.
func (n *prefixNode) grow(entries []prefixEntry, depth int) {
	for len(entries) > 0 && len(entries[0].prefix) == depth {
		n.positions = append(n.positions, entries[0].pos)
		entries = entries[1:]
	}
	slices.Sort(n.positions)
	for len(entries) > 0 {
		first := entries[0].prefix[depth]
		end := 1
		for end < len(entries) && entries[end].prefix[depth] == first {
			end++
		}
		// Sorted, so what the first and the last share all of them share.
		shared := depth + commonLen(entries[0].prefix[depth:], entries[end-1].prefix[depth:])
		kid := &prefixNode{label: entries[0].prefix[depth:shared], positions: slices.Clone(n.positions)}
		kid.grow(entries[:end], shared)
		n.firsts += string([]byte{first})
		n.kids = append(n.kids, kid)
		entries = entries[end:]
	}
}

func commonLen(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// find is the ascending positions of all rules whose prefix text starts with.
func (n *prefixNode) find(text string) []uint16 {
	if n == nil {
		return nil
	}
	for at := 0; at < len(text); {
		kid := n.kid(text[at])
		if kid == nil || len(text)-at < len(kid.label) {
			break
		}
		// Labels are short: a loop costs less than the call of a comparison.
		for i := 1; i < len(kid.label); i++ {
			if text[at+i] != kid.label[i] {
				return n.positions
			}
		}
		at += len(kid.label)
		n = kid
	}
	return n.positions
}

func (n *prefixNode) kid(first byte) *prefixNode {
	for i := 0; i < len(n.firsts); i++ {
		if n.firsts[i] == first {
			return n.kids[i]
		}
	}
	return nil
}
