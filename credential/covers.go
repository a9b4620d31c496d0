package credential

import "strings"

// Covers reports whether a claims every text that b claims, so that b's rule
// can never be reached behind a's in the same place. Texts are of the bytes from
// 0x21 to 0x7E, the only ones that credentials hold.
//
// It is exact for patterns, homeward and gitlab-routable. Of jwt and protobuf it
// knows that a pattern covers them if it covers all of their alphabet, and
// that they cover nothing but their own kind. Formats of other packages are
// taken to cover nothing.
func Covers(a, b Format) bool {
	switch a := a.(type) {
	case *JWT:
		_, same := b.(*JWT) // the claim's name has no part in claiming
		return same
	case *Protobuf:
		p, same := b.(*Protobuf)
		return same && p.field == a.field
	case *GitLabRoutable:
		if _, same := b.(*GitLabRoutable); same {
			return true // nor has the map of ids
		}
	case *Pattern, *Homeward:
		if a.Prefix() != "" {
			return claimsByPrefix(b) && strings.HasPrefix(b.Prefix(), a.Prefix())
		}
	default:
		return false
	}
	x, y := shapeOf(a), shapeOf(b)
	return x != nil && y != nil && x.includes(y)
}

// claimsByPrefix reports whether f claims exactly the texts that start with its
// prefix.
func claimsByPrefix(f Format) bool {
	switch f.(type) {
	case *Pattern, *Homeward:
		return f.Prefix() != ""
	}
	return false
}

// shapeOf is what f claims as a shape; for jwt and protobuf a somewhat larger
// one. It is nil for formats of other packages.
func shapeOf(f Format) *shape {
	s := newShape()
	switch f := f.(type) {
	case *Homeward:
		s.literal(f.prefix)
		s.skippable((*shape).restOf, visible)
	case *Pattern:
		if f.prefix != "" {
			s.literal(f.prefix)
			s.skippable((*shape).restOf, visible)
			break
		}
		for _, part := range f.parts {
			s.part(part)
		}
	case *GitLabRoutable:
		s.skippable((*shape).restOf, visible.without('.'))
		s.class(base64urlBytes)
		s.skippable((*shape).version, byteSet{})
		s.class(byteSet{}.with(".."))
		s.repeat(digits.with("az"), gitlabTail, gitlabTail)
	case *JWT:
		s.restOf(base64urlBytes)
		for range 2 {
			s.class(byteSet{}.with(".."))
			s.restOf(base64urlBytes)
		}
	case *Protobuf:
		s.restOf(base64urlBytes.with("=="))
	default:
		return nil
	}
	return s
}

func (s *shape) version(byteSet) {
	s.class(byteSet{}.with(".."))
	s.repeat(digits, 2, 2)
}

// part appends a literal or a field of a pattern.
func (s *shape) part(p part) {
	switch p.kind {
	case literalPart:
		s.literal(p.text)
	case cellPart:
		s.repeat(byteSet{}.with("az"), 2, 6)
		s.repeat(digits, 1, 2)
	case accountPart:
		s.account()
	case uuidPart:
		for i, n := range []int{8, 4, 4, 4, 12} {
			if i > 0 {
				s.literal("-")
			}
			s.repeat(hexBytes, n, n)
		}
	case hexPart:
		s.repeat(hexBytes, p.n, p.n)
	case base62Part:
		s.repeat(base62Bytes, p.n, p.n)
	case restPart:
		s.restOf(visible)
	}
}

// account appends the decimal numbers of 64 bits without leading zero: those of
// up to 19 digits, and those of 20 that are not above the largest.
func (s *shape) account() {
	const largest = "18446744073709551615"
	start := s.ends
	s.class(byteSet{}.with("00"))
	ends := s.ends

	s.ends = start
	s.class(digits.without('0'))
	s.repeat(digits, 0, len(largest)-2)
	ends = append(ends, s.ends...)

	equal := start // ends of what equals the first digits of the largest
	var below []int
	for i := range len(largest) {
		d := largest[i]
		low := byteSet{}
		if least := byte('0'); d > least && (i > 0 || d > '1') {
			low = byteSet{}.with(string([]byte{least, d - 1}))
		}
		var next []int
		if len(below) > 0 {
			s.ends = below
			s.class(digits)
			next = append(next, s.ends...)
		}
		if low != (byteSet{}) {
			s.ends = equal
			s.class(low)
			next = append(next, s.ends...)
		}
		s.ends = equal
		s.class(byteSet{}.with(string([]byte{d, d})))
		equal, below = s.ends, next
	}
	s.ends = append(append(ends, below...), equal...)
}
