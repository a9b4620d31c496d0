package route

import (
	"slices"
	"strings"

	"github.com/homeward/homeward/topology"
)

// AppendNormalPath appends the normal form of a request-target's path, on
// which all path matching is done. In this order:
//
//  1. The query is cut off at the first '?'.
//  2. Percent escapes of unreserved characters (letters, digits, - . _ ~) are
//     decoded, other valid ones written in capitals, invalid ones left. An
//     escape whose decoding would complete an invalid one before it stays.
//  3. Runs of '/' become one.
//  4. Dot segments are removed (RFC 3986 section 5.2.4).
//
// An empty path is "/"; "*" stays "*". The form of a normal form is itself.
// Forwarding never uses it: origins receive the target as it came.
func AppendNormalPath(dst []byte, target string) []byte {
	path, _, _ := strings.Cut(target, "?")
	if path == "*" {
		return append(dst, '*')
	}
	from := len(dst)
	if path == "" || path[0] != '/' {
		dst = append(dst, '/')
	}
	for i := 0; i < len(path); i++ {
		c := path[i]
		if c == '%' {
			if d, ok := escape(path, i); ok {
				dst = appendEscape(dst, from, d)
				i += 2
				continue
			}
		}
		dst = append(dst, c)
	}
	return dst[:from+removeDots(dst[from:])]
}

// appendEscape appends the escaped byte c in its normal spelling.
func appendEscape(dst []byte, from int, c byte) []byte {
	if unreserved(c) && !(unhex(c) < 0x10 && dangling(dst[from:])) {
		return append(dst, c)
	}
	const capitals = "0123456789ABCDEF"
	return append(dst, '%', capitals[c>>4], capitals[c&15])
}

// dangling reports whether b ends in the beginning of an escape, which one or
// two hex digits more would make a whole one.
func dangling(b []byte) bool {
	n := len(b)
	return n > 0 && b[n-1] == '%' || n > 1 && b[n-2] == '%' && unhex(b[n-1]) < 0x10
}

// unreserved reports RFC 3986 section 2.3.
func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '-' || c == '.' || c == '_' || c == '~'
}

// removeDots merges slashes and removes dot segments of b in place and tells
// the length that is left. b starts with '/'.
func removeDots(b []byte) int {
	w := 0
	for i := 0; i < len(b); {
		// b[i] is the '/' before a segment.
		end := i + 1
		for end < len(b) && b[end] != '/' {
			end++
		}
		last := end == len(b)
		switch seg := b[i+1 : end]; {
		case len(seg) == 0 && !last:
			// One of several slashes.
		case len(seg) == 1 && seg[0] == '.':
			if last {
				b[w] = '/'
				w++
			}
		case len(seg) == 2 && seg[0] == '.' && seg[1] == '.':
			for w > 0 {
				w--
				if b[w] == '/' {
					break
				}
			}
			if last {
				b[w] = '/'
				w++
			}
		default:
			w += copy(b[w:], b[i:end])
		}
		i = end
	}
	return w
}

// normalPath is the normal form of r's path, in r's scratch unless the target
// has it already, and what follows the path: nothing, or a query with its '?'.
// Both belong to the current decision only.
func (r *Request) normalPath() (path, query string) {
	end, normal := scanPath(r.Target)
	path, query = r.Target[:end], r.Target[end:]
	if normal {
		return path, query
	}
	from := len(r.scratch)
	r.scratch = AppendNormalPath(r.scratch, path)
	return view(r.scratch[from:]), query
}

// pathPattern is a path, or the beginning of one when the declared path ended
// in a segment *.
type pathPattern struct {
	text   string
	prefix bool
}

func newPathPattern(s string) pathPattern {
	if base, ok := strings.CutSuffix(s, "/*"); ok {
		return pathPattern{base + "/", true}
	}
	return pathPattern{s, false}
}

func (p *pathPattern) matches(path string) bool {
	if p.prefix {
		return startsWith(path, p.text)
	}
	return path == p.text
}

func newPathPatterns(list []string) []pathPattern {
	out := make([]pathPattern, len(list))
	for i, s := range list {
		out[i] = newPathPattern(s)
	}
	return out
}

// startsWith is strings.HasPrefix for paths: most differ within a few bytes,
// and finding that costs less than the call of a comparison.
func startsWith(s, prefix string) bool {
	if len(s) < len(prefix) {
		return false
	}
	for i := 0; i < len(prefix); i++ {
		if s[i] != prefix[i] {
			return false
		}
	}
	return true
}

// anyPath reports whether one of list matches.
func anyPath(list []pathPattern, path string) bool {
	for i := range list {
		if list[i].matches(path) {
			return true
		}
	}
	return false
}

// PathSet is a list of declared paths, each with /* at its end if it stands for
// all below it. The zero value stands for every path.
type PathSet struct{ patterns []pathPattern }

// NewPathSet compiles paths in normal form, as a valid topology has them.
func NewPathSet(declared []string) PathSet { return PathSet{newPathPatterns(declared)} }

// Match reports whether the normal form of a request-target's path is in the set.
func (s PathSet) Match(target string) bool {
	if len(s.patterns) == 0 {
		return true
	}
	end, normal := scanPath(target)
	path := target[:end]
	if !normal {
		var space [256]byte
		path = view(AppendNormalPath(space[:0], path))
	}
	return anyPath(s.patterns, path)
}

// anyMethod reports whether method is in list; an empty list has all.
func anyMethod(list []string, method string) bool {
	return len(list) == 0 || slices.Contains(list, method)
}

// pathTemplate is a declared path with one credential segment.
type pathTemplate struct {
	before, after string
	src           uint16
}

func newPathTemplate(name string, src uint16) pathTemplate {
	before, after, _ := strings.Cut(name, topology.CredentialSegment)
	return pathTemplate{before, after, src}
}

// segment is the credential's segment of a normal path that starts with before,
// "" when the path is not of this template.
func (p *pathTemplate) segment(path string) string {
	path = strings.TrimSuffix(path, "/") // most origins make no difference: to be anonymous by a slash would be a guess
	if len(path) <= len(p.before)+len(p.after) || !strings.HasSuffix(path, p.after) {
		return ""
	}
	seg := path[len(p.before) : len(path)-len(p.after)]
	if strings.IndexByte(seg, '/') >= 0 {
		return ""
	}
	return seg
}
