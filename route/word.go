package route

import (
	"math/bits"
	"strings"
)

// Bytes are looked at eight at a time here: each word holds eight, the first
// of them lowest.

const (
	eachByte = 0x0101010101010101 // times b: the word of which every byte is b
	highBits = 0x80 * eachByte
)

// load64 is the first 8 bytes of s as a word. It compiles to one load.
func load64(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// equals has the high bit of each byte of w that is c, and perhaps, right after
// such a byte, of one that differs from c in the lowest bit only.
func equals(w uint64, c byte) uint64 {
	x := w ^ uint64(c)*eachByte
	return (x - eachByte) &^ x & highBits
}

// equalFold reports whether s is lower, which has no capitals, without regard
// to ASCII case. Unlike strings.EqualFold it folds nothing else.
func equalFold(s, lower string) bool {
	if len(s) != len(lower) {
		return false
	}
	if len(s) < 8 {
		for i := 0; i < len(s); i++ {
			if c := s[i]; c != lower[i] && (c < 'A' || c > 'Z' || c|0x20 != lower[i]) {
				return false
			}
		}
		return true
	}
	for i := 0; i < len(s); i += 8 {
		i = min(i, len(s)-8) // the last word overlaps the one before it
		if w := load64(lower[i:]); (load64(s[i:])^w)&^(letters(w)>>2) != 0 {
			return false
		}
	}
	return true
}

// letters has the high bit of each byte of w that is a small ASCII letter.
// Adding 0x80-'a' to a byte below 0x80 sets its high bit from 'a' on;
// subtracting it from 0x80+'z' leaves the high bit set up to 'z'; neither
// carries. Of a word with a byte from 0x80 on it reports none.
func letters(w uint64) uint64 {
	if w&highBits != 0 {
		return 0
	}
	return (w + (0x80-'a')*eachByte) & ((0x80+'z')*eachByte - w) & highBits
}

// visible reports whether every byte of s is visible ASCII, 0x21 to 0x7E.
func visible(s string) bool {
	i, bad := 0, uint64(0)
	for ; i+8 <= len(s); i += 8 {
		w := load64(s[i:])
		// The first sum sets the high bit from 0x21 on, the second at 0x7F; neither
		// carries out of a byte below 0x80.
		low := w &^ highBits
		bad |= w | ^(low + (0x80-0x21)*eachByte) | (low + eachByte)
	}
	for ; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c >= 0x7F {
			return false
		}
	}
	return bad&highBits == 0
}

// scanPath tells where the path of a request-target ends and whether it is its
// own normal form: rooted, without a percent escape, an empty segment in the
// middle or one that starts with a dot. It may say no of one that is.
func scanPath(target string) (end int, normal bool) {
	if len(target) < 8 || target[0] != '/' {
		path, _, _ := strings.Cut(target, "?")
		return len(path), path != "" && path[0] == '/' && !strings.Contains(path, "%") &&
			!strings.Contains(path, "//") && !strings.Contains(path, "/.")
	}
	// What equals may report too much follows a true '%' or '?' and so changes
	// nothing.
	after := uint64(0) // the high bit of the first byte: '.' or '/' stands before this word
	var bad uint64
	for i := 0; ; i += 8 {
		if last := len(target) - 8; i > last {
			if i == last+8 {
				return len(target), bad == 0
			}
			i = last // overlaps the word before
			after = equals(uint64(target[i-1])|1, '/') & 0x80
		}
		w := load64(target[i:])
		// '.' and '/' differ in the lowest bit only. Two of them in a row are
		// a dot segment, an empty one, or harmless and rare.
		marks := equals(w|eachByte, '/')
		here := equals(w, '%') | marks&(marks<<8|after)
		after = marks >> 56
		if query := equals(w, '?'); query != 0 {
			first := query & -query
			return i + bits.TrailingZeros64(first)/8, bad|here&(first-1) == 0
		}
		bad |= here
	}
}

// foldHash hashes a name so that letters of either case hash alike. It needs
// no key: its table holds the operator's own names only.
func foldHash(s string) uint64 {
	const fold = 0x20 * eachByte
	h := uint64(len(s))
	if len(s) < 8 {
		for i := 0; i < len(s); i++ {
			h = h<<8 | uint64(s[i]) | 0x20
		}
		return h * spread
	}
	// The words are multiplied by themselves and then added, so that none waits
	// for the one before; turning each by its place tells their orders apart.
	for i := 0; i+8 < len(s); i += 8 {
		h += bits.RotateLeft64(load64(s[i:])|fold, i) * spread
	}
	// The last word overlaps the one before it.
	return h*spread + bits.RotateLeft64(load64(s[len(s)-8:])|fold, len(s))*spread
}
