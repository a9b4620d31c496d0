package http1

import "errors"

const (
	maxChunkLine = 256     // bytes of a chunk's size line with its extensions
	maxExcess    = 8 << 10 // bytes of chunk extensions that a body may have beyond its content
	maxDigits    = 15      // of a chunk size, so that it fits 63 bits
)

// chunkSize reads a size line (RFC 9112 section 7.1). Extensions are dropped, but
// must be well-formed and in proportion to the content: a sender pays little for them.
func (b *Body) chunkSize() (int64, error) {
	line, err := b.r.line(maxChunkLine)
	if errors.Is(err, ErrTooLarge) {
		return 0, syntax("a chunk's size line is too long")
	}
	if err != nil {
		return 0, unexpected(err)
	}
	digits := 0
	var size int64
	for digits < len(line) {
		d, ok := hexDigit(line[digits])
		if !ok {
			break
		}
		if digits++; digits > maxDigits {
			return 0, syntax("a chunk size is too large")
		}
		size = size<<4 | int64(d)
	}
	if digits == 0 {
		return 0, syntax("a chunk does not start with its size")
	}
	if ext := line[digits:]; ext != "" {
		if !extensions(ext) {
			return 0, syntax("a chunk size is followed by something other than well-formed extensions")
		}
		b.excess += int64(len(ext))
	}
	if b.excess = max(0, b.excess-size); b.excess > maxExcess {
		return 0, syntax("the extensions of chunks are far longer than their content")
	}
	return size, nil
}

// extensions reports whether s is a list of chunk extensions, each with a
// semicolon before it (RFC 9112 section 7.1.1). The white space that the grammar has
// before the first is refused: other readers take a size with it for none.
func extensions(s string) bool {
	if s[0] != ';' {
		return false
	}
	for s != "" {
		if s = skipBlank(s); s == "" || s[0] != ';' {
			return false
		}
		s = skipBlank(s[1:])
		n := tokenLength(s)
		if n == 0 {
			return false
		}
		s = s[n:]
		value := skipBlank(s)
		if value == "" || value[0] != '=' {
			continue // white space at the end is refused above
		}
		s = skipBlank(value[1:])
		if n = tokenLength(s); n == 0 {
			n = quotedLength(s)
		}
		if n == 0 {
			return false
		}
		s = s[n:]
	}
	return true
}

func skipBlank(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	return s
}

// tokenLength is the number of bytes of the token that s starts with.
func tokenLength(s string) int {
	n := 0
	for n < len(s) && tokenBytes[s[n]] {
		n++
	}
	return n
}

// quotedLength is the number of bytes of the quoted string that s starts with, 0
// when it starts with none (RFC 9110 section 5.6.4).
func quotedLength(s string) int {
	if s == "" || s[0] != '"' {
		return 0
	}
	for i := 1; i < len(s); i++ {
		if s[i] == '"' {
			return i + 1
		}
		if s[i] == '\\' {
			i++
		}
		if i == len(s) || control(s[i]) {
			return 0
		}
	}
	return 0
}

func control(c byte) bool { return c < ' ' && c != '\t' || c == 0x7f }

func hexDigit(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
