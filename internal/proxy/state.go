package proxy

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/homeward/homeward/internal/proxy/forwarded"
	"github.com/homeward/homeward/internal/proxy/http1"
	"github.com/homeward/homeward/internal/upstream"
	"github.com/homeward/homeward/route"
	"github.com/homeward/homeward/topology"
)

// State is one topology as the edge serves it: immutable, and swapped whole.
// A request keeps the State that it began with.
type State struct {
	Table    *route.Table
	Pools    []upstream.Pools // by index of the cell in Table
	Timeouts topology.Timeouts
	Limits   topology.Limits

	health    string // path of the health answer
	status    map[string]int
	cors      *cors
	trusted   forwarded.Ranges // proxies whose word on the way of a request is believed
	balancers forwarded.Ranges // their connections begin with a PROXY header
	protected []string         // names of declared credential headers, in small letters
	shadows   [][]*shadow      // by index of the cell that is copied; nil for none
	lanes     []int            // by index in Table: their place in the topology
}

// NewState makes the state for a table. Without pools, in a zero Applied, it only
// explains.
func NewState(table *route.Table, pools upstream.Applied) (*State, error) {
	t := table.Topology()
	s := &State{
		Table: table, Pools: pools.Cells, Timeouts: t.Timeouts, Limits: t.Limits,
		health: t.HealthPath, status: t.Status, cors: newCORS(t.CORS),
		shadows: newShadows(table, pools.Shadows),
	}
	for i := range table.Lanes() {
		s.lanes = append(s.lanes, slices.IndexFunc(t.Lanes, func(l topology.Lane) bool { return l.Name == table.Lanes()[i].Name }))
	}
	var err error
	if s.trusted, err = forwarded.ParseRanges("trusted_proxies", t.TrustedProxies); err != nil {
		return nil, err
	}
	if s.balancers, err = forwarded.ParseRanges("proxy_protocol", t.ProxyProtocol); err != nil {
		return nil, err
	}
	for _, rule := range t.Credentials {
		for _, in := range rule.In {
			if place, err := topology.ParsePlace(in); err == nil && place.Kind == topology.HeaderPlace {
				s.protected = append(s.protected, place.Name)
			}
		}
	}
	return s, nil
}

// introduces reports whether connections from an address must begin with a
// PROXY header.
func (s *State) introduces(a netip.Addr) bool { return s.balancers.Contain(a) }

// IsHealth reports whether a request is a load balancer's probe, which the edge
// answers itself for any Host.
func (s *State) IsHealth(method, origin string) bool {
	path, _, _ := strings.Cut(origin, "?")
	return path == s.health && (method == "GET" || method == "HEAD")
}

// OverLimit is the problem of a body with this length; ok is false when there
// is none.
func (s *State) OverLimit(length int64) (p Problem, ok bool) {
	limit := s.Limits.Body
	if limit <= 0 || length <= int64(limit) {
		return Problem{}, false
	}
	return Problem{Kind: TooLarge, Detail: "The body is over the limit of " + limit.String() + "."}, true
}

// HeadLimits bound what is read of a request head.
func (s *State) HeadLimits() http1.Limits {
	return http1.Limits{Head: int(s.Limits.Head), Fields: s.Limits.Headers}
}

// answerLimits bound what is read of an answer's head. They are fixed: an
// origin of the operator's own is not what the limits protect against.
var answerLimits = http1.Limits{Head: 256 << 10, Fields: 1000}
