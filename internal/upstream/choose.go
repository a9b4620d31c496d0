package upstream

import "math/rand/v2"

// maxTries bounds the addresses that one request tries.
const maxTries = 3

// attempt is how one request comes to a connection.
type attempt struct {
	fresh bool // none that was kept will do
	tried [maxTries]*target
	tries int
}

func (a *attempt) has(t *target) bool {
	for _, o := range a.tried[:a.tries] {
		if o == t {
			return true
		}
	}
	return false
}

// claim is what serves a request: an idle connection, or leave to make one, or the
// choice of an address of HTTP/2.
type claim struct {
	endpoint *endpoint // nil for none
	conn     *Conn     // nil when one is to be made
	trial    bool      // one of the few places at an address that failed is taken
	surplus  *Conn     // to be closed: the new one takes its place
}

// availability is what comes of looking for an endpoint.
type availability uint8

const (
	none availability = iota // no address is left to try
	full                     // there are some, and all their connections are in use
	free
)

// claim takes what there is for a request at the best address that has something.
// Addresses in a worse condition come into question only when there is none in a
// better one, however busy those are. p.mu is held.
func (p *Pool) claim(a *attempt) (claim, availability) {
	if a.tries == maxTries {
		return claim{}, none
	}
	for c := up; c < conditions; c++ {
		e, found := p.choose(c, a)
		if found == none {
			continue
		}
		if found == full {
			return claim{}, full
		}
		got := claim{endpoint: e}
		if e.http2 == nil && !a.fresh && len(e.stack) > 0 {
			got.conn = e.pop()
			p.reused++
			return got, free
		}
		if got.trial = c == refused; got.trial && !e.target.try() {
			continue
		}
		if e.http2 != nil {
			return got, free
		}
		if e.taken >= p.fleet.settings.Load().maxOpen {
			got.surplus = e.shift()
		} else {
			e.taken++
		}
		e.dialing++
		return got, free
	}
	return claim{}, none
}

// choose is the endpoint with the fewer exchanges under way of two in a condition that
// have something for a request; or, when they have nothing, of all. p.mu is held.
func (p *Pool) choose(c condition, a *attempt) (*endpoint, availability) {
	n := p.usable
	if n == 0 {
		return nil, none
	}
	p.turn++
	start := int(p.turn % uint32(n))
	best, found := p.better(nil, none, p.endpoints[start], c, a)
	if n == 1 {
		return best, found
	}
	best, found = p.better(best, found, p.endpoints[(start+1+rand.IntN(n-1))%n], c, a)
	for i := 1; i < n && best == nil; i++ {
		best, found = p.better(best, found, p.endpoints[(start+i)%n], c, a)
	}
	return best, found
}

// better compares the best endpoint so far with another one.
func (p *Pool) better(best *endpoint, found availability, e *endpoint, c condition, a *attempt) (*endpoint, availability) {
	if e.target.condition() != c || a.has(e.target) {
		return best, found
	}
	if e.http2 == nil && len(e.stack) == 0 && !p.room(e) {
		return best, max(found, full)
	}
	if best == nil || e.busy() < best.busy() {
		best = e
	}
	return best, free
}

// room reports whether a connection may be made. p.mu is held.
func (p *Pool) room(e *endpoint) bool {
	return e.taken < p.fleet.settings.Load().maxOpen && e.dialing < maxDials
}
