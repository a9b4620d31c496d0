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
	detail      credential.Reason
	hasAccount  bool
	overridden  bool
	foreign     bool // of unknown: named by an id that is not mapped
}

// findings folds the explicit credentials of one request.
type findings struct {
	count  int     // explicit credentials
	top    finding // the first of the highest rank
	first  finding // the first that names a cell, in the topology or not
	other  uint16  // source of the credential that disagrees with it
	clash  bool    // other is set
	legacy struct {
		cell  Index // rules' legacy cell of the first that predates cells
		seen  bool
		other uint16 // source of the one whose rule has another
		clash bool
	}

	repeat       Reason // why the request has two readings; 0
	repeatSource uint16
	repeatPrint  credential.Fingerprint
	body         Reason // why the body could not be looked into; 0

	authorization bool      // one was there
	cookie        bool      // a Cookie header is there
	seen          [4]uint64 // sources whose name was there, by bit
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
	x := t.read(source, text)
	switch x.rank {
	case named, unknown:
		switch {
		case f.first.rank == 0, f.first.foreign && x.rank == unknown:
			f.first = x
		case !f.clash && disagree(&f.first, &x):
			f.clash, f.other = true, source
		}
	case predates:
		at := x.cell
		if at == None {
			at = t.legacy
		}
		switch {
		case !f.legacy.seen:
			f.legacy.seen, f.legacy.cell = true, at
		case at != f.legacy.cell && !f.legacy.clash:
			f.legacy.clash, f.legacy.other = true, source
		}
	}
	if x.rank > f.top.rank {
		f.top = x
	}
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
	return !a.foreign && !b.foreign && a.name != b.name
}

// read asks the rules of the source, then the overrides, then the cells.
func (t *Table) read(source uint16, text string) finding {
	r, c := t.sources[source].rules.claim(text)
	x := finding{
		name: c.Cell, account: c.Account, hasAccount: c.HasAccount, detail: c.Reason,
		fingerprint: t.key.Fingerprint(text), source: source, rule: None, cell: None,
	}
	if r != nil {
		x.rule = r.index
	}
	if c.Verdict != credential.Malformed {
		if m, ok := t.override(&x); ok {
			x.rank, x.cell, x.epoch, x.overridden = named, m.cell, m.epoch, true
			return x
		}
	}
	switch c.Verdict {
	case credential.Home:
		x.rank, x.cell = named, t.CellIndex(c.Cell)
		if x.cell == None {
			x.rank = unknown
		}
	case credential.Foreign:
		x.rank, x.foreign = unknown, true
	case credential.Malformed:
		x.rank = broken
	case credential.Legacy:
		x.rank, x.cell = predates, r.legacy
	default:
		x.rank = unclaimed
	}
	return x
}

// override asks the override table with the account, then with the fingerprint.
func (t *Table) override(x *finding) (move, bool) {
	if x.hasAccount {
		if m, ok := t.accounts.find(uint64(x.account)); ok {
			return m, true
		}
	}
	return t.fingerprints.find(uint64(x.fingerprint))
}
