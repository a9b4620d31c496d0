package route

import (
	"github.com/homeward/homeward/cell"
	"github.com/homeward/homeward/credential"
)

// rank orders what credentials say: of several, the highest settles.
type rank uint8

const (
	unclaimed rank = iota + 1 // no rule claims it
	predates                  // a rule claims it, and it names no cell
	named                     // it names a cell of the topology, by itself or by an override
	unknown                   // it names a cell that is not there
	broken                    // a rule claims it, and it is malformed
)

// finding is one credential that was found, read and looked up.
type finding struct {
	name        cell.Name // that the credential itself names
	account     cell.Account
	fingerprint credential.Fingerprint
	epoch       uint64 // of the override applied
	source      uint16
	rule        Index
	cell        Index // of named; of predates the rule's own legacy cell
	rank        rank
	verdict     credential.Verdict
	detail      credential.Reason
	hasAccount  bool
	overridden  bool
}

// foreign reports whether the cell is named by an id that is not mapped.
func (x *finding) foreign() bool { return x.verdict == credential.Foreign }

// findings folds the explicit credentials of one request. It lives in the
// request, so that only the tally is cleared for each decision.
type findings struct {
	// Of the slots one is the top, the first of the highest rank, and one is
	// the first that names a cell, in the topology or not. They may be the
	// same, so one slot is always free to read the next credential into:
	// findings are filled in place, because copying them is what costs.
	slots [3]finding
	tally
}

// tally is what findings count; its zero value is a request without
// credentials, whatever the slots hold.
type tally struct {
	count int   // explicit credentials
	top   uint8 // slot + 1; 0: none
	first uint8 // slot + 1; 0: none
	clash bool  // other names another cell than first
	other uint16
	old   struct { // of credentials that predate cells
		seen  bool
		cell  Index // legacy cell for the first's rule
		clash bool  // other's rule has another
		other uint16
	}

	repeat       Reason // why the request has two readings; 0
	repeatSource uint16
	repeatPrint  credential.Fingerprint
	body         Reason // why the body could not be looked into; 0

	authorization bool      // one was there
	cookie        bool      // a Cookie header is there
	seen          [4]uint64 // sources whose name was there, by bit
}

// rank is the highest rank found, 0 for none.
func (f *findings) rank() rank {
	if f.top == 0 {
		return 0
	}
	return f.slots[f.top-1].rank
}

// saw notes that the name of a source was there and reports whether it was before.
func (f *findings) saw(source uint16) bool {
	word, bit := &f.seen[source>>6], uint64(1)<<(source&63)
	before := *word&bit != 0
	*word |= bit
	return before
}

// twice notes that origins may take different texts for the credential.
func (t *Table) twice(f *findings, why Reason, source uint16, text string) {
	if f.repeat != 0 {
		return
	}
	f.repeat, f.repeatSource = why, source
	if text != "" {
		f.repeatPrint = t.key.Fingerprint(text)
	}
}

// add reads an explicit credential and folds it in.
func (t *Table) add(f *findings, source uint16, text string) {
	f.count++
	slot := uint8(1)
	for slot == f.top || slot == f.first {
		slot++
	}
	x := &f.slots[slot-1]
	t.read(x, source, text)
	switch x.rank {
	case named, unknown:
		if f.first == 0 {
			f.first = slot
		} else {
			f.name(slot)
		}
	case predates:
		f.predate(source, t.legacyOf(x))
	}
	if x.rank > f.rank() {
		f.top = slot
	}
}

// name folds in that one more credential, in the slot, names a cell.
func (f *findings) name(slot uint8) {
	x, first := &f.slots[slot-1], &f.slots[f.first-1]
	switch {
	case first.foreign() && x.rank == unknown && first.rank == unknown:
		f.first = slot // the more exact of two that do not disagree
	case !f.clash && disagree(first, x):
		f.clash, f.other = true, x.source
	}
}

// predate folds in that a rule with that legacy cell claims a credential.
func (f *findings) predate(source uint16, cell Index) {
	switch {
	case !f.old.seen:
		f.old.seen, f.old.cell = true, cell
	case cell != f.old.cell && !f.old.clash:
		f.old.clash, f.old.other = true, source
	}
}

// legacyOf is the legacy cell for a credential that predates cells.
func (t *Table) legacyOf(x *finding) Index {
	if x.cell != None {
		return x.cell
	}
	return t.legacy
}

// disagree reports whether a and b, each of which names a cell, surely name
// different ones. An id that is not mapped may mean any cell that is not in
// the topology.
func disagree(a, b *finding) bool {
	switch {
	case a.rank == named && b.rank == named:
		return a.cell != b.cell
	case a.rank == named || b.rank == named:
		return true
	}
	return !a.foreign() && !b.foreign() && a.name != b.name
}

// read asks the rules of the source, then the overrides, then the cells, and
// fills in x.
func (t *Table) read(x *finding, source uint16, text string) {
	r := t.sources[source].rules.claim(text, x)
	x.source, x.rule, x.cell = source, None, None
	x.epoch, x.overridden = 0, false
	x.fingerprint = t.key.Fingerprint(text)
	if r != nil {
		x.rule = r.index
	}
	if t.moved && t.override(x) {
		return
	}
	switch x.verdict {
	case credential.Home:
		x.rank, x.cell = named, t.CellIndex(x.name)
		if x.cell == None {
			x.rank = unknown
		}
	case credential.Foreign:
		x.rank = unknown
	case credential.Malformed:
		x.rank = broken
	case credential.Legacy:
		x.rank, x.cell = predates, r.legacy
	default:
		x.rank = unclaimed
	}
}

// override asks the override table with the account, then with the
// fingerprint, and applies what it says.
func (t *Table) override(x *finding) bool {
	m, ok := move{}, false
	if x.hasAccount {
		m, ok = t.accounts.find(uint64(x.account))
	}
	if !ok {
		m, ok = t.fingerprints.find(uint64(x.fingerprint))
	}
	if ok {
		x.rank, x.cell, x.epoch, x.overridden = named, m.cell, m.epoch, true
	}
	return ok
}
