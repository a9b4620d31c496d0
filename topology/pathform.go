package topology

import "strings"

// isNormalPath reports whether p is a path in the normal form that requests'
// paths are brought to before they are matched: percent escapes only where
// needed and in capitals, no empty and no dot segments.
func isNormalPath(p string) bool {
	for i := 0; i < len(p); i++ {
		if p[i] <= ' ' || p[i] >= 0x7f || p[i] == '?' || p[i] == '#' {
			return false
		}
	}
	return strings.HasPrefix(p, "/") && validEscapes(p) && normalPath(p) == p
}

// normalPath is the normal form of a path with valid escapes.
func normalPath(p string) string {
	var b strings.Builder
	for i := 0; i < len(p); i++ {
		if p[i] != '%' || i+2 >= len(p) {
			b.WriteByte(p[i])
			continue
		}
		if c := unhex(p[i+1])<<4 | unhex(p[i+2]); isAlnum(c) || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
		} else {
			b.WriteString(strings.ToUpper(p[i : i+3]))
		}
		i += 2
	}
	return removeDots(b.String())
}

// removeDots merges slashes and takes dot segments out of a rooted path (RFC
// 3986 section 5.2.4).
func removeDots(p string) string {
	var kept []string
	last := ""
	for last = range strings.SplitSeq(p, "/") {
		switch last {
		case "", ".":
		case "..":
			kept = kept[:max(0, len(kept)-1)]
		default:
			kept = append(kept, last)
		}
	}
	out := "/" + strings.Join(kept, "/")
	if (last == "" || last == "." || last == "..") && len(kept) > 0 {
		out += "/"
	}
	return out
}

func validEscapes(p string) bool {
	for i := 0; i < len(p); i++ {
		if p[i] == '%' && (i+2 >= len(p) || !isHex(p[i+1]) || !isHex(p[i+2])) {
			return false
		}
	}
	return true
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// unhex is the value of a hex digit.
func unhex(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c >= 'a':
		return c - 'a' + 10
	}
	return c - 'A' + 10
}

// pathProblem says what keeps p from being a path pattern: a path in normal
// form whose last segment may be *.
func pathProblem(p string) (wrong, fix string) {
	body := strings.TrimSuffix(p, "/*")
	if body != p {
		body += "/"
	}
	switch {
	case !strings.HasPrefix(p, "/"):
		return "does not start with /", "write /" + clip(strings.TrimLeft(p, "/"))
	case strings.Contains(body, "*"):
		return "has a * that is not its last segment", "write a path, or a prefix that ends in /*"
	case strings.ContainsAny(p, "?#"):
		return "has a query or fragment, which is not matched", "write the path only"
	case isNormalPath(body):
		return "", ""
	case !validEscapes(p):
		return "has a broken percent escape", "write %25 for a percent sign"
	case isNormalPath(normalPath(body)):
		return "is not in normal form, so no request matches it", "write " + clip(normalPath(body)+p[len(body):])
	}
	return "has a character that no path has", "write printable ASCII characters, and percent escapes for others"
}

// pathCovers reports whether pattern a matches every path that b matches.
func pathCovers(a, b string) bool {
	prefix, open := strings.CutSuffix(a, "*")
	if !open || !strings.HasSuffix(prefix, "/") {
		return a == b
	}
	return strings.HasPrefix(strings.TrimSuffix(b, "*"), prefix)
}

// pathsMeet reports whether some path matches both patterns.
func pathsMeet(a, b string) bool { return pathCovers(a, b) || pathCovers(b, a) }
