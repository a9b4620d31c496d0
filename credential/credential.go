// Package credential mints and reads the credentials that carry a home cell:
// the SDK that a backend team imports to make its own keys and tokens
// routable, and the code with which the edge reads them.
//
// A credential that reads well is still an unverified claim. It says where a
// request wants to go; whether it may is for the cell that it names to judge.
//
// Reading is pure and allocates nothing; formats are immutable once made and
// safe for concurrent use. No error, String or log value of this package ever
// holds a whole credential: what stands for one is its Fingerprint.
package credential

import "github.com/homeward/homeward/cell"

// Verdict is what a format says about a text.
type Verdict uint8

// The verdicts.
const (
	Unclaimed Verdict = iota // not a credential of this format
	Malformed                // claimed by this format, and broken
	Legacy                   // of this format, from before cells
	Foreign                  // of this format, naming a cell by an id that this format's map does not have
	Home                     // of this format, naming a cell
)

var verdictWords = [...]string{
	Unclaimed: "unclaimed", Malformed: "malformed", Legacy: "legacy", Foreign: "foreign", Home: "home",
}

// String is the verdict as a small word.
func (v Verdict) String() string {
	if int(v) < len(verdictWords) {
		return verdictWords[v]
	}
	return "unknown verdict"
}

// Claim is what a format read in a text.
type Claim struct {
	Verdict    Verdict
	Cell       cell.Name    // set when the verdict is Home
	Account    cell.Account // valid when HasAccount
	HasAccount bool
	Reason     Reason // why, when the verdict is Malformed, Legacy or Foreign
}

// Format reads one format of credential.
type Format interface {
	// Read says whether text is a credential of this format and what it
	// names. It is pure and does not allocate.
	Read(text string) Claim
	// Prefix is the literal that every text claimed by this format starts
	// with, "" if it claims by shape or by parsing.
	Prefix() string
	// String describes the format for people: jwt claim "cell".
	String() string
}
