package route

import (
	"strings"

	"github.com/homeward/homeward/topology"
)

// Bounds of redacted text.
const (
	maxRedactedPath   = 512  // bytes of RedactPath
	maxRedactedTarget = 1024 // bytes of RedactTarget
	minSecret         = 16   // length from which undeclared text is looked at
	minProtobuf       = 32   // the same for protobuf, which claims by chance more often
)

// RedactPath is what logs may show of a request-target: the normal form of its
// path without the query. The credential of a path place is replaced by
// {credential}, and so is every segment that any rule would claim if it stood
// in the rule's places. Bytes that are not visible ASCII are escaped. A long
// path is cut and ends in "...". What needs none of that is the target's own
// text, without a copy.
func (t *Table) RedactPath(target string) string {
	if end, normal := scanPath(target); normal && t.shows(target[:end]) {
		return target[:end]
	}
	var space [256]byte
	path := view(AppendNormalPath(space[:0], target))
	return cut(string(t.appendPath(nil, path)), maxRedactedPath)
}

// RedactTarget is RedactPath with the query: the value of each parameter that
// is a credential's place, and every other value or name that a rule would
// claim, is replaced by its fingerprint. It is for explanations, not for logs:
// a query may hold secrets that no rule knows.
func (t *Table) RedactTarget(target string) string {
	var space [256]byte
	out := t.appendPath(nil, view(AppendNormalPath(space[:0], target)))
	if q := strings.IndexByte(target, '?'); q >= 0 {
		out = append(out, '?')
		var r Request
		for s := target[q+1:]; ; {
			end := strings.IndexAny(s, "&;")
			if end < 0 {
				out = t.appendParameter(out, &r, s)
				break
			}
			out = append(t.appendParameter(out, &r, s[:end]), s[end])
			s = s[end+1:]
		}
	}
	return cut(string(out), maxRedactedTarget)
}

func (t *Table) appendParameter(dst []byte, r *Request, piece string) []byte {
	name, value, valued := strings.Cut(piece, "=")
	plain := r.decode(name, true)
	if t.secret(plain) {
		dst = t.Fingerprint(plain).AppendTo(dst)
	} else {
		dst = appendVisible(dst, name)
	}
	if !valued {
		return dst
	}
	dst = append(dst, '=')
	_, query := t.query.find(plain)
	_, form := t.form.find(plain)
	plain = r.decode(value, true)
	if plain != "" && (query || form || t.secret(plain)) {
		return t.Fingerprint(plain).AppendTo(dst)
	}
	return appendVisible(dst, value)
}

// appendPath appends a normal path, redacted.
func (t *Table) appendPath(dst []byte, path string) []byte {
	var r Request
	for at := 0; at < len(path); {
		end := at
		for end < len(path) && path[end] != '/' {
			end++
		}
		seg := path[at:end]
		if seg != "" && (t.credentialAt(path, at) || t.secret(r.decode(seg, false))) {
			dst = append(dst, topology.CredentialSegment...)
		} else {
			dst = appendVisible(dst, seg)
		}
		if end < len(path) {
			dst = append(dst, '/')
		}
		at = end + 1
	}
	return dst
}

// shows reports whether a normal path without escapes is its own redacted form.
// It may say no of one that is.
func (t *Table) shows(path string) bool {
	if len(path) > maxRedactedPath || !visible(path) {
		return false
	}
	for i := range t.paths {
		if p := &t.paths[i]; len(path) > len(p.before) && startsWith(path, p.before) {
			return false
		}
	}
	from := 0
	for i := 0; i < len(path); i++ {
		if path[i] == '/' {
			if i-from >= minSecret && t.secret(path[from:i]) {
				return false
			}
			from = i + 1
		}
	}
	return !t.secret(path[from:])
}

// credentialAt reports whether a path place has its credential at path[at:].
// What follows it does not matter: a path that misses its template by a
// trailing slash shows no credential either.
func (t *Table) credentialAt(path string, at int) bool {
	for i := range t.paths {
		if p := &t.paths[i]; len(p.before) == at && path[:at] == p.before {
			return true
		}
	}
	return false
}

// secret reports whether a rule would claim text, or one of the pieces that
// common delimiters make of it.
func (t *Table) secret(text string) bool {
	if len(text) < minSecret {
		return false
	}
	if t.claimed(text) {
		return true
	}
	const delimiters = "/\\;,:=&?@!|()[]\"' "
	for rest := text; rest != ""; {
		end := strings.IndexAny(rest, delimiters)
		if end < 0 {
			return len(rest) < len(text) && t.claimed(rest)
		}
		if t.claimed(rest[:end]) {
			return true
		}
		rest = rest[end+1:]
	}
	return false
}

func (t *Table) claimed(text string) bool {
	if len(text) < minSecret {
		return false
	}
	var x finding
	r := t.anyRule.claim(text, &x)
	return r != nil && (r.spec.Protobuf == nil || len(text) >= minProtobuf)
}

// appendVisible appends s with every byte that is not visible ASCII escaped.
func appendVisible(dst []byte, s string) []byte {
	const capitals = "0123456789ABCDEF"
	for i := 0; i < len(s); i++ {
		if c := s[i]; c > ' ' && c < 0x7F {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', capitals[c>>4], capitals[c&15])
		}
	}
	return dst
}

func cut(s string, most int) string {
	const dots = "..."
	if len(s) <= most {
		return s
	}
	return s[:most-len(dots)] + dots
}
