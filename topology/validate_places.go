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

// shadowed refuses a rule that an earlier one in the same place leaves nothing
// to claim, and a protobuf rule that is not the last of a place: it claims
// whatever parses, which other formats' credentials may do by chance.
func (v *validator) shadowed(at Path, places *rulePlaces, formats []credential.Format) {
	covers := map[pair]bool{}
	where := map[pair][]string{}
	var order []pair
	for _, p := range places.order {
		rules := places.rules[p]
		for j, later := range rules {
			for _, first := range rules[:j] {
				k := pair{first.rule, later.rule}
				known, seen := covers[k]
				if !seen {
					known = v.hides(k, formats)
					covers[k] = known
				}
				if known {
					if where[k] == nil {
						order = append(order, k)
					}
					where[k] = append(where[k], p.String())
					break
				}
			}
		}
	}
	slices.SortFunc(order, func(a, b pair) int { return a.later - b.later })
	for _, k := range order {
		v.addShadow(at, k, strings.Join(where[k], ", "))
	}
}

// hides reports whether the first rule of a pair keeps the later one from its
// credentials.
func (v *validator) hides(k pair, formats []credential.Format) bool {
	if v.t.Credentials[k.first].Protobuf != nil {
		return true
	}
	a, b := formats[k.first], formats[k.later]
	return a != nil && b != nil && credential.Covers(a, b)
}

func (v *validator) addShadow(at Path, k pair, where string) {
	first, later := &v.t.Credentials[k.first], &v.t.Credentials[k.later]
	if first.Protobuf != nil {
		v.add(at.Index(k.first).Key("protobuf"), "move it to the end of credentials, or split it so that no place has a rule after it",
			"protobuf is the last rule of a place, but %s follows %s in %s", v.rule(k.later), v.rule(k.first), where)
		return
	}
	key := "pattern"
	if keys := later.formatKeys(); len(keys) == 1 {
		key = keys[0]
	}
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
