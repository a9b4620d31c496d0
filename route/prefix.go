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

// newPrefixNode builds the tree of entries, none of which is empty.
func newPrefixNode(entries []prefixEntry) *prefixNode {
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

// prefixIndex finds the rules whose prefix a text starts with. Its zero value
// has none.
type prefixIndex struct {
	roots [256]*prefixNode // by first byte
}

func newPrefixIndex(entries []prefixEntry) *prefixIndex {
	x := &prefixIndex{}
	for _, kid := range newPrefixNode(entries).kids {
		x.roots[kid.label[0]] = kid
	}
	return x
}

// find is the ascending positions of all rules whose prefix text, which is not
// empty, starts with.
func (x *prefixIndex) find(text string) (positions []uint16) {
	for n := x.roots[text[0]]; n != nil && startsWith(text, n.label); {
		positions, text = n.positions, text[len(n.label):]
		if len(n.kids) == 0 || text == "" {
			break
		}
		n = n.kid(text[0])
	}
	return positions
}

func (n *prefixNode) kid(first byte) *prefixNode {
	for i := 0; i < len(n.firsts); i++ {
		if n.firsts[i] == first {
			return n.kids[i]
		}
	}
	return nil
}
