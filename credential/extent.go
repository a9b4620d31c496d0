package credential

import "math"

// Bounds is the length in bytes of the shortest and the longest text that the
// pattern claims. Who holds many formats can spare reading most of them.
func (p *Pattern) Bounds() (shortest, longest int) {
	if p.prefix != "" {
		return len(p.prefix), math.MaxInt
	}
	for i := range p.parts {
		lo, hi := p.parts[i].bounds()
		shortest += lo
		if hi == math.MaxInt {
			longest = hi
		} else if longest < math.MaxInt {
			longest += hi
		}
	}
	return shortest, longest
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

// MayStartWith reports whether a text that the pattern claims can start with c.
func (p *Pattern) MayStartWith(c byte) bool {
	if p.prefix != "" {
		return c == p.prefix[0]
	}
	switch f := &p.parts[0]; f.kind {
	case cellPart:
		return 'a' <= c && c <= 'z'
	case accountPart:
		return isDigit(c)
	case uuidPart, hexPart:
		return isHex(c)
	case base62Part:
		return isBase62(string(c))
	}
	return ' ' < c && c <= '~'
}
