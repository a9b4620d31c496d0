package route

import (
	"encoding/base64"
	"strings"
)

const (
	authorization = "authorization"
	cookieHeader  = "cookie"
)

// gather folds in all explicit credentials of the head.
func (t *Table) gather(r *Request, path, query string, f *findings) {
	for i := range r.Fields {
		h := &r.Fields[i]
		n := len(h.Name)
		switch {
		case !t.wanted.has(n):
		case n == len(authorization) && (h.Name == "Authorization" || equalFold(h.Name, authorization)):
			t.authorize(r, f, h.Value)
		case n == len(cookieHeader) && equalFold(h.Name, cookieHeader):
			f.cookie = true
		case t.headers.lens.has(n):
			if src, ok := t.headers.findFold(h.Name); ok {
				t.once(f, src, h.Value)
			}
		}
	}
	if query != "" && !t.query.empty() {
		t.parameters(r, f, &t.query, query[len("?"):])
	}
	for i := range t.paths {
		p := &t.paths[i]
		if len(path) <= len(p.before) || !startsWith(path, p.before) {
			continue
		}
		if seg := p.segment(path); seg != "" {
			t.add(f, p.src, r.decode(seg, false))
		}
	}
}

// once folds in the value of a name that may stand only once. An empty value
// is no credential, and counts all the same when it is repeated.
func (t *Table) once(f *findings, src uint16, value string) {
	switch {
	case f.saw(src):
		t.twice(f, RepeatedCredential, src, value)
	case value != "":
		t.add(f, src, value)
	}
}

// authorize folds in an Authorization header (RFC 9110 section 11.6.2). One
// whose scheme is not known is a credential that no rule claims; its text is
// what follows the scheme.
func (t *Table) authorize(r *Request, f *findings, value string) {
	const usual = "Bearer "
	if len(value) > len(usual) && value[:len(usual)] == usual && !f.authorization {
		if text := value[len(usual):]; text[0] > ' ' && text[len(text)-1] > ' ' {
			f.authorization = true
			t.add(f, bearerSource, text)
			return
		}
	}
	scheme, text := cutScheme(value)
	switch {
	case f.authorization:
		t.twice(f, RepeatedAuthorization, authorizationSource, text)
	case value == "":
	case equalFold(scheme, "bearer"):
		t.add(f, bearerSource, text)
	case equalFold(scheme, "basic"):
		t.basic(r, f, text)
	default:
		t.add(f, authorizationSource, text)
	}
	f.authorization = true
}

// cutScheme cuts an Authorization value at the blanks after its scheme. One of a
// single word has no scheme.
func cutScheme(value string) (scheme, text string) {
	end := 0
	for end < len(value) && !isBlank(value[end]) {
		end++
	}
	if text = trimBlanks(value[end:]); text == "" {
		return "", value
	}
	return value[:end], text
}

// trimBlanks is s without the optional white space around it (RFC 9110 section 5.6.3).
func trimBlanks(s string) string {
	for s != "" && isBlank(s[0]) {
		s = s[1:]
	}
	for s != "" && isBlank(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// basic folds in user name and password of Basic credentials (RFC 7617), each
// where rules are declared for it. If that leaves nothing, or the text is not
// base64, the text itself is a credential that no rule claims.
func (t *Table) basic(r *Request, f *findings, text string) {
	before := f.count
	user, password, _ := strings.Cut(r.base64(text), ":")
	if user != "" && len(t.sources[usernameSource].rules.rules) > 0 {
		t.add(f, usernameSource, user)
	}
	if password != "" && len(t.sources[passwordSource].rules.rules) > 0 {
		t.add(f, passwordSource, password)
	}
	if f.count == before {
		t.add(f, authorizationSource, text)
	}
}

// base64 is s decoded into r's scratch, "" when it is not base64. Padding may
// be missing.
func (r *Request) base64(s string) string {
	from := len(r.scratch)
	r.scratch = append(r.scratch, strings.TrimRight(s, "=")...)
	n, err := base64.RawStdEncoding.Decode(r.scratch[from:], r.scratch[from:])
	if err != nil {
		return ""
	}
	return view(r.scratch[from : from+n])
}

// parameters folds in the parameters of a query or of a urlencoded body that
// are declared in want.
//
// Names and values are compared decoded. A credential's parameter that has a
// ';' on either side has two readings, because some origins split there.
func (t *Table) parameters(r *Request, f *findings, want *names, s string) {
	for more := true; more; {
		var piece string
		piece, s, more = strings.Cut(s, "&")
		if strings.IndexByte(piece, ';') < 0 {
			t.parameter(r, f, want, piece, false)
			continue
		}
		for again := true; again; {
			var part string
			part, piece, again = strings.Cut(piece, ";")
			t.parameter(r, f, want, part, true)
		}
	}
}

func (t *Table) parameter(r *Request, f *findings, want *names, piece string, torn bool) {
	name, value, _ := strings.Cut(piece, "=")
	src, ok := want.find(r.decode(name, true))
	if !ok {
		return
	}
	value = r.decode(value, true)
	if torn {
		t.twice(f, TwoReadings, src, value)
		return
	}
	t.once(f, src, value)
}

// cookie is the first cookie that a rule claims and that names a cell of the
// topology; on a host of the cell only, unless only is None. Every other
// cookie is as if it were not there.
func (t *Table) cookie(r *Request, only Index, x *finding) bool {
	for i := range r.Fields {
		if !equalFold(r.Fields[i].Name, cookieHeader) {
			continue
		}
		list := r.Fields[i].Value
		for more := true; more; {
			var pair string
			pair, list, more = strings.Cut(list, ";")
			name, value, _ := strings.Cut(trimBlanks(pair), "=")
			src, ok := t.cookies.find(name)
			if !ok {
				continue
			}
			if n := len(value); n > 1 && value[0] == '"' && value[n-1] == '"' {
				value = value[1 : n-1]
			}
			if value == "" {
				continue
			}
			t.read(x, src, value)
			if x.rank == named && t.CellIndex(x.name) != None && (only == None || x.cell == only) {
				return true
			}
		}
	}
	return false
}
