package route

import (
	"github.com/homeward/homeward/cell"
	"github.com/homeward/homeward/credential"
	"github.com/homeward/homeward/topology"
)

// Table is a compiled topology. It never changes, so that any number of
// goroutines may decide with it at once; a new topology is a new Table.
type Table struct {
	top     *topology.Topology
	observe bool
	legacy  Index
	key     credential.FingerprintKey

	hosts    hostIndex
	cells    []cellEntry
	cellKeys keyIndex // by cell.Name.Key

	rules   []rule
	anyRule ruleSet  // every rule, those of protobuf last
	sources []source // the places; the first are the fixed ones of Authorization
	// wanted has the lengths of all header names that gathering looks at.
	wanted  lengths
	headers names
	cookies names
	query   names
	form    names
	json    names
	paths   []pathTemplate
	bodies  []bodyRule
	looked  lengths // of the methods of bodies

	moved        bool // there are overrides
	accounts     moves
	fingerprints moves

	placed []pathRule
	lanes  []topology.Lane // lane 0 is default
	match  []laneRule      // in declared order
}

type cellEntry struct {
	name  cell.Name
	share uint64 // in hundredths of a percent, 0 to fullShare
}

// fullShare is a share of 100%.
const fullShare = 10000

// source is one place where a credential may stand, with its rules.
type source struct {
	place topology.Place
	rules ruleSet
}

// The sources that every table has, with or without rules.
const (
	bearerSource uint16 = iota
	usernameSource
	passwordSource
	authorizationSource // an Authorization header that is none of the above; never has rules
	fixedSources

	noSource = ^uint16(0)
)

// moves is one half of the override table.
type moves struct {
	keys keyIndex
	to   []move
}

type move struct {
	cell  Index
	epoch uint64
}

func (m *moves) find(key uint64) (move, bool) {
	i := m.keys.find(key)
	if i < 0 {
		return move{}, false
	}
	return m.to[i], true
}

// Topology is what the table was compiled from, with its defaults filled in.
// It must not be changed.
func (t *Table) Topology() *topology.Topology { return t.top }

// Mode says whether the edge only reports or routes.
func (t *Table) Mode() topology.Mode { return t.top.Mode }

// LegacyCell is the legacy cell of the facade.
func (t *Table) LegacyCell() Index { return t.legacy }

// Cells are the cells in declared order, so that Cell(i) is the i-th of them.
// They must not be changed.
func (t *Table) Cells() []topology.Cell { return t.top.Cells }

// Cell is the cell at i, nil for None.
func (t *Table) Cell(i Index) *topology.Cell { return at(t.top.Cells, i) }

// CellIndex is the index of the cell with that name, None when there is none.
func (t *Table) CellIndex(n cell.Name) Index { return Index(t.cellKeys.find(n.Key())) }

// Lanes are the lanes by index: first default, then the others in declared
// order. They must not be changed.
func (t *Table) Lanes() []topology.Lane { return t.lanes }

// Lane is the lane at i, nil for None.
func (t *Table) Lane(i Index) *topology.Lane { return at(t.lanes, i) }

// Rule is the credential rule at i, nil for None.
func (t *Table) Rule(i Index) *topology.CredentialRule { return at(t.top.Credentials, i) }

// PathRule is the path rule at i, nil for None.
func (t *Table) PathRule(i Index) *topology.PathRule { return at(t.top.Paths, i) }

func at[T any](list []T, i Index) *T {
	if i < 0 || int(i) >= len(list) {
		return nil
	}
	return &list[i]
}

// HostKind says what a Host header or :authority is to the topology, and for a
// cell host which cell's it is. Case, a port and one trailing dot make no
// difference. An IPv6 address stands in brackets.
func (t *Table) HostKind(host string) (HostKind, Index) {
	name, ok := host, true
	if !endsInLetter(host) {
		name, ok = hostName(host)
	}
	if s := t.hosts.find(name); ok && s != nil {
		return s.kind, s.cell
	}
	return OtherHost, None
}

// Fingerprint is the fingerprint of a credential under the topology's key.
func (t *Table) Fingerprint(text string) credential.Fingerprint { return t.key.Fingerprint(text) }
