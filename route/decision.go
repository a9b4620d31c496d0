package route

import (
	"github.com/homeward/homeward/cell"
	"github.com/homeward/homeward/credential"
	"github.com/homeward/homeward/topology"
)

// Outcome is the kind of a decision.
type Outcome uint8

// The outcomes. Those from Malformed on are refused at the edge when the
// topology routes; nothing is guessed for them.
const (
	Home        Outcome = iota + 1 // the credential names a cell of the topology
	Legacy                         // a credential that predates cells, or that no rule claims
	Anonymous                      // no credential
	Malformed                      // a rule claims the credential and it is broken
	UnknownCell                    // well-formed, names a cell that is not there
	Conflict                       // two readings: credentials that name two cells, or one repeated
	Misrouted                      // on a cell host, a credential that names another cell
	UnknownHost                    // a host that is neither facade nor cell host
	TooLarge                       // a body to look into is over the peek limit
	Encoded                        // a body to look into has a Content-Encoding
)

// Index of something in a Table; None says there is none.
type Index int16

// None is the index of nothing.
const None Index = -1

// Reason says which step settled the decision.
type Reason uint8

// The reasons.
const (
	ByCredential          Reason = iota + 1 // the credential names the cell
	ByOverride                              // the override table names another cell for it
	ByCellHost                              // the host is a cell's own
	ByPath                                  // a path rule names the cell
	ByRuleLegacy                            // the rule's own legacy cell
	ByLegacy                                // the facade's legacy cell
	RepeatedAuthorization                   // two Authorization headers
	RepeatedCredential                      // a credential header, parameter or field stands twice
	TwoReadings                             // a parameter that origins may split in two ways
	TwoCells                                // two credentials name two cells
	BrokenCredential                        // see Decision.Detail
	CellNotDeclared                         // the cell is not in the topology
	CellIDNotMapped                         // the format's map does not have the id
	OtherCellHost                           // the host is another cell's
	HostNotDeclared                         // the host is not in the topology
	BodyOverLimit                           // the body is longer than the peek limit
	BodyEncoded                             // the body has a Content-Encoding
)

// Decision is the answer for one request. It is a plain value; it never holds
// a credential, only its fingerprint.
type Decision struct {
	Outcome Outcome
	Reason  Reason

	// Cell is the cell that the decision names; None when it is refused.
	Cell Index
	// Send is the cell that the request is to be sent to: Cell, or the legacy
	// cell while the topology observes or the share of Cell leaves this
	// credential out. None when the request is to be refused.
	Send Index

	Lane Index
	Rule Index // credential rule that claimed; None
	Path Index // path rule that placed an anonymous request; None

	HasAccount bool              // Account is valid
	Detail     credential.Reason // why the credential is broken or legacy

	Place topology.Place // where the credential stood that settled it; zero when none did
	Other topology.Place // of TwoCells, where the credential stood that disagrees; else zero

	// Named is the cell that the credential names, for messages; zero when it names none.
	Named       cell.Name
	Account     cell.Account
	Epoch       uint64                 // of the override that was applied; 0
	Fingerprint credential.Fingerprint // of the credential; 0 when there is none
}

// Refused reports whether the edge answers the request itself, with an error.
func (d *Decision) Refused() bool { return d.Send == None }
