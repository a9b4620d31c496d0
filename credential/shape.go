package credential

import (
	"fmt"
	"slices"
)

// byteSet is a set of the bytes from 0 to 127.
type byteSet [2]uint64

var (
	visible        = byteSet{}.with("!~")
	digits         = byteSet{}.with("09")
	hexBytes       = digits.with("afAF")
	base62Bytes    = digits.with("azAZ")
	base64urlBytes = base62Bytes.with("--__")
)

// with adds the ranges that are written as pairs of their first and last byte.
func (b byteSet) with(ranges string) byteSet {
	for i := 0; i+1 < len(ranges); i += 2 {
		for c := ranges[i]; c <= ranges[i+1]; c++ {
			b[c>>6] |= 1 << (c & 63)
		}
	}
	return b
}

func (b byteSet) without(c byte) byteSet {
	b[c>>6] &^= 1 << (c & 63)
	return b
}

func (b byteSet) has(c byte) bool { return b[c>>6]>>(c&63)&1 != 0 }

// shape is a regular set of texts as a finite automaton without empty steps. It
// is built from left to right: every method appends to what ends so far. From
// every state an end can be reached.
type shape struct {
	steps [][]step // by state; 0 is the start
	ends  []int    // states in which a text may end
}

type step struct {
	on byteSet
	to int
}

func newShape() *shape { return &shape{steps: make([][]step, 1), ends: []int{0}} }

// class appends one byte of a set.
func (s *shape) class(set byteSet) {
	to := len(s.steps)
	s.steps = append(s.steps, nil)
	for _, from := range s.ends {
		s.steps[from] = append(s.steps[from], step{set, to})
	}
	s.ends = []int{to}
}

func (s *shape) literal(text string) {
	for i := range len(text) {
		s.class(byteSet{}.with(text[i:i+1] + text[i:i+1]))
	}
}

// repeat appends at least low and at most high bytes of a set.
func (s *shape) repeat(set byteSet, low, high int) {
	var ends []int
	for n := range high {
		if n >= low {
			ends = append(ends, s.ends...)
		}
		s.class(set)
	}
	s.ends = append(ends, s.ends...)
}

// restOf appends one or more bytes of a set.
func (s *shape) restOf(set byteSet) {
	s.class(set)
	end := s.ends[0]
	s.steps[end] = append(s.steps[end], step{set, end})
}

// skippable appends what add appends, or nothing.
func (s *shape) skippable(add func(*shape, byteSet), set byteSet) {
	before := slices.Clone(s.ends)
	add(s, set)
	s.ends = append(before, s.ends...)
}

// includes reports whether every text of b is one of s. It walks over b and
// the sets of states in which s may be at the same time.
func (s *shape) includes(b *shape) bool {
	bytes := s.distinguish(b)
	ends, bEnds := s.endSet(), b.endSet()
	type pair struct {
		b  int
		in []int // states of s, sorted
	}
	todo := []pair{{0, []int{0}}}
	seen := map[string]bool{}
	for len(todo) > 0 {
		p := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if bEnds[p.b] && !slices.ContainsFunc(p.in, func(i int) bool { return ends[i] }) {
			return false
		}
		for _, c := range bytes {
			in := s.after(p.in, c)
			for _, step := range b.steps[p.b] {
				if !step.on.has(c) {
					continue
				}
				if len(in) == 0 {
					return false // b goes on to an end that s cannot follow
				}
				if key := fmt.Sprint(step.to, in); !seen[key] {
					seen[key] = true
					todo = append(todo, pair{step.to, in})
				}
			}
		}
	}
	return true
}

func (s *shape) endSet() []bool {
	set := make([]bool, len(s.steps))
	for _, i := range s.ends {
		set[i] = true
	}
	return set
}

// after is the sorted set of states in which s may be, from the given ones, once
// it has read c.
func (s *shape) after(in []int, c byte) []int {
	var out []int
	for _, i := range in {
		for _, step := range s.steps[i] {
			if step.on.has(c) {
				out = append(out, step.to)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// distinguish picks one byte for each set of bytes that neither shape tells
// apart.
func (s *shape) distinguish(b *shape) []byte {
	var sets []byteSet
	known := map[byteSet]bool{}
	for _, steps := range slices.Concat(s.steps, b.steps) {
		for _, step := range steps {
			if !known[step.on] {
				known[step.on] = true
				sets = append(sets, step.on)
			}
		}
	}
	var bytes []byte
	signs := map[string]bool{}
	sign := make([]byte, len(sets))
	for c := byte('!'); c <= '~'; c++ {
		for i, set := range sets {
			sign[i] = 0
			if set.has(c) {
				sign[i] = 1
			}
		}
		if !signs[string(sign)] {
			signs[string(sign)] = true
			bytes = append(bytes, c)
		}
	}
	return bytes
}
