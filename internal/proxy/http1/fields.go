package http1

import "strings"

// appendFields reads field lines (RFC 9112 section 5) up to and including the
// empty one that ends them: at most size bytes, and so many lines that dst has
// no more than count.
func (r *Reader) appendFields(dst []Field, size, count int) ([]Field, error) {
	for {
		line, err := r.heldLine(size)
		if err != nil {
			return dst, unexpected(err)
		}
		if line == "" {
			return dst, nil
		}
		size -= len(line) + len("\r\n")
		if len(dst) == count {
			return dst, ErrTooLarge
		}
		f, err := parseField(line)
		if err != nil {
			return dst, err
		}
		dst = append(dst, f)
	}
}

func parseField(line string) (Field, error) {
	if line[0] == ' ' || line[0] == '\t' {
		return Field{}, syntax("a header is folded over two lines")
	}
	colon := 0
	for colon < len(line) && tokenBytes[line[colon]] {
		colon++
	}
	if colon == 0 || colon == len(line) || line[colon] != ':' {
		return Field{}, syntax(brokenName(line))
	}
	value := trimSpace(line[colon+1:])
	if !isText(value) {
		return Field{}, syntax("a header value holds a control character")
	}
	return Field{Name: line[:colon], Value: value}, nil
}

// brokenName is the rule that a line breaks which does not start with a name and
// a colon.
func brokenName(line string) string {
	colon := strings.IndexByte(line, ':')
	switch {
	case colon <= 0:
		return "a header line has no name and colon"
	case line[colon-1] == ' ' || line[colon-1] == '\t':
		return "white space stands between a header name and its colon"
	}
	return "a header name holds a character that is not allowed"
}

// isText reports whether s holds no control character but the tab (RFC 9110
// section 5.5), eight bytes at a time.
func isText(s string) bool {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; i+8 <= len(s); i += 8 {
		w := uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 |
			uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
		del := w ^ 0x7f*ones
		// A borrow may reach a byte above one that is such a character: that is for the
		// slow look to tell.
		if ((w-0x20*ones)&^w|(del-ones)&^del)&tops != 0 && !isTextSlow(s[i:i+8]) {
			return false
		}
	}
	return isTextSlow(s[i:])
}

func isTextSlow(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < ' ' && c != '\t') || c == 0x7f {
			return false
		}
	}
	return true
}

// trimSpace removes optional white space (RFC 9110 section 5.6.3), nothing else.
func trimSpace(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}

// tokenBytes holds the characters of a token (RFC 9110 section 5.6.2).
var tokenBytes = func() (t [256]bool) {
	for c := '!'; c <= '~'; c++ {
		t[c] = !strings.ContainsRune("\"(),/:;<=>?@[\\]{}", c)
	}
	return t
}()

func isToken(s string) bool {
	for i := 0; i < len(s); i++ {
		if !tokenBytes[s[i]] {
			return false
		}
	}
	return s != ""
}

// Lists reports whether a list field, which may stand on several lines, has an
// element. Neither name nor element is compared by case.
func Lists(fields []Field, name, element string) bool {
	for _, f := range fields {
		if Same(f.Name, name) && !Elements(f.Value, func(e string) bool { return !Same(e, element) }) {
			return true
		}
	}
	return false
}

// Elements calls yield with each element of a comma separated list.
func Elements(list string, yield func(string) bool) bool {
	for list != "" {
		element, rest, _ := strings.Cut(list, ",")
		if element = trimSpace(element); element != "" && !yield(element) {
			return false
		}
		list = rest
	}
	return true
}

// SameName compares names as CGI-like origins do, to which _ and - are one.
func SameName(a, b string) bool {
	return len(a) == len(b) && strings.EqualFold(strings.ReplaceAll(a, "_", "-"), b)
}
