package topology

import (
	"fmt"
	"slices"
	"strings"
)

// MaxPeek is the most of a body that may be looked into.
const MaxPeek Size = 1 << 20

func (v *validator) bodies() {
	at := Root.Key("bodies")
	v.count(at, "bodies", len(v.t.Bodies), MaxRules)
	var before []requestSet
	for i := range v.t.Bodies {
		b, bodyAt := &v.t.Bodies[i], at.Index(i)
		if len(b.Paths) == 0 {
			v.add(bodyAt.Key("paths"), "write paths: [/oauth/token]", "body number %d has no paths", i+1)
		}
		v.words(bodyAt.Key("paths"), b.Paths, "a path", pathProblem)
		v.words(bodyAt.Key("methods"), b.Methods, "a method", methodProblem)
		if b.Limit < 0 || b.Limit > MaxPeek {
			v.add(bodyAt.Key("limit"), "write a size up to "+MaxPeek.String(), "the limit %s is out of range", b.Limit)
		}
		for _, u := range []struct {
			key  string
			does Unreadable
		}{{"oversize", b.Oversize}, {"encoded", b.Encoded}, {"repeated", b.Repeated}} {
			v.oneOf(bodyAt.Key(u.key), "choice for "+u.key, string(u.does), string(Refuse), string(Pass))
		}
		methods := b.Methods
		if len(methods) == 0 {
			methods = defaultPeekMethods()
		}
		for j, p := range b.Paths {
			set := requestSet{path: p, methods: methods}
			if hidden(before, set) {
				v.add(bodyAt.Key("paths").Index(j), "remove it here or there", "an earlier entry of bodies already matches all of %q", clip(p))
			}
		}
		for _, p := range b.Paths {
			before = append(before, requestSet{path: p, methods: methods})
		}
	}
}

func (v *validator) paths() {
	at := Root.Key("paths")
	v.count(at, "path rules", len(v.t.Paths), MaxRules)
	var before []requestSet
	for i := range v.t.Paths {
		r, ruleAt := &v.t.Paths[i], at.Index(i)
		v.words(ruleAt.Key("methods"), r.Methods, "a method", methodProblem)
		v.requiredCell(ruleAt.Key("cell"), r.Cell, fmt.Sprintf("path rule number %d", i+1))
		if r.Path == "" {
			v.add(ruleAt.Key("path"), "write path: /signup or path: /signup/*", "path rule number %d has no path", i+1)
			continue
		}
		if wrong, fix := pathProblem(r.Path); wrong != "" {
			v.add(ruleAt.Key("path"), fix, "%q %s", clip(r.Path), wrong)
			continue
		}
		set := requestSet{path: r.Path, methods: r.Methods}
		if hidden(before, set) {
			v.add(ruleAt.Key("path"), "put the narrower rule first, or remove it", "path rule %q is never reached: earlier rules match all of its requests", clip(r.Path))
		}
		before = append(before, set)
	}
}

// requestSet is the requests on a path pattern with one of the methods, or with
// any when there are none.
type requestSet struct {
	path    string
	methods []string
}

// hidden reports whether the sets before s, together, hold all of s as far as
// each of them covers its whole path.
func hidden(before []requestSet, s requestSet) bool {
	left := slices.Clone(s.methods)
	for _, b := range before {
		if !pathCovers(b.path, s.path) {
			continue
		}
		if len(b.methods) == 0 {
			return true
		}
		if len(s.methods) == 0 {
			continue
		}
		left = slices.DeleteFunc(left, func(m string) bool { return slices.Contains(b.methods, m) })
		if len(left) == 0 {
			return true
		}
	}
	return false
}

// methodProblem says what keeps m from being a method of RFC 9110 section 9.1
// as clients send it.
func methodProblem(m string) (wrong, fix string) {
	switch {
	case !isToken(m):
		return "is not a method", "write a method such as POST"
	case strings.ToUpper(m) != m:
		return "is in small letters, and methods are compared exactly", "write " + clip(strings.ToUpper(m))
	}
	return "", ""
}

func (v *validator) overrides() {
	at := Root.Key("overrides")
	seen := map[string]string{}
	for i := range v.t.Overrides {
		o, ruleAt := &v.t.Overrides[i], at.Index(i)
		key, where, ok := v.overrideKey(ruleAt, i, o)
		if first, again := seen[key]; ok && again {
			v.add(where, "keep one of the two", "override %s is declared twice, first as %s", key, first)
		} else if ok {
			seen[key] = string(ruleAt)
		}
		v.requiredCell(ruleAt.Key("cell"), o.Cell, fmt.Sprintf("override number %d", i+1))
	}
}

// overrideKey checks what an override is for; where is the place of its key.
func (v *validator) overrideKey(at Path, i int, o *Override) (key string, where Path, ok bool) {
	const fix = "write account: and its id, or fingerprint: and what homeward token inspect prints"
	switch {
	case o.Account == nil && o.Fingerprint == "":
		v.add(at.Key("account"), fix, "override number %d is for no account and no credential", i+1)
	case o.Account != nil && o.Fingerprint != "":
		v.add(at.Key("fingerprint"), "keep one of them, or make two overrides", "override number %d has both account and fingerprint", i+1)
	case o.Account != nil:
		return o.key(), at.Key("account"), true
	case len(o.Fingerprint) != 16 || !smallHex(o.Fingerprint):
		// The text may be a whole credential, put here by mistake: not repeated.
		v.add(at.Key("fingerprint"), "write the 16 small hex digits that homeward token inspect prints", "override number %d has no valid fingerprint", i+1)
	default:
		return o.key(), at.Key("fingerprint"), true
	}
	return "", at, false
}

// key names what the override is for.
func (o *Override) key() string {
	if o.Account != nil {
		return fmt.Sprintf("account:%d", *o.Account)
	}
	return "fingerprint:" + o.Fingerprint
}

func (v *validator) fingerprintKey() {
	if k := v.t.FingerprintKey; k != "" && (len(k) != 32 || !smallHex(k)) {
		v.add(Root.Key("fingerprint_key"), "write 32 small hex digits, as from openssl rand -hex 16",
			"the fingerprint key is not valid: it has %d characters, or others than 0-9 and a-f", len(k))
	}
}

func smallHex(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }
