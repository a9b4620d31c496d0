package route

import "unsafe"

// view is the text of b without a copy. It is only for text that is read and
// dropped before b's bytes change: here, values in a request's scratch, which
// within one decision is appended to and never overwritten.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// unhex is the value of a hex digit, 0xFF for any other byte.
func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 0xFF
}

// escape reads the percent escape at s[i]; ok is false when there is none
// that is whole and valid (RFC 3986 section 2.1).
func escape(s string, i int) (c byte, ok bool) {
	if i+2 >= len(s) || s[i] != '%' {
		return 0, false
	}
	hi, lo := unhex(s[i+1]), unhex(s[i+2])
	return hi<<4 | lo, hi|lo < 0x10
}

// decode is s with its valid percent escapes decoded, and + read as a space
// when plus is set, as HTML forms and queries have it. Invalid escapes stay as
// they are. The text lives in r's scratch, or is s itself when there is
// nothing to decode.
func (r *Request) decode(s string, plus bool) string {
	i := 0
	for i < len(s) && s[i] != '%' && (s[i] != '+' || !plus) {
		i++
	}
	if i == len(s) {
		return s
	}
	from := len(r.scratch)
	r.scratch = append(r.scratch, s[:i]...)
	for ; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '+' && plus:
			c = ' '
		case c == '%':
			if d, ok := escape(s, i); ok {
				c = d
				i += 2
			}
		}
		r.scratch = append(r.scratch, c)
	}
	return view(r.scratch[from:])
}
