package credential

// Classes of bytes, as bits.
const (
	hexClass = 1 << iota
	base62Class
	visibleClass
)

// classes gives the classes of each byte.
var classes = func() (t [256]byte) {
	for i := range t {
		c := byte(i)
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if c > ' ' && c <= '~' {
			t[i] |= visibleClass
		}
		if isDigit(c) || letter {
			t[i] |= base62Class
		}
		if isDigit(c) || letter && c|0x20 <= 'f' {
			t[i] |= hexClass
		}
	}
	return t
}()

// all reports whether every byte of s is of the class. It looks at all of them:
// that is quicker than stopping for texts that are mostly right.
func all(s string, class byte) bool {
	for i := 0; i < len(s); i++ {
		class &= classes[s[i]]
	}
	return class != 0
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isHex(c byte) bool { return classes[c]&hexClass != 0 }

func isBase62(s string) bool { return all(s, base62Class) }

// isVisible reports whether s holds only the bytes from 0x21 to 0x7E.
func isVisible(s string) bool { return all(s, visibleClass) }
