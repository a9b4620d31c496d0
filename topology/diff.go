package topology

import (
	"reflect"
	"slices"
	"strings"
)

// Op is what a change does.
type Op string

// The kinds of changes.
const (
	Added   Op = "added"
	Removed Op = "removed"
	Changed Op = "changed"
	Moved   Op = "moved" // to another place in an order that matters
)

// Change is one difference between two topologies.
type Change struct {
	Path string `json:"path"` // cells.eu1.share, credentials.refresh.pattern; keyed by names, not by positions
	Op   Op     `json:"op"`
	Old  string `json:"old,omitempty"` // as the file would have it; "" when added
	New  string `json:"new,omitempty"` // as the file would have it; "" when removed
	// Cells are the cells whose requests the change can touch: send elsewhere,
	// refuse or no longer refuse, or treat otherwise. A cell's requests are
	// those whose decision names it.
	Cells []string `json:"cells"`
}

// Diff tells what differs in meaning between two topologies once their defaults
// are filled in, in the order of the file. Cells, overrides, hosts, gateways,
// places and other sets are compared without regard to order, rules and lanes
// with regard to it as far as it can matter: two rules whose order is swapped
// have moved only if they meet in some request. The fingerprint key is told of,
// but not told. Diff of a topology and itself is empty.
func Diff(old, new *Topology) []Change {
	d := &differ{old: old.WithDefaults(), new: new.WithDefaults()}
	d.all = d.cellNames()
	d.topLevel("version", "mode")
	d.facade()
	d.cellList()
	d.ruleList()
	d.bodyList()
	d.pathList()
	d.laneList()
	d.shadowList()
	d.overrideList()
	d.topLevel("fingerprint_key", "status", "cors", "trusted_proxies", "proxy_protocol", "health_path", "timeouts", "limits")
	return d.changes
}

type differ struct {
	old, new *Topology
	all      []string // cells of both, in the order of the new topology
	changes  []Change
}

// add notes a change, with its scope in the order of all.
func (d *differ) add(at Path, op Op, old, new string, scope []string) {
	if at == "fingerprint_key" {
		old, new = hideText(old), hideText(new)
	}
	cells := make([]string, 0, len(scope))
	for _, c := range d.all {
		if slices.Contains(scope, c) {
			cells = append(cells, c)
		}
	}
	d.changes = append(d.changes, Change{Path: string(at), Op: op, Old: old, New: new, Cells: cells})
}

func hideText(s string) string {
	if s == "" {
		return ""
	}
	return "[redacted]"
}

// scalar compares two values that have a text; "" is none.
func (d *differ) scalar(at Path, old, new string, scope []string) {
	switch {
	case old == new:
	case old == "":
		d.add(at, Added, "", new, scope)
	case new == "":
		d.add(at, Removed, old, "", scope)
	default:
		d.add(at, Changed, old, new, scope)
	}
}

// topLevel compares keys of the file that touch all cells.
func (d *differ) topLevel(keys ...string) {
	a, b := reflect.ValueOf(*d.old), reflect.ValueOf(*d.new)
	for i := range a.NumField() {
		if key := yamlKey(a.Type().Field(i)); slices.Contains(keys, key) {
			d.value(Path(key), key, d.all, a.Field(i), b.Field(i))
		}
	}
}

// fields compares two structs key by key, but for the keys to skip and for
// fields that are not in the file.
func (d *differ) fields(at Path, scope []string, a, b reflect.Value, skip ...string) {
	for i := range a.NumField() {
		if key := yamlKey(a.Type().Field(i)); key != "" && !slices.Contains(skip, key) {
			d.value(at.Key(key), key, scope, a.Field(i), b.Field(i))
		}
	}
}

// value compares two values of one type under a key.
func (d *differ) value(at Path, key string, scope []string, a, b reflect.Value) {
	switch a.Kind() {
	case reflect.Struct:
		d.fields(at, scope, a, b)
	case reflect.Pointer:
		if a.IsNil() || b.IsNil() || a.Type().Elem().Kind() != reflect.Struct {
			d.scalar(at, valueText(a), valueText(b), scope)
			return
		}
		d.fields(at, scope, a.Elem(), b.Elem())
	case reflect.Slice:
		d.set(at, key, scope, a.Interface().([]string), b.Interface().([]string))
	case reflect.Map:
		for _, k := range mapKeys(a, b) {
			d.scalar(at.Key(k), mapText(a, k), mapText(b, k), scope)
		}
	default:
		d.scalar(at, valueText(a), valueText(b), scope)
	}
}

// set compares two lists whose order means nothing.
func (d *differ) set(at Path, key string, scope []string, a, b []string) {
	same := canonicalFor(key)
	has := func(list []string, w string) bool {
		return slices.ContainsFunc(list, func(x string) bool { return same(x) == same(w) })
	}
	for _, w := range a {
		if !has(b, w) {
			d.add(at, Removed, w, "", scope)
		}
	}
	for _, w := range b {
		if !has(a, w) {
			d.add(at, Added, "", w, scope)
		}
	}
}

// canonicalFor is the function that gives all spellings of one entry of a list
// the same text.
func canonicalFor(key string) func(string) string {
	switch key {
	case "hosts":
		return comparableHost
	case "gateways", "grpc_gateways":
		return comparableGateway
	case "trusted_proxies", "proxy_protocol":
		return comparableProxy
	case "in":
		return comparablePlace
	case "headers", "expose_headers":
		return comparableHeader
	}
	return func(s string) string { return s }
}

func comparableProxy(s string) string {
	if strings.Contains(s, "/") {
		return s
	}
	if strings.Contains(s, ":") {
		return s + "/128"
	}
	return s + "/32"
}

func comparablePlace(s string) string {
	if p, err := ParsePlace(s); err == nil {
		return p.String()
	}
	return s
}

func comparableHeader(s string) string {
	name, value, valued := strings.Cut(s, ":")
	if !valued {
		return strings.ToLower(name)
	}
	return strings.ToLower(name) + ": " + strings.TrimSpace(value)
}
