package config

import (
	"strings"

	"github.com/homeward/homeward/topology"
)

// check adds what the topology itself finds wrong, at the places of its values.
func (d *decoder) check(t *topology.Topology) {
	if d.broken[topology.Root] {
		return
	}
	for _, p := range t.Validate() {
		at := topology.Path(p.Path)
		if !d.brokenAbove(at) {
			d.report(at, d.placeOf(at), p.Message, p.Fix)
		}
	}
}

// brokenAbove reports whether the value at a path, or one that it is part of,
// could not be read: what is missing then is no further error.
func (d *decoder) brokenAbove(at topology.Path) bool {
	for ; at != topology.Root; at = parent(at) {
		if d.broken[at] {
			return true
		}
	}
	return d.broken[topology.Root]
}

// placeOf is the place of a value, or of the mapping in which it is missing.
func (d *decoder) placeOf(at topology.Path) place {
	for ; at != topology.Root; at = parent(at) {
		if p, ok := d.places[at]; ok {
			return p
		}
	}
	return d.places[topology.Root]
}

// parent is the path of the mapping or list that a value is part of. Quoted keys
// may hold what looks like a step; their prefixes are then no paths, and do no harm.
func parent(at topology.Path) topology.Path {
	i := strings.LastIndexAny(string(at), ".[")
	if i <= 0 {
		return topology.Root
	}
	return at[:i]
}

// err is everything that was found, nil if nothing was.
func (d *decoder) err() error {
	if len(d.diags) == 0 {
		return nil
	}
	list := sorted(d.diags)
	for i := range list {
		list[i].Excerpt = d.src.excerpt(list[i].Line)
	}
	return &Error{list}
}
