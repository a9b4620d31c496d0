package credential

// base64url is a checked text of RFC 4648 section 5, without padding, seen as
// the bytes that it stands for. Bytes are decoded where they are asked for, so
// looking into a credential needs no buffer.
type base64url struct {
	text string
	n    int // decoded bytes
}

// invalid marks the bytes that are not of the alphabet.
const invalid = 0xff

// sextet gives the value of each character of the alphabet.
var sextet = func() (t [256]byte) {
	for i := range t {
		t[i] = invalid
	}
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") {
		t[c] = byte(i)
	}
	return t
}()

// parseBase64url checks the alphabet, the length, and that the bits beyond the
// last byte are zero: each byte string has one spelling (RFC 4648 section 3.5).
func parseBase64url(s string) (base64url, bool) {
	var or byte
	for i := 0; i < len(s); i++ {
		or |= sextet[s[i]]
	}
	if or > 63 || len(s)%4 == 1 {
		return base64url{}, false
	}
	switch len(s) % 4 {
	case 2:
		if sextet[s[len(s)-1]]&15 != 0 {
			return base64url{}, false
		}
	case 3:
		if sextet[s[len(s)-1]]&3 != 0 {
			return base64url{}, false
		}
	}
	return base64url{s, len(s) * 3 / 4}, true
}

// at is the byte at i, 0 <= i < n.
func (b base64url) at(i int) byte {
	j := i + i/3 // 3 bytes stand in 4 characters
	x, y := sextet[b.text[j]], sextet[b.text[j+1]]
	switch i % 3 {
	case 0:
		return x<<2 | y>>4
	case 1:
		return x<<4 | y>>2
	}
	return x<<6 | y
}

// copyTo decodes the bytes from i on, a multiple of 3, into dst, whose length
// is a multiple of 3, and tells how many there were.
func (b base64url) copyTo(dst []byte, i int) int {
	n := 0
	s := b.text[i/3*4:]
	for len(s) >= 4 && len(dst) >= n+3 {
		v := uint32(sextet[s[0]])<<18 | uint32(sextet[s[1]])<<12 | uint32(sextet[s[2]])<<6 | uint32(sextet[s[3]])
		dst[n], dst[n+1], dst[n+2] = byte(v>>16), byte(v>>8), byte(v)
		s, n = s[4:], n+3
	}
	for n < len(dst) && i+n < b.n {
		dst[n] = b.at(i + n)
		n++
	}
	return n
}
