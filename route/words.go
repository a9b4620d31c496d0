package route

import "strconv"

var outcomeWords = [...]string{
	Home: "home", Legacy: "legacy", Anonymous: "anonymous", Malformed: "malformed",
	UnknownCell: "unknown-cell", Conflict: "conflict", Misrouted: "misrouted",
	UnknownHost: "unknown-host", TooLarge: "too-large", Encoded: "unsupported-encoding",
}

// String is the word that logs, metrics and problem replies use for the
// outcome: home, unknown-cell.
func (o Outcome) String() string {
	if int(o) < len(outcomeWords) && o != 0 {
		return outcomeWords[o]
	}
	return "outcome " + strconv.Itoa(int(o))
}

// Refusal reports whether a topology that routes refuses requests of this
// outcome. One that observes sends them on all the same.
func (o Outcome) Refusal() bool { return o >= Malformed && o <= Encoded }

// reasonWords holds for each reason its code and its clause.
var reasonWords = [...]struct{ code, clause string }{
	ByCredential:          {"credential", "the credential names the cell"},
	ByOverride:            {"override", "an override names the cell"},
	ByCellHost:            {"cell-host", "the host is the cell's own"},
	ByPath:                {"path", "a path rule names the cell"},
	ByRuleLegacy:          {"rule-legacy", "the credential names no cell and its rule has a legacy cell"},
	ByLegacy:              {"legacy", "nothing names a cell, so the legacy cell serves it"},
	RepeatedAuthorization: {"repeated-authorization", "there is more than one Authorization header"},
	RepeatedCredential:    {"repeated-credential", "a header, parameter or field for a credential stands there twice"},
	TwoReadings:           {"two-readings", "origins may read the request in two ways"},
	TwoCells:              {"two-cells", "two credentials name two cells"},
	BrokenCredential:      {"broken-credential", "the credential is broken"},
	CellNotDeclared:       {"cell-not-declared", "the credential names a cell that is not in the topology"},
	CellIDNotMapped:       {"cell-id-not-mapped", "the credential names a cell by an id that its rule does not map"},
	OtherCellHost:         {"other-cell-host", "the credential names another cell than the host"},
	HostNotDeclared:       {"host-not-declared", "the host is neither the facade's nor a cell's"},
	BodyOverLimit:         {"body-over-limit", "the body may hold a credential and is over the limit for looking into it"},
	BodyEncoded:           {"body-encoded", "the body may hold a credential and has a Content-Encoding"},
}

// String is a short clause for people: the credential names the cell.
func (r Reason) String() string {
	if int(r) < len(reasonWords) && r != 0 {
		return reasonWords[r].clause
	}
	return "no reason"
}

// Code is the stable word for machines, "" for the zero Reason: cell-host.
func (r Reason) Code() string {
	if int(r) < len(reasonWords) {
		return reasonWords[r].code
	}
	return ""
}

// HostKind says what a host is to a topology.
type HostKind uint8

// The kinds of hosts.
const (
	OtherHost  HostKind = iota // not in the topology
	FacadeHost                 // one of the facade's
	CellHost                   // a cell's own
)

// String is the kind for people: facade host.
func (k HostKind) String() string {
	switch k {
	case FacadeHost:
		return "facade host"
	case CellHost:
		return "cell host"
	}
	return "unknown host"
}
