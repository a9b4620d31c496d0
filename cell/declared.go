package cell

import "errors"

// Jurisdiction says where the data of a cell may be, such as us or eu.
// Nothing ever falls back from one jurisdiction to another.
type Jurisdiction string

// State says whether a cell takes new accounts. It never changes where the
// requests of existing accounts go.
type State string

// The states of a cell.
const (
	Open     State = "open"     // takes new accounts
	Closed   State = "closed"   // keeps its accounts, takes no new ones
	Draining State = "draining" // its accounts are being moved away
)

// ErrJurisdiction says that a text is not a jurisdiction.
var ErrJurisdiction = errors.New("not a jurisdiction: 2 to 8 small letters, as in eu")

// States lists all states, for messages and schemas.
func States() []State { return []State{Open, Closed, Draining} }

// ParseJurisdiction reads a jurisdiction, `^[a-z]{2,8}$`.
func ParseJurisdiction(s string) (Jurisdiction, error) {
	if len(s) < 2 || len(s) > 8 {
		return "", ErrJurisdiction
	}
	for i := 0; i < len(s); i++ {
		if s[i] < 'a' || s[i] > 'z' {
			return "", ErrJurisdiction
		}
	}
	return Jurisdiction(s), nil
}
