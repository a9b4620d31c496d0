package credential

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Bounds of a pattern, in characters. They keep reading and comparing cheap;
// real credentials stay far below.
const (
	maxPattern = 512
	maxRandom  = 256 // N of {hex:N} and {base62:N}
)

// ErrPattern says that a text is not a pattern.
var ErrPattern = errors.New("not a pattern: literals and the fields {cell} {account} {uuid} {hex:N} {base62:N} {rest}")

// ParsePattern compiles a pattern. The error wraps ErrPattern and says what is
// wrong and where.
func ParsePattern(s string) (*Pattern, error) {
	p := &Pattern{source: s}
	if err := p.parse(s); err != nil {
		return nil, fmt.Errorf("%w: %w", err, ErrPattern)
	}
	if err := p.checkFields(); err != nil {
		return nil, fmt.Errorf("pattern %q: %w: %w", s, err, ErrPattern)
	}
	if p.parts[0].kind == literalPart {
		p.prefix, p.parts = p.parts[0].text, p.parts[1:]
	}
	p.cells, p.accounts = p.has(cellPart), p.has(accountPart)
	return p, nil
}

// parse cuts s into parts.
func (p *Pattern) parse(s string) error {
	if len(s) > maxPattern {
		return fmt.Errorf("a pattern has at most %d characters, this one %d", maxPattern, len(s))
	}
	for at := 0; at < len(s); {
		if s[at] != '{' {
			end := len(s)
			if i := strings.IndexByte(s[at:], '{'); i >= 0 {
				end = at + i
			}
			literal := s[at:end]
			if !isVisible(literal) || strings.Contains(literal, "}") {
				return fmt.Errorf("pattern %q, character %d: a literal is of the bytes from 0x21 to 0x7E without braces", s, at+1)
			}
			p.parts = append(p.parts, part{kind: literalPart, text: literal})
			at = end
			continue
		}
		end := strings.IndexByte(s[at:], '}')
		if end < 0 {
			return fmt.Errorf("pattern %q, character %d: the { is not closed", s, at+1)
		}
		f, err := parseField(s[at+1 : at+end])
		if err != nil {
			return fmt.Errorf("pattern %q, character %d: %w", s, at+1, err)
		}
		p.parts = append(p.parts, f)
		at += end + 1
	}
	return nil
}

func parseField(s string) (part, error) {
	switch s {
	case "cell":
		return part{kind: cellPart}, nil
	case "account":
		return part{kind: accountPart}, nil
	case "uuid":
		return part{kind: uuidPart}, nil
	case "rest":
		return part{kind: restPart}, nil
	}
	name, count, counted := strings.Cut(s, ":")
	kind := hexPart
	switch name {
	case "hex":
	case "base62":
		kind = base62Part
	default:
		return part{}, fmt.Errorf("there is no field {%s}", s)
	}
	n, err := strconv.ParseUint(count, 10, 16)
	if !counted || err != nil || n < 1 || n > maxRandom || count[0] == '0' {
		return part{}, fmt.Errorf("{%s} needs its length, from 1 to %d, as in {%s:32}", name, maxRandom, name)
	}
	return part{kind: kind, n: int(n)}, nil
}

// checkFields refuses what could be read in two ways.
func (p *Pattern) checkFields() error {
	if !slices.ContainsFunc(p.parts, func(f part) bool { return f.kind != literalPart }) {
		return errors.New("it has no field, so every credential would be the same")
	}
	for _, k := range []partKind{cellPart, accountPart} {
		count := 0
		for _, f := range p.parts {
			if f.kind == k {
				count++
			}
		}
		if count > 1 {
			return fmt.Errorf("%v stands more than once", part{kind: k})
		}
	}
	for i, f := range p.parts {
		if i == len(p.parts)-1 {
			break
		}
		next := p.parts[i+1]
		switch {
		case f.kind == restPart:
			return fmt.Errorf("{rest} takes all that is left, so %v after it never matches", next)
		case (f.kind == cellPart || f.kind == accountPart) && next.mayStartWithDigit():
			return fmt.Errorf("%v after %v may start with a digit, so nobody can tell where %v ends: put a literal such as - between them", next, f, f)
		}
	}
	return nil
}

func (f part) mayStartWithDigit() bool {
	switch f.kind {
	case literalPart:
		return isDigit(f.text[0])
	case cellPart:
		return false
	}
	return true
}

// String is the part as a pattern writes it.
func (f part) String() string {
	switch f.kind {
	case cellPart:
		return "{cell}"
	case accountPart:
		return "{account}"
	case uuidPart:
		return "{uuid}"
	case hexPart:
		return fmt.Sprintf("{hex:%d}", f.n)
	case base62Part:
		return fmt.Sprintf("{base62:%d}", f.n)
	case restPart:
		return "{rest}"
	}
	return strconv.Quote(f.text)
}
