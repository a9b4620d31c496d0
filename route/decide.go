package route

import "github.com/homeward/homeward/credential"

// Decide says where a request goes. It is pure: equal requests get equal
// decisions, whatever r was used for before. It allocates only to grow r's
// scratch and to decode escapes in JSON bodies.
//
// For a request that Peek asks for, r.Body and r.BodyState say what was read;
// while the body is unread it is taken to hold no credential.
func (t *Table) Decide(r *Request) (d Decision) {
	r.scratch = r.scratch[:0]
	d.Cell, d.Rule, d.Path = None, None, None
	path, query := r.normalPath()
	d.Lane = t.lane(r, path)
	kind, host := t.HostKind(r.Host)
	if kind == OtherHost {
		d.Outcome, d.Reason = UnknownHost, HostNotDeclared
	} else {
		f := &r.found
		f.tally = tally{}
		t.gather(r, path, query, f)
		if f.repeat == 0 && t.looked.has(len(r.Method)) {
			t.gatherBody(r, path, f)
		}
		t.settle(r, path, host, f, &d)
	}
	d.Send = t.send(&d, host)
	return d
}

// settle makes the decision of what was found. host is the cell whose host was
// asked, None on the facade.
func (t *Table) settle(r *Request, path string, host Index, f *findings, d *Decision) {
	switch {
	case f.repeat != 0:
		d.Outcome, d.Reason, d.Fingerprint = Conflict, f.repeat, f.repeatPrint
		if f.repeatSource != noSource {
			d.Place = t.sources[f.repeatSource].place
		}
	case f.body != 0:
		d.Outcome, d.Reason = TooLarge, f.body
		if f.body == BodyEncoded {
			d.Outcome = Encoded
		}
	case f.count == 0:
		if x := &f.slots[0]; f.cookie && t.cookie(r, host, x) {
			t.home(x, host, d)
			return
		}
		t.anonymous(r, path, host, d)
	case f.rank() == broken:
		t.report(&f.slots[f.top-1], d)
		d.Outcome, d.Reason = Malformed, BrokenCredential
	case f.clash:
		t.report(&f.slots[f.first-1], d)
		d.Outcome, d.Reason, d.Other = Conflict, TwoCells, t.sources[f.other].place
	case f.rank() == unknown:
		x := &f.slots[f.top-1]
		t.report(x, d)
		d.Outcome, d.Reason = UnknownCell, CellNotDeclared
		if x.foreign() {
			d.Reason = CellIDNotMapped
		}
	case f.rank() == named:
		t.home(&f.slots[f.top-1], host, d)
	default:
		t.predating(f, host, d)
	}
}

// report copies what a credential says into the decision.
func (t *Table) report(x *finding, d *Decision) {
	d.Rule, d.Place = x.rule, t.sources[x.source].place
	d.Named, d.Account, d.HasAccount = x.name, x.account, x.hasAccount
	d.Epoch, d.Fingerprint, d.Detail = x.epoch, x.fingerprint, x.detail
}

// home settles on a credential that names a cell of the topology.
func (t *Table) home(x *finding, host Index, d *Decision) {
	t.report(x, d)
	if host != None && x.cell != host {
		d.Outcome, d.Reason = Misrouted, OtherCellHost
		return
	}
	d.Outcome, d.Reason, d.Cell = Home, ByCredential, x.cell
	switch {
	case host != None:
		d.Reason = ByCellHost
	case x.overridden:
		d.Reason = ByOverride
	}
}

// predating settles on credentials that name no cell.
func (t *Table) predating(f *findings, host Index, d *Decision) {
	x := &f.slots[f.top-1]
	t.report(x, d)
	d.Outcome = Legacy
	switch {
	case host != None:
		d.Reason, d.Cell = ByCellHost, host
	case f.old.clash:
		d.Outcome, d.Reason, d.Other = Conflict, TwoCells, t.sources[f.old.other].place
	case x.cell != None:
		d.Reason, d.Cell = ByRuleLegacy, x.cell
	default:
		d.Reason, d.Cell = ByLegacy, t.legacy
	}
}

// anonymous settles on no credential.
func (t *Table) anonymous(r *Request, path string, host Index, d *Decision) {
	d.Outcome = Anonymous
	if host != None {
		d.Reason, d.Cell = ByCellHost, host
		return
	}
	if i := t.place(r.Method, path); i != None {
		d.Reason, d.Path, d.Cell = ByPath, i, t.placed[i].cell
		return
	}
	d.Reason, d.Cell = ByLegacy, t.legacy
}

// send is the cell that the request is to be sent to, None to refuse it.
//
// What comes to a cell host never leaves that cell. On other hosts a topology
// that observes sends all to the legacy cell, and a share below 100% sends
// there what it leaves out.
func (t *Table) send(d *Decision, host Index) Index {
	switch {
	case d.Outcome.Refusal() && !t.observe:
		return None
	case host != None:
		return host
	case t.observe:
		return t.legacy
	}
	switch d.Reason {
	case ByCredential, ByOverride:
		if !t.inShare(d.Cell, d.Fingerprint) {
			return t.legacy
		}
	case ByPath:
		if t.cells[d.Cell].share < fullShare {
			return t.legacy
		}
	}
	return d.Cell
}

// inShare reports whether a credential belongs to the share of the cell. As
// the share grows, credentials only join.
func (t *Table) inShare(c Index, fp credential.Fingerprint) bool {
	share := t.cells[c].share
	return share == fullShare || mix(uint64(fp))%fullShare < share
}

// mix is the finalizer of SplitMix64 (Steele, Lea and Flood, 2014). It makes
// the share independent of whatever else is chosen by fingerprint.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xBF58476D1CE4E5B9
	x ^= x >> 27
	x *= 0x94D049BB133111EB
	return x ^ x>>31
}
