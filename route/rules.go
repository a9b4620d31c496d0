package route

import (
	"math/bits"

	"github.com/homeward/homeward/cell"
	"github.com/homeward/homeward/credential"
	"github.com/homeward/homeward/topology"
)

// rule is one compiled credential rule.
type rule struct {
	format credential.Format
	spec   *topology.CredentialRule
	index  Index
	legacy Index // the rule's own legacy cell; None: the facade's
}

// ruleSet finds the first rule of one place, in declared order, that claims a
// text, without asking most of them: rules with a literal prefix are found by
// a walk down prefixes, and of the others only those are asked whose claims
// may have the text's length and first byte. Read-only once built.
type ruleSet struct {
	rules    []*rule // in declared order; positions below are indices of it
	prefixes *prefixIndex
	shapes   []shapeGroup
	// shape is the position of the first rule without a prefix, or len(rules).
	shape uint16
}

// shapeGroup filters up to 64 rules without a prefix, one bit each.
type shapeGroup struct {
	positions   []uint16
	byLength    [256]uint64 // the last also for everything longer
	byFirst     [256]uint64
	byDelimiter [256]uint64 // by the first byte that is no digit or letter, 0 for none
}

func newRuleSet(rules []*rule) ruleSet {
	s := ruleSet{rules: rules, shape: uint16(len(rules))}
	var literal []prefixEntry
	for pos, r := range rules {
		if p := r.format.Prefix(); p != "" {
			literal = append(literal, prefixEntry{p, uint16(pos)})
			continue
		}
		s.shape = min(s.shape, uint16(pos))
		s.addShape(r.format, uint16(pos))
	}
	s.prefixes = newPrefixIndex(literal)
	return s
}

func (s *ruleSet) addShape(f credential.Format, pos uint16) {
	n := len(s.shapes)
	if n == 0 || len(s.shapes[n-1].positions) == 64 {
		s.shapes = append(s.shapes, shapeGroup{})
		n++
	}
	g := &s.shapes[n-1]
	bit := uint64(1) << len(g.positions)
	g.positions = append(g.positions, pos)
	extent, tells := f.(interface{ Extent() credential.Extent })
	if !tells {
		for i := range 256 {
			g.byLength[i], g.byFirst[i], g.byDelimiter[i] = g.byLength[i]|bit, g.byFirst[i]|bit, g.byDelimiter[i]|bit
		}
		return
	}
	e := extent.Extent()
	if e.Delimiter == credential.NoDelimiter {
		e.Delimiter = 0
	}
	for i := range 256 {
		if i >= min(e.Shortest, 255) && i <= e.Longest {
			g.byLength[i] |= bit
		}
		if e.MayStartWith(byte(i)) {
			g.byFirst[i] |= bit
		}
		if e.Delimiter == credential.AnyDelimiter || int(e.Delimiter) == i {
			g.byDelimiter[i] |= bit
		}
	}
}

// delimiter is the first byte of text that is no ASCII digit or letter, 0 when
// there is none.
func delimiter(text string) byte {
	for i := 0; i < len(text); i++ {
		if c := text[i]; (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return c
		}
	}
	return 0
}

// claim asks the rules that may claim text, in declared order, and fills into
// x what the first of them that does claims; nil says that none does.
func (s *ruleSet) claim(text string, x *finding) *rule {
	x.verdict, x.name, x.account, x.hasAccount, x.detail = 0, cell.Name{}, 0, false, 0
	if len(s.rules) == 0 || text == "" {
		return nil
	}
	literal := s.prefixes.find(text)
	if len(literal) > 0 && literal[0] < s.shape {
		if r := s.ask(literal[0], text, x); r != nil {
			return r
		}
		literal = literal[1:]
	}
	for i := range s.shapes {
		g := &s.shapes[i]
		may := g.byLength[min(len(text), 255)] & g.byFirst[text[0]]
		if may != 0 {
			may &= g.byDelimiter[delimiter(text)]
		}
		for ; may != 0; may &= may - 1 {
			pos := g.positions[bits.TrailingZeros64(may)]
			for len(literal) > 0 && literal[0] < pos {
				if r := s.ask(literal[0], text, x); r != nil {
					return r
				}
				literal = literal[1:]
			}
			if r := s.ask(pos, text, x); r != nil {
				return r
			}
		}
	}
	for _, pos := range literal {
		if r := s.ask(pos, text, x); r != nil {
			return r
		}
	}
	return nil
}

// ask fills into x what one rule claims, and nothing when it does not claim.
func (s *ruleSet) ask(pos uint16, text string, x *finding) *rule {
	r := s.rules[pos]
	c := r.format.Read(text)
	if c.Verdict == credential.Unclaimed {
		return nil
	}
	// One by one: copying a struct that was just written by parts makes the
	// processor wait for the parts.
	x.verdict, x.name, x.detail = c.Verdict, c.Cell, c.Reason
	x.account, x.hasAccount = c.Account, c.HasAccount
	return r
}
