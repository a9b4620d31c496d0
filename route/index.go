package route

import (
	"math/bits"
	"strings"
)

// spread is 2^64 divided by the golden ratio; multiplying by it moves the
// entropy of a key into its high bits.
const spread = 0x9E3779B97F4A7C15

// keyIndex finds a position by a 64-bit key: open addressing, at most half
// full, read-only once built. The zero keyIndex is empty.
type keyIndex struct {
	slots []keySlot
	shift uint8
}

type keySlot struct {
	key uint64
	val int32 // position + 1; 0 marks a free slot
}

// newKeyIndex gives each key its position in keys. Of equal keys the first counts.
func newKeyIndex(keys []uint64) keyIndex {
	if len(keys) == 0 {
		return keyIndex{}
	}
	width := bits.Len(uint(2*len(keys) - 1))
	x := keyIndex{slots: make([]keySlot, 1<<width), shift: uint8(64 - width)}
	for pos, key := range keys {
		if x.find(key) >= 0 {
			continue
		}
		i := key * spread >> x.shift
		for x.slots[i].val != 0 {
			i = (i + 1) & uint64(len(x.slots)-1)
		}
		x.slots[i] = keySlot{key, int32(pos) + 1}
	}
	return x
}

// find tells the position of a key, -1 when it is not there.
func (x *keyIndex) find(key uint64) int32 {
	if len(x.slots) == 0 {
		return -1
	}
	for i := key * spread >> x.shift; ; i++ {
		s := &x.slots[i&uint64(len(x.slots)-1)]
		if s.val == 0 {
			return -1
		}
		if s.key == key {
			return s.val - 1
		}
	}
}

// lengths is a set of lengths: bit n says that n is in it, bit 63 that
// something of 63 or more is.
type lengths uint64

func (l *lengths) add(n int) { *l |= 1 << min(n, 63) }

func (l lengths) has(n int) bool { return l>>(uint(min(n, 63))&63)&1 != 0 }

// names finds the source of a header, cookie, parameter or field by its name.
type names struct {
	lens lengths
	list []nameEntry
}

type nameEntry struct {
	name string
	src  uint16
}

func (n *names) add(name string, src uint16) {
	n.lens.add(len(name))
	n.list = append(n.list, nameEntry{name, src})
}

func (n *names) empty() bool { return len(n.list) == 0 }

// find compares byte for byte.
func (n *names) find(name string) (src uint16, ok bool) {
	if !n.lens.has(len(name)) {
		return 0, false
	}
	for i := range n.list {
		if n.list[i].name == name {
			return n.list[i].src, true
		}
	}
	return 0, false
}

// findFold compares without regard to ASCII case; the names of n are in small letters.
func (n *names) findFold(name string) (src uint16, ok bool) {
	if !n.lens.has(len(name)) {
		return 0, false
	}
	for i := range n.list {
		if equalFold(name, n.list[i].name) {
			return n.list[i].src, true
		}
	}
	return 0, false
}

// lowerASCII is s with its ASCII capitals made small.
func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
