package topology

import (
	"slices"
	"strings"
)

// DefaultLane is the lane of what no other lane matches. It is there even when
// it is not declared.
const DefaultLane = "default"

func (v *validator) lanes() {
	at := Root.Key("lanes")
	v.count(at, "lanes", len(v.t.Lanes), MaxRules)
	names := map[string]bool{}
	for i := range v.t.Lanes {
		l, laneAt := &v.t.Lanes[i], at.Index(i)
		switch {
		case l.Name == "":
			v.add(laneAt.Key("name"), "write name: and a word such as batch", "lane number %d has no name", i+1)
		case !laneWord(l.Name):
			v.add(laneAt.Key("name"), "write a small letter, then up to 31 small letters, digits and hyphens", "%q is not the name of a lane", clip(l.Name))
		case repeated(names, l.Name):
			v.add(laneAt.Key("name"), "give each lane its own name", "lane %q is declared twice", l.Name)
		}
		v.laneMatch(laneAt.Key("match"), l)
		if l.Priority < 0 || l.Priority > 100 {
			v.add(laneAt.Key("priority"), "write a priority from 0 to 100; higher is served first", "the priority %d is out of range", l.Priority)
		}
		if j := slices.IndexFunc(v.t.Lanes[:min(i, MaxRules)], func(e Lane) bool { return e.Match.covers(&l.Match) }); j >= 0 {
			v.add(laneAt.Key("name"), "put the narrower lane first, and default last", "lane %q is never reached: lane %q before it matches all of its requests", clip(l.Name), clip(v.t.Lanes[j].Name))
		}
	}
}

func laneWord(s string) bool {
	return s != "" && len(s) <= 32 && 'a' <= s[0] && s[0] <= 'z' &&
		strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

func (v *validator) laneMatch(at Path, l *Lane) {
	if l.Name == DefaultLane && !l.Match.empty() {
		v.add(at, "remove match, or give the lane another name", "the lane default takes what no other lane matches, so it has no match of its own")
		return
	}
	v.words(at.Key("paths"), l.Match.Paths, "a path", pathProblem)
	v.words(at.Key("methods"), l.Match.Methods, "a method", methodProblem)
	v.words(at.Key("headers"), l.Match.Headers, "a header", laneHeaderProblem)
}

// laneHeaderProblem says what keeps h from being NAME or NAME: VALUE.
func laneHeaderProblem(h string) (wrong, fix string) {
	name, value, valued := strings.Cut(h, ":")
	switch {
	case !isToken(name):
		return "is not a header", "write NAME, or NAME: VALUE"
	case valued && strings.TrimSpace(value) == "":
		return "has a colon but no value", "write " + clip(name) + " for its presence, or a value"
	case !printable(value):
		return "has a control character", "write printable characters only"
	}
	if valued && holdsCredential(name) {
		return "has a value, and a topology holds no credential", "write " + name + " for its presence"
	}
	return "", ""
}

// holdsCredential reports whether the values of a header are credentials.
func holdsCredential(header string) bool {
	return slices.ContainsFunc([]string{"Authorization", "Proxy-Authorization", "Cookie"}, func(h string) bool {
		return strings.EqualFold(h, header)
	})
}

// shown is what a message repeats of an entry of a list: of a credential that
// someone wrote into a header condition, only the header.
func shown(entry string) string {
	if name, _, valued := strings.Cut(entry, ":"); valued && holdsCredential(strings.TrimSpace(name)) {
		return name + ": ..."
	}
	return clip(entry)
}

func (m *LaneMatch) empty() bool {
	return len(m.Paths) == 0 && len(m.Methods) == 0 && len(m.Headers) == 0
}

// covers reports whether every request that matches n matches m.
func (m *LaneMatch) covers(n *LaneMatch) bool {
	return anyCovers(m.Paths, n.Paths, pathCovers) &&
		anyCovers(m.Methods, n.Methods, func(a, b string) bool { return a == b }) &&
		anyCovers(m.Headers, n.Headers, headerCovers)
}

// anyCovers reports whether each alternative of b is covered by one of a. A
// list without alternatives holds for every request.
func anyCovers(a, b []string, covers func(a, b string) bool) bool {
	if len(a) == 0 || slices.Contains(a, "/*") {
		return true
	}
	for _, y := range b {
		if !slices.ContainsFunc(a, func(x string) bool { return covers(x, y) }) {
			return false
		}
	}
	return len(b) > 0
}

// headerCovers reports whether a header condition holds wherever b does.
func headerCovers(a, b string) bool {
	aName, aValue, aValued := strings.Cut(a, ":")
	bName, bValue, bValued := strings.Cut(b, ":")
	return strings.EqualFold(aName, bName) && (!aValued || bValued && strings.TrimSpace(aValue) == strings.TrimSpace(bValue))
}
