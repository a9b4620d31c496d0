package route

import "strings"

// bodyRule is a compiled declaration of bodies that may be looked into.
type bodyRule struct {
	paths        []pathPattern
	methods      []string
	limit        int64
	passTooLong  bool
	passEncoded  bool
	passRepeated bool
}

// bodyKind says what looking into a body takes.
type bodyKind uint8

const (
	noBody       bodyKind = iota // nothing to look for
	formBody                     // application/x-www-form-urlencoded
	jsonBody                     // application/json or any +json
	encodedBody                  // one of these with a Content-Encoding
	twoTypesBody                 // two Content-Type lines
)

// Peek reports whether Decide wants to look into the body of r, and up to which
// length in bytes. The caller then reads that much, sets Body and BodyState,
// and must forward what it read.
func (t *Table) Peek(r *Request) (limit int64, ok bool) {
	if !t.looksInto(r.Method) {
		return 0, false
	}
	if kind, _ := t.HostKind(r.Host); kind == OtherHost {
		return 0, false
	}
	r.scratch = r.scratch[:0]
	path, _ := r.normalPath()
	rule, kind := t.bodyOf(r, path)
	if kind != formBody && kind != jsonBody {
		return 0, false
	}
	return rule.limit, true
}

// looksInto reports whether bodies of requests with that method may be looked
// into at all. It spares most requests the rest.
func (t *Table) looksInto(method string) bool {
	if !t.looked.has(len(method)) || t.form.empty() && t.json.empty() {
		return false
	}
	for i := range t.bodies {
		if anyMethod(t.bodies[i].methods, method) {
			return true
		}
	}
	return false
}

// bodyOf is the first rule for the body of a request with that normal path,
// and what looking into it takes.
func (t *Table) bodyOf(r *Request, path string) (*bodyRule, bodyKind) {
	for i := range t.bodies {
		b := &t.bodies[i]
		if anyMethod(b.methods, r.Method) && anyPath(b.paths, path) {
			return b, t.kindOf(r.Fields)
		}
	}
	return nil, noBody
}

func (t *Table) kindOf(fields []Field) bodyKind {
	kind, types, encoded := noBody, 0, false
	for i := range fields {
		switch h := &fields[i]; {
		case equalFold(h.Name, "content-type"):
			types++
			kind = t.kindOfType(h.Value)
		case equalFold(h.Name, "content-encoding"):
			encoded = encoded || h.Value != "" && !equalFold(h.Value, "identity")
		}
	}
	switch {
	case types > 1:
		return twoTypesBody
	case encoded && kind != noBody:
		return encodedBody
	}
	return kind
}

// kindOfType is what a media type (RFC 9110 section 8.3.1) lets look for.
func (t *Table) kindOfType(value string) bodyKind {
	const plus = "+json"
	media, _, _ := strings.Cut(value, ";")
	media = trimBlanks(media)
	switch {
	case equalFold(media, "application/x-www-form-urlencoded") && !t.form.empty():
		return formBody
	case t.json.empty():
	case equalFold(media, "application/json"),
		len(media) > len(plus) && equalFold(media[len(media)-len(plus):], plus):
		return jsonBody
	}
	return noBody
}

// gatherBody folds in the credentials of the body, or why it could not be
// looked into.
func (t *Table) gatherBody(r *Request, path string, f *findings) {
	if !t.looksInto(r.Method) {
		return
	}
	rule, kind := t.bodyOf(r, path)
	switch {
	case kind == noBody:
	case kind == twoTypesBody:
		t.twice(f, TwoReadings, noSource, "")
	case kind == encodedBody:
		if !rule.passEncoded {
			f.body = BodyEncoded
		}
	case r.BodyState == BodyTooLong:
		if !rule.passTooLong {
			f.body = BodyOverLimit
		}
	case r.BodyState == BodyWhole:
		t.gatherFields(r, f, kind, rule.passRepeated)
	}
}

// gatherFields folds in the credentials of a whole body. With pass, a body in
// which one is repeated is as good as none.
func (t *Table) gatherFields(r *Request, f *findings, kind bodyKind, pass bool) {
	before := *f
	if kind == formBody {
		t.parameters(r, f, &t.form, view(r.Body))
	} else {
		t.members(f, r.Body)
	}
	if pass && f.repeat != 0 {
		*f = before
	}
}
