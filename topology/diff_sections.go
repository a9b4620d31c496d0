package topology

import (
	"maps"
	"reflect"
	"slices"
	"strings"
)

func (d *differ) facade() {
	at := Path("facade")
	d.set(at.Key("hosts"), "hosts", d.all, d.old.Facade.Hosts, d.new.Facade.Hosts)
	d.scalar(at.Key("legacy_cell"), d.old.Facade.LegacyCell, d.new.Facade.LegacyCell, d.legacyScope())
}

func (d *differ) cellList() {
	key := func(c *Cell) string { return c.Name }
	d.list("cells", keyed(d.old.Cells, key, nil), keyed(d.new.Cells, key, nil), listScope{
		entry: func(_ string, e any) []string { return d.cellScope(e.(Cell).Name) },
		both: func(at Path, _ string, old, new any) {
			d.fields(at, []string{old.(Cell).Name}, reflect.ValueOf(old), reflect.ValueOf(new), "name")
		},
	})
}

func (d *differ) ruleList() {
	key := func(r *CredentialRule) string { return r.Name }
	meets := func(a, b *CredentialRule) bool {
		return slices.ContainsFunc(a.In, func(p string) bool {
			return slices.ContainsFunc(b.In, func(q string) bool { return comparablePlace(p) == comparablePlace(q) })
		})
	}
	d.list("credentials", keyed(d.old.Credentials, key, meets), keyed(d.new.Credentials, key, meets), listScope{
		entry: func(string, any) []string { return d.all },
		both: func(at Path, _ string, old, new any) {
			d.rule(at, old.(CredentialRule), new.(CredentialRule))
		},
	})
}

func (d *differ) rule(at Path, old, new CredentialRule) {
	skip := []string{"name", "legacy_cell"}
	mapped := old.GitLabRoutable != nil && new.GitLabRoutable != nil
	if mapped {
		skip = append(skip, "gitlab_routable")
	}
	d.fields(at, d.all, reflect.ValueOf(old), reflect.ValueOf(new), skip...)
	if mapped {
		d.cellMap(at.Key("gitlab_routable").Key("cells"), old, new)
	}
	d.scalar(at.Key("legacy_cell"), old.LegacyCell, new.LegacyCell, []string{d.old.legacyOf(&old), d.new.legacyOf(&new)})
}

// cellMap compares the maps of ids of two rules.
func (d *differ) cellMap(at Path, old, new CredentialRule) {
	a, b := comparableIDs(old.GitLabRoutable.Cells), comparableIDs(new.GitLabRoutable.Cells)
	for _, id := range mapKeys(reflect.ValueOf(a), reflect.ValueOf(b)) {
		scope := []string{a[id], b[id]}
		if old.inCookie() || new.inCookie() {
			scope = d.all
		}
		d.scalar(at.Key(id), a[id], b[id], scope)
	}
}

// comparableIDs is a map of ids in which equal numbers have one spelling. Ids
// that stand twice as numbers, which only a topology with errors has, stay.
func comparableIDs(cells map[string]string) map[string]string {
	out := make(map[string]string, len(cells))
	for _, id := range slices.Sorted(maps.Keys(cells)) {
		short := strings.TrimLeft(id, "0")
		if short == "" {
			short = "0"
		}
		if _, twice := cells[short]; twice || out[short] != "" {
			short = id
		}
		out[short] = cells[id]
	}
	return out
}

// peek is what a body entry declares for one of its paths.
type peek struct {
	set      requestSet
	Limit    Size       `yaml:"limit"`
	Oversize Unreadable `yaml:"oversize"`
	Encoded  Unreadable `yaml:"encoded"`
	Repeated Unreadable `yaml:"repeated"`
}

// bodyList compares path by path, so that entries may be split and joined.
func (d *differ) bodyList() {
	peeks := func(t *Topology) []item {
		var list []peek
		for _, b := range t.Bodies {
			for _, p := range b.Paths {
				list = append(list, peek{requestSet{p, b.Methods}, b.Limit, b.Oversize, b.Encoded, b.Repeated})
			}
		}
		return keyed(list, func(p *peek) string { return p.set.key() }, func(a, b *peek) bool { return a.set.meets(b.set) })
	}
	d.list("bodies", peeks(d.old), peeks(d.new), listScope{
		entry: func(string, any) []string { return d.all },
		both: func(at Path, _ string, old, new any) {
			d.fields(at, d.all, reflect.ValueOf(old), reflect.ValueOf(new))
		},
	})
}

func (d *differ) pathList() {
	set := func(r *PathRule) requestSet { return requestSet{r.Path, r.Methods} }
	key := func(r *PathRule) string { return set(r).key() }
	meets := func(a, b *PathRule) bool { return set(a).meets(set(b)) }
	scope := d.anonymousScope()
	d.list("paths", keyed(d.old.Paths, key, meets), keyed(d.new.Paths, key, meets), listScope{
		entry: func(string, any) []string { return scope },
		both: func(at Path, _ string, old, new any) {
			d.scalar(at.Key("cell"), old.(PathRule).Cell, new.(PathRule).Cell, scope)
		},
	})
}

func (d *differ) laneList() {
	key := func(l *Lane) string { return l.Name }
	// A request may meet the conditions of any two lanes.
	meets := func(*Lane, *Lane) bool { return true }
	d.list("lanes", keyed(d.old.Lanes, key, meets), keyed(d.new.Lanes, key, meets), listScope{
		entry: func(string, any) []string { return d.all },
		both: func(at Path, _ string, old, new any) {
			d.fields(at, d.all, reflect.ValueOf(old), reflect.ValueOf(new), "name")
		},
	})
}

// shadowList scopes a shadow to the cell that is copied and the cell that gets
// the copies.
func (d *differ) shadowList() {
	key := func(s *Shadow) string { return s.Name }
	scope := func(e any) []string { s := e.(Shadow); return []string{s.Of, s.Cell} }
	d.list("shadows", keyed(d.old.Shadows, key, nil), keyed(d.new.Shadows, key, nil), listScope{
		entry: func(_ string, e any) []string { return scope(e) },
		both: func(at Path, _ string, old, new any) {
			d.fields(at, slices.Concat(scope(old), scope(new)), reflect.ValueOf(old), reflect.ValueOf(new), "name")
		},
	})
}

func (d *differ) overrideList() {
	key := func(o *Override) string { return o.key() }
	d.list("overrides", keyed(d.old.Overrides, key, nil), keyed(d.new.Overrides, key, nil), listScope{
		entry: func(string, any) []string { return d.all },
		both: func(at Path, _ string, old, new any) {
			scope := []string{old.(Override).Cell, new.(Override).Cell}
			d.fields(at, scope, reflect.ValueOf(old), reflect.ValueOf(new), "account", "fingerprint")
		},
	})
}
