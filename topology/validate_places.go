package topology

import (
	"slices"
	"strings"

	"github.com/homeward/homeward/credential"
)

// templates refuses path places that one path can match twice: which segment
// is the credential would depend on an order that nobody sees.
func (v *validator) templates(places *rulePlaces) {
	var before []Place
	for _, p := range places.order {
		if p.Kind != PathPlace {
			continue
		}
		for _, q := range before {
			if overlappingTemplates(q.Name, p.Name) {
				v.add(places.rules[p][0].at, "make them differ in a segment that both write out",
					"the places %q and %q match the same paths", q, p)
				break
			}
		}
		before = append(before, p)
	}
}

// overlappingTemplates reports whether some path matches both templates.
func overlappingTemplates(a, b string) bool {
	as, bs := strings.Split(a, "/"), strings.Split(b, "/")
	if len(as) != len(bs) {
		return false
	}
	for i := range as {
		switch {
		case as[i] == bs[i]:
		case as[i] == CredentialSegment && bs[i] != "":
		case bs[i] == CredentialSegment && as[i] != "":
		default:
			return false
		}
	}
	return true
}

// pair is a rule and a later one.
type pair struct{ first, later int }

// shadows says which rules hide which later ones, and in which places.
type shadows struct {
	covers map[pair]bool
	where  map[pair][]string
	order  []pair
}

func (s *shadows) add(k pair, p Place) {
	if s.where[k] == nil {
		s.order = append(s.order, k)
	}
	s.where[k] = append(s.where[k], p.String())
}

// shadowed refuses a rule that an earlier one in the same place leaves nothing
// to claim, and a protobuf rule that is not the last of a place: it claims
// whatever parses, which other formats' credentials may do by chance.
func (v *validator) shadowed(at Path, places *rulePlaces, formats []credential.Format) {
	s := shadows{covers: map[pair]bool{}, where: map[pair][]string{}}
	for _, p := range places.order {
		rules := places.rules[p]
		for j := range rules {
			s.hiding(rules[:j], rules[j].rule, p, formats)
			if _, protobuf := formats[rules[j].rule].(*credential.Protobuf); protobuf && j+1 < len(rules) {
				s.add(pair{rules[j].rule, rules[j+1].rule}, p)
			}
		}
	}
	slices.SortStableFunc(s.order, func(a, b pair) int { return a.later - b.later })
	for _, k := range s.order {
		v.addShadow(at, k, strings.Join(s.where[k], ", "), formats)
	}
}

// hiding notes the first rule of a place that hides a later one in it. What
// stands behind protobuf is refused whether it hides it or not.
func (s *shadows) hiding(before []placedRule, later int, p Place, formats []credential.Format) {
	for _, first := range before {
		if _, protobuf := formats[first.rule].(*credential.Protobuf); protobuf {
			continue
		}
		k := pair{first.rule, later}
		covers, known := s.covers[k]
		if !known {
			a, b := formats[k.first], formats[k.later]
			covers = a != nil && b != nil && credential.Covers(a, b)
			s.covers[k] = covers
		}
		if covers {
			s.add(k, p)
			return
		}
	}
}

func (v *validator) addShadow(at Path, k pair, where string, formats []credential.Format) {
	if _, protobuf := formats[k.first].(*credential.Protobuf); protobuf {
		v.add(at.Index(k.first).Key("protobuf"), "move it to the end of credentials, or split it so that no place has a rule after it",
			"protobuf is the last rule of a place, but %s follows %s in %s", v.rule(k.later), v.rule(k.first), where)
		return
	}
	key := v.t.Credentials[k.later].formatKeys()[0]
	v.add(at.Index(k.later).Key(key), "put the narrower rule first, or take the place out of one of them",
		"%s claims nothing in %s: %s before it claims all of its credentials", v.rule(k.later), where, v.rule(k.first))
}

// bodyPlaces checks that body places and declared bodies need each other.
func (v *validator) bodyPlaces(places *rulePlaces) {
	found := false
	for _, p := range places.order {
		if p.Kind != FormPlace && p.Kind != JSONPlace {
			continue
		}
		if !found && len(v.t.Bodies) == 0 {
			v.add(places.rules[p][0].at, "declare the requests under bodies:, as in - {paths: [/oauth/token]}",
				"%s is in a body, and no body may be looked into", p)
		}
		found = true
	}
	if !found && len(v.t.Bodies) > 0 {
		v.add(Root.Key("bodies"), "add a place form FIELD or json FIELD to a credential rule, or remove bodies",
			"bodies would be looked into for nothing: no credential rule has a place in a body")
	}
}
