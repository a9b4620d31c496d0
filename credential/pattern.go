package credential

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/homeward/homeward/cell"
)

// Pattern reads credentials that are made of literals and fields:
//
//	{cell}      the name of a cell, small letters then digits
//	{account}   a decimal number of 64 bits without leading zero
//	{uuid}      8-4-4-4-12 hex digits, small or capital
//	{hex:N}     N hex digits, small or capital
//	{base62:N}  N digits, capitals and small letters
//	{rest}      one or more bytes from 0x21 to 0x7E, only at the end
//
// A pattern that starts with a literal claims every text that starts with it;
// what does not fit after that is Malformed. A pattern that starts with a field
// claims only what fits it whole. A pattern without {cell} describes
// credentials from before cells: what fits it is Legacy.
//
// A text is matched in one pass without going back.
type Pattern struct {
	source string
	prefix string // the literal at the start
	parts  []part // what follows it

	cells, accounts bool // has {cell}, {account}
}

var _ Format = (*Pattern)(nil)

// partKind is a kind of part of a pattern.
type partKind uint8

const (
	literalPart partKind = iota
	cellPart
	accountPart
	uuidPart
	hexPart
	base62Part
	restPart
)

// part is a literal or a field of a pattern.
type part struct {
	kind partKind
	text string // of a literal
	n    int    // characters, of hexPart and base62Part
}

// Read matches text against the pattern.
func (p *Pattern) Read(text string) Claim {
	if !startsWith(text, p.prefix) {
		return Claim{}
	}
	name, account, reason := p.match(text[len(p.prefix):])
	switch {
	case reason != 0 && p.prefix == "":
		return Claim{}
	case reason != 0:
		return malformed(reason)
	case !p.cells:
		return Claim{Verdict: Legacy, Account: account, HasAccount: p.accounts, Reason: NoCell}
	}
	return Claim{Verdict: Home, Cell: name, Account: account, HasAccount: p.accounts}
}

// match reads what follows the prefix; a Reason other than 0 says that it does
// not fit.
func (p *Pattern) match(s string) (name cell.Name, account cell.Account, why Reason) {
	for i := range p.parts {
		f := &p.parts[i]
		n, bad := 0, BadShape
		switch f.kind {
		case literalPart:
			if startsWith(s, f.text) {
				n = len(f.text)
			}
		case cellPart:
			name, n = cell.ScanName(s)
			bad = BadCell
		case accountPart:
			account, n = scanAccount(s)
			bad = BadAccount
		case uuidPart:
			n = scanUUID(s)
		case hexPart:
			n = scanHex(s, f.n)
		case base62Part:
			if len(s) >= f.n && isBase62(s[:f.n]) {
				n = f.n
			}
		case restPart:
			if isVisible(s) {
				n = len(s)
			}
		}
		if n == 0 {
			return name, account, bad
		}
		s = s[n:]
	}
	if s != "" {
		return name, account, BadShape
	}
	return name, account, 0
}

// startsWith is strings.HasPrefix for literals of a few bytes, for which the
// call of a comparison costs more than comparing.
func startsWith(s, literal string) bool {
	if len(s) < len(literal) {
		return false
	}
	for i := 0; i < len(literal); i++ {
		if s[i] != literal[i] {
			return false
		}
	}
	return true
}

// scanAccount reads the digits at the start of s; 0 characters say that they
// are not an account id.
func scanAccount(s string) (cell.Account, int) {
	var a uint64
	n := 0
	for n < len(s) && isDigit(s[n]) {
		d := uint64(s[n] - '0')
		if a > (math.MaxUint64-d)/10 || n == 1 && s[0] == '0' {
			return 0, 0
		}
		a = a*10 + d
		n++
	}
	return cell.Account(a), n
}

// Prefix is the literal at the start of the pattern, "" if a field is there.
func (p *Pattern) Prefix() string { return p.prefix }

// String describes the format: pattern "pat-{cell}-{uuid}".
func (p *Pattern) String() string { return "pattern " + strconv.Quote(p.source) }

// ErrFields says that a pattern and the Fields to fill it with do not agree.
var ErrFields = errors.New("the fields given are not the fields of the pattern")

// Fields are what a new credential of a pattern says. All other fields of the
// pattern are random.
type Fields struct {
	Cell    cell.Name    // for {cell}; zero exactly when the pattern has none
	Account cell.Account // for {account}; 0 when the pattern has none
	Rest    string       // for {rest}; "" exactly when the pattern has none
}

// Mint makes a new credential. A nil random means crypto/rand; anything else is
// for tests. The error wraps ErrNeedsCell or ErrFields, or says that random
// failed.
func (p *Pattern) Mint(random io.Reader, f Fields) (string, error) {
	if err := p.check(f); err != nil {
		return "", fmt.Errorf("mint a credential of %v: %w", p, err)
	}
	src := newSource(random)
	out := []byte(p.prefix)
	var err error
	for i := range p.parts {
		switch part := &p.parts[i]; part.kind {
		case literalPart:
			out = append(out, part.text...)
		case cellPart:
			out = append(out, f.Cell.String()...)
		case accountPart:
			out = append(out, f.Account.String()...)
		case uuidPart:
			out, err = src.appendUUID(out)
		case hexPart:
			out, err = src.appendHex(out, part.n)
		case base62Part:
			out, err = src.appendBase62(out, part.n)
		case restPart:
			out = append(out, f.Rest...)
		}
		if err != nil {
			return "", fmt.Errorf("mint a credential of %v: %w", p, err)
		}
	}
	return string(out), nil
}

// check holds the fields against those of the pattern.
func (p *Pattern) check(f Fields) error {
	switch {
	case p.cells && f.Cell.IsZero():
		return ErrNeedsCell
	case !p.cells && !f.Cell.IsZero():
		return fmt.Errorf("it has no {cell} to write %v into: %w", f.Cell, ErrFields)
	case !p.has(accountPart) && f.Account != 0:
		return fmt.Errorf("it has no {account}: %w", ErrFields)
	case p.has(restPart) && (f.Rest == "" || !isVisible(f.Rest)):
		return fmt.Errorf("fill {rest} with one or more bytes from 0x21 to 0x7E: %w", ErrFields)
	case !p.has(restPart) && f.Rest != "":
		return fmt.Errorf("it has no {rest}: %w", ErrFields)
	}
	return nil
}

func (p *Pattern) has(k partKind) bool {
	for i := range p.parts {
		if p.parts[i].kind == k {
			return true
		}
	}
	return false
}
