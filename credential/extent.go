package credential

import "math"

// Extent says in advance of reading what the texts that a format claims have in
// common, so that who holds many formats can spare asking most of them. It
// never excludes a text that the format claims.
type Extent struct {
	Shortest, Longest int // length in bytes

	// Delimiter is the first byte of every claimed text that is neither an
	// ASCII digit nor letter; NoDelimiter when they have none, AnyDelimiter
	// when it varies.
	Delimiter int16

	starts [4]uint64 // the first bytes possible, a bit each
}

// What Delimiter may be besides a byte.
const (
	AnyDelimiter int16 = -1
	NoDelimiter  int16 = -2
)

// MayStartWith reports whether a claimed text can start with c.
func (e *Extent) MayStartWith(c byte) bool { return e.starts[c>>6]>>(c&63)&1 != 0 }

func newExtent(shortest, longest int, starts func(c byte) bool) Extent {
	e := Extent{Shortest: shortest, Longest: longest, Delimiter: AnyDelimiter}
	for i := range 256 {
		if starts(byte(i)) {
			e.starts[i>>6] |= 1 << (i & 63)
		}
	}
	return e
}

// Extent is what the pattern's texts have in common.
func (p *Pattern) Extent() Extent {
	if p.prefix != "" {
		return newExtent(len(p.prefix), math.MaxInt, func(c byte) bool { return c == p.prefix[0] })
	}
	shortest, longest := 0, 0
	for i := range p.parts {
		lo, hi := p.parts[i].bounds()
		shortest += lo
		if longest += hi; hi == math.MaxInt {
			longest = math.MaxInt
			break // {rest} is last
		}
	}
	e := newExtent(shortest, longest, p.parts[0].mayStartWith)
	e.Delimiter = p.delimiter()
	return e
}

func (p *Pattern) delimiter() int16 {
	for i := range p.parts {
		switch f := &p.parts[i]; f.kind {
		case uuidPart:
			return '-'
		case restPart:
			return AnyDelimiter
		case literalPart:
			for j := 0; j < len(f.text); j++ {
				if !isBase62(f.text[j : j+1]) {
					return int16(f.text[j])
				}
			}
		}
	}
	return NoDelimiter
}

func (f *part) bounds() (lo, hi int) {
	switch f.kind {
	case literalPart:
		return len(f.text), len(f.text)
	case cellPart:
		return 3, 8
	case accountPart:
		return 1, 20
	case uuidPart:
		return 36, 36
	case hexPart, base62Part:
		return f.n, f.n
	}
	return 1, math.MaxInt
}

func (f *part) mayStartWith(c byte) bool {
	switch f.kind {
	case literalPart:
		return c == f.text[0]
	case cellPart:
		return 'a' <= c && c <= 'z'
	case accountPart:
		return isDigit(c)
	case uuidPart, hexPart:
		return isHex(c)
	case base62Part:
		return isBase62(string(rune(c)))
	}
	return ' ' < c && c <= '~'
}

// Extent of tokens: their first part decodes to white space and a brace, and
// starts with the character that stands for the first six bits of one of them.
func (j *JWT) Extent() Extent {
	return newExtent(len("e30.e30.e"), math.MaxInt, func(c byte) bool {
		return c == 'e' || c == 'I' || c == 'C' || c == 'D'
	})
}

// Extent of routable tokens: at least one character before the tail.
func (g *GitLabRoutable) Extent() Extent {
	return newExtent(len("x.")+gitlabTail, math.MaxInt, func(c byte) bool { return ' ' < c && c <= '~' })
}

// Extent of messages: at least two bytes.
func (p *Protobuf) Extent() Extent {
	return newExtent(3, math.MaxInt, func(c byte) bool { return sextet[c] != invalid })
}
