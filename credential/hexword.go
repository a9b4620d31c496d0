package credential

// load64 is the first 8 bytes of s, the first of them lowest. It compiles to
// one load.
func load64(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

const (
	eachByte = 0x0101010101010101 // times b: the word of which every byte is b
	highBits = 0x80 * eachByte
)

// hexWord reports whether all 8 bytes of w are hex digits, of either case.
//
// Adding 0x80-lo to a byte below 0x80 sets its high bit when it is lo or more;
// subtracting it from 0x80+hi leaves the high bit set when it is hi or less.
// Neither carries into the next byte.
func hexWord(w uint64) bool {
	if w&highBits != 0 {
		return false
	}
	small := w | 0x20*eachByte
	digit := (w + (0x80-'0')*eachByte) & ((0x80+'9')*eachByte - w)
	letter := (small + (0x80-'a')*eachByte) & ((0x80+'f')*eachByte - small)
	return (digit|letter)&highBits == highBits
}

// scanHex tells n when s starts with n hex digits, else 0.
func scanHex(s string, n int) int {
	if len(s) < n {
		return 0
	}
	i := 0
	for ; i+8 <= n; i += 8 {
		if !hexWord(load64(s[i:])) {
			return 0
		}
	}
	for ; i < n; i++ {
		if !isHex(s[i]) {
			return 0
		}
	}
	return n
}

// scanUUID tells 36 when s starts with a UUID (RFC 9562 section 4), of either
// case and any version, else 0.
func scanUUID(s string) int {
	const (
		length = 36
		dashes = '-' * eachByte
		zeros  = '0' * eachByte
		// The hyphens are bytes 8, 13, 18 and 23.
		second = 0xff | 0xff<<(8*5)
		third  = 0xff<<(8*2) | 0xff<<(8*7)
	)
	if len(s) < length {
		return 0
	}
	b, c := load64(s[8:]), load64(s[16:])
	if (b^dashes)&second != 0 || (c^dashes)&third != 0 {
		return 0
	}
	b, c = b&^second|zeros&second, c&^third|zeros&third
	if !hexWord(load64(s)) || !hexWord(b) || !hexWord(c) || !hexWord(load64(s[24:])) || !hexWord(load64(s[28:])) {
		return 0
	}
	return length
}
