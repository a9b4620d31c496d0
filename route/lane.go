package route

import (
	"slices"
	"strings"

	"github.com/homeward/homeward/topology"
)

// defaultLane is the name of the lane of what matches no other.
const defaultLane = "default"

// laneRule is a compiled lane's match.
type laneRule struct {
	paths   []pathPattern
	methods []string
	headers []headerMatch
	lane    Index
}

// headerMatch is a header that is there, or that is there with one value.
type headerMatch struct {
	name  string // small letters
	value string
	exact bool
}

// pathRule is a compiled path rule.
type pathRule struct {
	path    pathPattern
	methods []string
	cell    Index
}

func (t *Table) compileLanes() error {
	t.lanes = []topology.Lane{{Name: defaultLane}}
	for i := range t.top.Lanes {
		l := &t.top.Lanes[i]
		lane := Index(0)
		if l.Name == defaultLane {
			t.lanes[0] = *l
		} else {
			lane = Index(len(t.lanes))
			t.lanes = append(t.lanes, *l)
		}
		m := laneRule{paths: newPathPatterns(l.Match.Paths), methods: l.Match.Methods, lane: lane}
		for _, h := range l.Match.Headers {
			name, value, exact := strings.Cut(h, ":")
			m.headers = append(m.headers, headerMatch{lowerASCII(strings.TrimSpace(name)), strings.TrimSpace(value), exact})
		}
		t.match = append(t.match, m)
	}
	return nil
}

// lane is the lane of a request with that normal path.
func (t *Table) lane(r *Request, path string) Index {
	for i := range t.match {
		m := &t.match[i]
		switch {
		case len(m.paths) > 0 && !anyPath(m.paths, path):
		case len(m.methods) > 0 && !slices.Contains(m.methods, r.Method):
		case len(m.headers) > 0 && !anyHeader(m.headers, r.Fields):
		default:
			return m.lane
		}
	}
	return 0
}

// anyHeader reports whether one of list is among fields.
func anyHeader(list []headerMatch, fields []Field) bool {
	for i := range list {
		for j := range fields {
			if equalFold(fields[j].Name, list[i].name) && (!list[i].exact || fields[j].Value == list[i].value) {
				return true
			}
		}
	}
	return false
}

// place is the path rule of an anonymous request with that normal path, None
// when there is none.
func (t *Table) place(method, path string) Index {
	for i := range t.placed {
		if p := &t.placed[i]; p.path.matches(path) && anyMethod(p.methods, method) {
			return Index(i)
		}
	}
	return None
}
