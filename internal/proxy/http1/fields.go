package http1

import "strings"

// appendFields reads field lines (RFC 9112 section 5) from a block that ends
// with an empty line.
func appendFields(dst []Field, block string, limit int) ([]Field, error) {
	for block != "\r\n" {
		end := strings.IndexByte(block, '\n')
		line := block[:end-1]
		block = block[end+1:]
		if len(dst) == limit {
			return nil, ErrTooLarge
		}
		f, err := parseField(line)
		if err != nil {
			return nil, err
		}
		dst = append(dst, f)
	}
	return dst, nil
}

func parseField(line string) (Field, error) {
	if line[0] == ' ' || line[0] == '\t' {
		return Field{}, syntax("a header is folded over two lines")
	}
	colon := strings.IndexByte(line, ':')
	if colon <= 0 {
		return Field{}, syntax("a header line has no name and colon")
	}
	name := line[:colon]
	if !isToken(name) {
		if c := name[colon-1]; c == ' ' || c == '\t' {
			return Field{}, syntax("white space stands between a header name and its colon")
		}
		return Field{}, syntax("a header name holds a character that is not allowed")
	}
	value := trimSpace(line[colon+1:])
	for i := 0; i < len(value); i++ {
		if c := value[i]; (c < ' ' && c != '\t') || c == 0x7f {
			return Field{}, syntax("a header value holds a control character")
		}
	}
	return Field{Name: name, Value: value}, nil
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
		if strings.EqualFold(f.Name, name) && !Elements(f.Value, func(e string) bool { return !strings.EqualFold(e, element) }) {
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
