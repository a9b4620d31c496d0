package topology

import (
	"fmt"
	"slices"
	"strings"
)

// maxShadowed bounds the copies of one shadow that are under way at once.
const maxShadowed = 1000

func (v *validator) shadows() {
	at := Root.Key("shadows")
	v.count(at, "shadows", len(v.t.Shadows), MaxRules)
	if len(v.t.Shadows) == 0 {
		return
	}
	names, owners := map[string]bool{}, v.endpointOwners()
	for i := range v.t.Shadows {
		s, shadowAt := &v.t.Shadows[i], at.Index(i)
		who := fmt.Sprintf("shadow %q", clip(s.Name))
		switch {
		case s.Name == "":
			who = fmt.Sprintf("shadow number %d", i+1)
			v.add(shadowAt.Key("name"), "write name: and a word such as eu2-candidate", "%s has no name", who)
		case !laneWord(s.Name):
			v.add(shadowAt.Key("name"), "write a small letter, then up to 31 small letters, digits and hyphens", "%q is not the name of a shadow", clip(s.Name))
		case repeated(names, s.Name):
			v.add(shadowAt.Key("name"), "give each shadow its own name", "%s is declared twice", who)
		}
		v.shadow(shadowAt, who, s, owners)
	}
}

func (v *validator) shadow(at Path, who string, s *Shadow, owners map[string][]int) {
	if s.Of == "" {
		v.add(at.Key("of"), "write of: and the cell whose requests are copied"+v.exampleCell(), "%s copies nothing", who)
	} else {
		v.cellName(at.Key("of"), s.Of)
	}
	switch {
	case s.Cell == "" && len(s.Gateways) == 0:
		v.add(at, "write cell: and the cell that gets the copies, or gateways: and the endpoints of a candidate", "%s copies to nowhere", who)
	case s.Cell != "" && len(s.Gateways) > 0:
		v.add(at.Key("gateways"), "remove cell or gateways", "%s has a cell and gateways", who)
	case s.Cell != "":
		v.shadowCell(at, who, s)
	}
	v.gateways(at.Key("gateways"), who, s.Gateways)
	v.candidates(at.Key("gateways"), who, s, owners)
	if s.TLS != nil && s.Cell != "" {
		v.add(at.Key("tls"), "remove it: the cell has its own", "%s has tls, but no gateways", who)
	} else {
		v.tls(at.Key("tls"), who, s.TLS, s.Gateways)
	}
	v.words(at.Key("paths"), s.Paths, "a path", pathProblem)
	if !(s.Share >= 0 && s.Share <= 100) {
		v.add(at.Key("share"), "write a percentage from 0 to 100", "the share of %s is %v", who, s.Share)
	}
	if s.Concurrent < 0 || s.Concurrent > maxShadowed {
		v.add(at.Key("concurrent"), fmt.Sprintf("write a number from 1 to %d", maxShadowed), "%d copies at once are out of range", s.Concurrent)
	}
	v.ranged(at.Key("timeout"), int64(s.Timeout), int64(Duration(1e6)), int64(maxTimeout), func(n int64) string { return Duration(n).String() })
	v.ranged(at.Key("body"), int64(s.Body), 1, 1<<30, func(n int64) string { return Size(n).String() })
}

// shadowCell keeps copies, which carry credentials and tell of accounts, in the
// jurisdiction that the requests are meant for.
func (v *validator) shadowCell(at Path, who string, s *Shadow) {
	v.cellName(at.Key("cell"), s.Cell)
	of, copied := v.firstCell[s.Of]
	to, known := v.firstCell[s.Cell]
	switch {
	case !copied || !known:
	case of == to:
		v.add(at.Key("cell"), "name another cell", "%s copies the requests of %s to itself", who, clip(s.Of))
	case v.t.Cells[of].Jurisdiction != v.t.Cells[to].Jurisdiction:
		v.add(at.Key("cell"), "name a cell of the jurisdiction "+clip(v.t.Cells[of].Jurisdiction),
			"%s would copy requests out of the jurisdiction of %s", who, clip(s.Of))
	}
}

// candidates keeps a shadow from doing with endpoints of cells what shadowCell
// keeps it from doing with the cells. owners are the cells of each endpoint.
func (v *validator) candidates(at Path, who string, s *Shadow, owners map[string][]int) {
	of, copied := v.firstCell[s.Of]
	if !copied {
		return
	}
	for i, g := range s.Gateways {
		for _, owner := range owners[endpoint(g)] {
			switch {
			case owner == of:
				v.add(at.Index(i), "name endpoints of a candidate", "%s copies the requests of %s to itself", who, clip(s.Of))
			case v.t.Cells[owner].Jurisdiction != v.t.Cells[of].Jurisdiction:
				v.add(at.Index(i), "name endpoints in the jurisdiction "+clip(v.t.Cells[of].Jurisdiction),
					"this is a gateway of %s: %s would copy requests out of the jurisdiction of %s", clip(v.t.Cells[owner].Name), who, clip(s.Of))
			}
		}
	}
}

// endpointOwners are the indices of the cells that each endpoint is a gateway of.
func (v *validator) endpointOwners() map[string][]int {
	owners := map[string][]int{}
	for i := range v.t.Cells {
		for _, g := range slices.Concat(v.t.Cells[i].Gateways, v.t.Cells[i].GRPCGateways) {
			if at := endpoint(g); !slices.Contains(owners[at], i) {
				owners[at] = append(owners[at], i)
			}
		}
	}
	return owners
}

// endpoint is one spelling of the host and port of a valid gateway.
func endpoint(gateway string) string {
	_, at, _ := strings.Cut(comparableGateway(gateway), "://")
	return at
}
