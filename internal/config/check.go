package config

import (
	"strings"

	"github.com/homeward/homeward/topology"
)

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

func (d *decoder) brokenAbove(at topology.Path) bool {
	for ; at != topology.Root; at = parent(at) {
		if d.broken[at] {
			return true
		}
	}
	return d.broken[topology.Root]
}

func (d *decoder) placeOf(at topology.Path) place {
	for ; at != topology.Root; at = parent(at) {
		if p, ok := d.places[at]; ok {
			return p
		}
	}
	return d.places[topology.Root]
}

func parent(at topology.Path) topology.Path {
	i := strings.LastIndexAny(string(at), ".[")
	if i <= 0 {
		return topology.Root
	}
	return at[:i]
}

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
