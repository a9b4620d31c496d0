package topology

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/homeward/homeward/credential"
)

// placedRule is one rule in one of its places.
type placedRule struct {
	rule int
	at   Path
}

// rulePlaces gathers which rules stand in which place, both in file order.
type rulePlaces struct {
	order []Place
	rules map[Place][]placedRule
}

func (v *validator) credentials() {
	at := Root.Key("credentials")
	v.count(at, "credential rules", len(v.t.Credentials), MaxRules)
	places := rulePlaces{rules: map[Place][]placedRule{}}
	formats := make([]credential.Format, len(v.t.Credentials))
	names := map[string]bool{}
	for i := range v.t.Credentials {
		r, ruleAt := &v.t.Credentials[i], at.Index(i)
		v.ruleName(ruleAt.Key("name"), r.Name, i, names)
		v.ruleIn(ruleAt.Key("in"), i, &places)
		formats[i] = v.ruleFormat(ruleAt, r)
		if r.LegacyCell != "" {
			v.cellName(ruleAt.Key("legacy_cell"), r.LegacyCell)
		}
	}
	if len(v.t.Credentials) > MaxRules {
		return // the checks of each rule against each would take too long
	}
	v.count(at, "different places", len(places.order), MaxPlaces)
	v.templates(&places)
	v.shadowed(at, &places, formats)
	v.bodyPlaces(&places)
}

func (v *validator) ruleName(at Path, name string, i int, seen map[string]bool) {
	switch {
	case name == "":
		v.add(at, "write name: and a word for decisions, logs and metrics", "credential rule number %d has no name", i+1)
	case !ruleWord(name):
		v.add(at, "write 1 to 64 letters, digits, hyphens, underscores and dots", "%q is not the name of a rule", clip(name))
	case repeated(seen, name):
		v.add(at, "give each rule its own name", "credential rule %q is declared twice", name)
	}
}

func ruleWord(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; !isAlnum(c) && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

func (v *validator) ruleIn(at Path, i int, places *rulePlaces) {
	in := v.t.Credentials[i].In
	if len(in) == 0 {
		v.add(at, "write in: [bearer], or where else the credential stands", "%s has no place", v.rule(i))
	}
	for j, text := range in {
		p, err := ParsePlace(text)
		if err != nil {
			v.add(at.Index(j), placeFix(text), "%s", placeMessage(text, err))
			continue
		}
		if p.Kind == PathPlace && !isNormalPath(strings.Replace(p.Name, CredentialSegment, "c", 1)) {
			v.add(at.Index(j), "write a path of printable ASCII characters", "%q can match no request", clip(text))
			continue
		}
		if n := len(places.rules[p]); n > 0 && places.rules[p][n-1].rule == i {
			v.add(at.Index(j), "remove one", "%s lists %s twice", v.rule(i), p)
			continue
		}
		if places.rules[p] == nil {
			places.order = append(places.order, p)
		}
		places.rules[p] = append(places.rules[p], placedRule{i, at.Index(j)})
	}
}

// placeMessage is what is special about an error of ParsePlace.
func placeMessage(text string, err error) string {
	message := strings.TrimSuffix(err.Error(), ": "+ErrPlace.Error())
	if message == strconv.Quote(text) {
		return strconv.Quote(clip(text)) + " is not a place"
	}
	return message
}

// placeFix says what to write instead of a text that is not a place.
func placeFix(text string) string {
	word, _, _ := strings.Cut(strings.TrimSpace(text), " ")
	kinds := placeWords[Bearer:]
	if near := Nearest(word, kinds); near != "" && near != word {
		return fmt.Sprintf("did you mean %s? A place is %s", near, placeForms)
	}
	return "write " + placeForms
}

const placeForms = "bearer, basic-username, basic-password, header NAME, cookie NAME, query NAME, path /a/{credential}, form FIELD or json FIELD"

// rule is what messages call a rule.
func (v *validator) rule(i int) string {
	if name := v.t.Credentials[i].Name; name != "" {
		return fmt.Sprintf("credential rule %q", clip(name))
	}
	return fmt.Sprintf("credential rule number %d", i+1)
}

// ruleFormat checks the format of a rule and returns it, nil if it is broken.
func (v *validator) ruleFormat(at Path, r *CredentialRule) credential.Format {
	keys := r.formatKeys()
	const forms = "pattern, homeward, gitlab_routable, jwt or protobuf"
	switch {
	case len(keys) == 0:
		v.add(at.Key("pattern"), "write exactly one of "+forms, "credential rule %q has no format", clip(r.Name))
		return nil
	case len(keys) > 1:
		v.add(at.Key(keys[len(keys)-1]), "keep exactly one of them, or make two rules", "credential rule %q has %s", clip(r.Name), strings.Join(keys, " and "))
		return nil
	}
	at, before := at.Key(keys[0]), len(v.problems)
	if g := r.GitLabRoutable; g != nil {
		for _, id := range slices.Sorted(maps.Keys(g.Cells)) {
			v.mappedCell(at.Key("cells").Key(id), id, g.Cells[id])
		}
	}
	f, err := r.Format()
	if err != nil && len(v.problems) == before {
		v.formatError(at, r, err)
	}
	return f
}

func (v *validator) mappedCell(at Path, id, name string) {
	switch {
	case id == "" || strings.Trim(id, "0123456789abcdefghijklmnopqrstuvwxyz") != "":
		v.add(at, "write the id as it stands in the tokens: digits and small letters", "%q is not a GitLab cell id in base 36", clip(id))
	case name == "":
		v.add(at, "write the name of a declared cell"+v.exampleCell(), "GitLab cell id %q has no cell", clip(id))
	default:
		v.cellName(at, name)
	}
}

// formatError places the error of a format at the key that its fix changes.
func (v *validator) formatError(at Path, r *CredentialRule, err error) {
	switch {
	case r.Homeward != nil:
		v.add(at.Key("prefix"), "write prefix: and a small letter, then 1 to 9 small letters or digits, as in hw",
			"%q is not the prefix of a homeward credential", clip(r.Homeward.Prefix))
	case r.GitLabRoutable != nil && len(r.GitLabRoutable.Cells) == 0:
		v.add(at.Key("cells"), `write cells: and each GitLab cell id in base 36 with its cell, as in {"2s": eu1}`,
			"gitlab_routable maps no cell id to a cell")
	case r.GitLabRoutable != nil:
		v.add(at.Key("cells"), "write each id once, without leading zeros", "%s", withoutSentinel(err, credential.ErrGitLabCells))
	case r.JWT != nil:
		v.add(at.Key("claim"), "write claim: and the name of the claim that holds the cell", "%q is not the name of a claim", clip(r.JWT.Claim))
	case r.Protobuf != nil:
		v.add(at.Key("field"), "write field: and the number of the string field that holds the cell, from 1 to 536870911",
			"%d is not the number of a protobuf field", r.Protobuf.Field)
	default:
		v.add(at, "write literals and the fields {cell} {account} {uuid} {hex:N} {base62:N} {rest}, as in pat-{cell}-{uuid}",
			"%s", withoutSentinel(err, credential.ErrPattern))
	}
}

// withoutSentinel is what is special about an error: the sentinel that it ends
// with only repeats the cure.
func withoutSentinel(err, sentinel error) string {
	return strings.TrimSuffix(err.Error(), ": "+sentinel.Error())
}
