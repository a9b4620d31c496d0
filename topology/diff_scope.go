package topology

import "slices"

// The scope of a change is an upper bound that can be proved, as narrow as the
// proof allows:
//
//   - A field of a cell is only looked at for requests that the cell's host or a
//     decision for the cell leads to it.
//   - A cell that comes or goes turns its own requests from unknown-cell to home
//     or back, and no others. But where a cookie may name a cell, the first cookie
//     that names a declared one counts, so that a further declared cell can take
//     any cell's requests.
//   - The facade's legacy cell is named by legacy and anonymous decisions only,
//     and receives what the share of other cells leaves out, or everything while
//     the topology observes.
//   - A rule's own legacy cell is named by that rule's credentials only. Should
//     it make two legacy credentials conflict, or end that, one of the two cells
//     is the old or the new one.
//   - An id in a gitlab_routable map is read by that rule only, with the same
//     reservation for cookies.
//   - Path rules see anonymous requests only, which go to the cell of another
//     path rule or to the facade's legacy cell.
//   - An override that changes its cell moves requests between the two. One that
//     is added or removed moves them from or to the cell that the credential
//     names, and the topology does not tell which that is.
//   - Everything else can touch every cell.

// cellNames lists the cells of both topologies, the new ones first.
func (d *differ) cellNames() []string {
	var names []string
	for _, t := range []*Topology{d.new, d.old} {
		for i := range t.Cells {
			if n := t.Cells[i].Name; n != "" && !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
	}
	return names
}

// cellScope is the scope of a cell that comes or goes.
func (d *differ) cellScope(name string) []string {
	for _, t := range []*Topology{d.old, d.new} {
		for i := range t.Credentials {
			if t.Credentials[i].inCookie() {
				return d.all
			}
		}
	}
	return []string{name}
}

func (r *CredentialRule) inCookie() bool {
	return slices.ContainsFunc(r.In, func(s string) bool {
		p, err := ParsePlace(s)
		return err != nil || p.Kind == CookiePlace
	})
}

// legacyScope is the scope of another legacy cell of the facade.
func (d *differ) legacyScope() []string {
	if d.old.Mode == Observe || d.new.Mode == Observe {
		return d.all
	}
	scope := []string{d.old.Facade.LegacyCell, d.new.Facade.LegacyCell}
	for _, t := range []*Topology{d.old, d.new} {
		for i := range t.Cells {
			if c := &t.Cells[i]; *c.Share < 100 {
				scope = append(scope, c.Name)
			}
		}
	}
	return scope
}

// anonymousScope is the cells that anonymous requests may go to.
func (d *differ) anonymousScope() []string {
	scope := []string{d.old.Facade.LegacyCell, d.new.Facade.LegacyCell}
	for _, t := range []*Topology{d.old, d.new} {
		for i := range t.Paths {
			scope = append(scope, t.Paths[i].Cell)
		}
	}
	return scope
}

// legacyOf is the legacy cell that a rule's credentials have in a topology.
func (t *Topology) legacyOf(r *CredentialRule) string {
	if r.LegacyCell != "" {
		return r.LegacyCell
	}
	return t.Facade.LegacyCell
}
