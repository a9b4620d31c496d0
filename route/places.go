package route

import (
	"fmt"

	"github.com/homeward/homeward/topology"
)

// compileRules makes the formats of the credential rules.
func (t *Table) compileRules() error {
	t.rules = make([]rule, len(t.top.Credentials))
	var all, parsing []*rule
	for i := range t.top.Credentials {
		spec := &t.top.Credentials[i]
		f, err := spec.Format()
		if err != nil {
			return fmt.Errorf("credential rule %s: %w", spec.Name, err)
		}
		legacy := None
		if spec.LegacyCell != "" {
			if legacy, err = t.cellNamed("credential rule "+spec.Name+": legacy_cell", spec.LegacyCell); err != nil {
				return err
			}
		}
		t.rules[i] = rule{format: f, spec: spec, index: Index(i), legacy: legacy}
		if spec.Protobuf != nil {
			parsing = append(parsing, &t.rules[i])
		} else {
			all = append(all, &t.rules[i])
		}
	}
	t.anyRule = newRuleSet(append(all, parsing...))
	return nil
}

// compilePlaces gathers the rules of each place, in declared order.
func (t *Table) compilePlaces() error {
	places := []topology.Place{
		bearerSource:        {Kind: topology.Bearer},
		usernameSource:      {Kind: topology.BasicUsername},
		passwordSource:      {Kind: topology.BasicPassword},
		authorizationSource: {Kind: topology.HeaderPlace, Name: authorization},
	}
	rules := make([][]*rule, fixedSources)
	number := map[topology.Place]uint16{}
	for i, p := range places[:authorizationSource] {
		number[p] = uint16(i)
	}
	for i := range t.rules {
		r := &t.rules[i]
		for _, in := range r.spec.In {
			p, err := topology.ParsePlace(in)
			if err != nil {
				return fmt.Errorf("credential rule %s: %w", r.spec.Name, err)
			}
			n, known := number[p]
			if !known {
				n = uint16(len(places))
				number[p] = n
				places, rules = append(places, p), append(rules, nil)
				t.declare(p, n)
			}
			if at := rules[n]; len(at) == 0 || at[len(at)-1] != r {
				rules[n] = append(at, r)
			}
		}
	}
	if len(places) > maxSources {
		return fmt.Errorf("%d places hold credentials, at most %d are possible: %w", len(places), maxSources, ErrNotCompilable)
	}
	t.sources = make([]source, len(places))
	for i := range places {
		t.sources[i] = source{places[i], newRuleSet(rules[i])}
	}
	t.wanted.add(len(authorization))
	if !t.cookies.empty() {
		t.wanted.add(len(cookieHeader))
	}
	for _, h := range t.headers.list {
		t.wanted.add(len(h.name))
	}
	return nil
}

// declare makes the place findable in a request.
func (t *Table) declare(p topology.Place, n uint16) {
	switch p.Kind {
	case topology.HeaderPlace:
		t.headers.add(p.Name, n)
	case topology.CookiePlace:
		t.cookies.add(p.Name, n)
	case topology.QueryPlace:
		t.query.add(p.Name, n)
	case topology.FormPlace:
		t.form.add(p.Name, n)
	case topology.JSONPlace:
		t.json.add(p.Name, n)
	case topology.PathPlace:
		t.paths = append(t.paths, newPathTemplate(p.Name, n))
	}
}
