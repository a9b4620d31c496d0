package route

import (
	"math"
	"math/bits"

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
	prefixes *prefixNode
	shapes   []shapeGroup
}

// shapeGroup filters up to 64 rules without a prefix, one bit each.
type shapeGroup struct {
	positions []uint16
	byLength  [256]uint64 // the last also for everything longer
	byFirst   [256]uint64
}

// bounded is what a format may tell of the texts that it claims.
type bounded interface {
	Bounds() (shortest, longest int)
	MayStartWith(c byte) bool
}

func newRuleSet(rules []*rule) ruleSet {
	s := ruleSet{rules: rules}
	var literal []prefixEntry
	for pos, r := range rules {
		if p := r.format.Prefix(); p != "" {
			literal = append(literal, prefixEntry{p, uint16(pos)})
			continue
		}
		s.addShape(r.format, uint16(pos))
	}
	s.prefixes = newPrefixNode(literal)
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
	shortest, longest := 1, math.MaxInt
	b, tells := f.(bounded)
	if tells {
		shortest, longest = b.Bounds()
	}
	for i := range 256 {
		if i >= min(shortest, 255) && i <= longest {
			g.byLength[i] |= bit
		}
		if !tells || b.MayStartWith(byte(i)) {
			g.byFirst[i] |= bit
		}
	}
}

// claim asks the rules that may claim text, in declared order; nil says that
// none does.
func (s *ruleSet) claim(text string) (*rule, credential.Claim) {
	if len(s.rules) == 0 || text == "" {
		return nil, credential.Claim{}
	}
	literal := s.prefixes.find(text)
	for i := range s.shapes {
		g := &s.shapes[i]
		may := g.byLength[min(len(text), 255)] & g.byFirst[text[0]]
		for ; may != 0; may &= may - 1 {
			pos := g.positions[bits.TrailingZeros64(may)]
			for len(literal) > 0 && literal[0] < pos {
				if c := s.rules[literal[0]].format.Read(text); c.Verdict != credential.Unclaimed {
					return s.rules[literal[0]], c
				}
				literal = literal[1:]
			}
			if c := s.rules[pos].format.Read(text); c.Verdict != credential.Unclaimed {
				return s.rules[pos], c
			}
		}
	}
	for _, pos := range literal {
		if c := s.rules[pos].format.Read(text); c.Verdict != credential.Unclaimed {
			return s.rules[pos], c
		}
	}
	return nil, credential.Claim{}
}
