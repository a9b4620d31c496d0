package cell

import "math/bits"

const (
	eachByte = 0x0101010101010101 // times b: the word of which every byte is b
	highBits = 0x80 * eachByte
)

// firstWord is the first 8 bytes of s, the first of them lowest; what s lacks is
// zero.
func firstWord[T ~string | ~[]byte](s T) (w uint64) {
	if len(s) >= 8 {
		return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
	}
	for i := len(s) - 1; i >= 0; i-- {
		w = w<<8 | uint64(s[i])
	}
	return w
}

// scanWord is ScanName of the 8 bytes of w, all below 0x80. Reading a name out
// of a credential is on the way of every request; without branches on the
// letters it costs the same for all names.
func scanWord(w uint64) (Name, int) {
	letters := min(leading(inRange(w, 'a', 'z')), 6)
	digits := min(leading(inRange(w, '0', '9')>>(8*letters)), 2)
	if letters < 2 || digits == 0 {
		return Name{}, 0
	}
	n := letters + digits
	return Name{w & (1<<(8*n) - 1)}, n
}

// inRange has the high bit of each byte of w from lo to hi. Adding 0x80-lo to a
// byte below 0x80 sets its high bit when it is lo or more; subtracting it from
// 0x80+hi leaves the high bit set when it is hi or less; neither carries.
func inRange(w uint64, lo, hi byte) uint64 {
	return (w + uint64(0x80-lo)*eachByte) & (uint64(0x80+hi)*eachByte - w) & highBits
}

// leading counts the bytes from the first on whose high bit is set.
func leading(marks uint64) int { return bits.TrailingZeros64(^marks&highBits) / 8 }
