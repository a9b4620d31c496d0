package upstream

import (
	"context"
	"net/netip"
	"slices"
	"time"
)

const (
	// lookupEvery is how often a name is looked up, give or take a quarter.
	lookupEvery = 30 * time.Second
	// lookupRetry is how soon after a failure while no address is known.
	lookupRetry = time.Second
	// lookupTimeout bounds one lookup.
	lookupTimeout = 5 * time.Second
	// maxAddresses bounds what is taken of one answer.
	maxAddresses = 256
)

// Resolver finds the addresses behind a name. *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// lookUp asks for the addresses of a gateway and says when to ask again.
func (f *Fleet) lookUp(ctx context.Context, g *gateway) (next time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	found, err := f.resolver.LookupNetIP(ctx, "ip", g.host)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.retired || !slices.Contains(f.gateways, g) {
		return -1
	}
	first := g.pending
	g.pending = false
	if changed := err == nil && g.learn(found); changed || first {
		f.assemble()
	}
	switch {
	case len(g.targets) == 0:
		return jittered(lookupRetry)
	case g.local():
		return -1
	}
	return jittered(lookupEvery)
}

// learn takes an answer of the resolver and reports whether it changes anything. An
// address that is missing gets no more requests, but its connections stay until it
// is missing once more: a resolver that gives some of many addresses at a time does
// not make all of them be closed and opened again and again. The fleet's mutex is
// held.
func (g *gateway) learn(found []netip.Addr) (changed bool) {
	addresses := make([]string, 0, len(found))
	for _, a := range found {
		if t := g.target(a.Unmap().String()).address; !slices.Contains(addresses, t) && len(addresses) < maxAddresses {
			addresses = append(addresses, t)
		}
	}
	if len(addresses) == 0 { // nothing is better than nothing: what was known stays
		return false
	}
	slices.Sort(addresses)
	known := map[string]*target{}
	for _, t := range slices.Concat(g.targets, g.missing) {
		known[t.address] = t
	}
	var now, missing []*target
	for _, a := range addresses {
		t := known[a]
		if t == nil {
			t = &target{gateway: g, address: a}
		}
		delete(known, a)
		now = append(now, t)
	}
	for _, t := range g.targets {
		if known[t.address] != nil {
			delete(known, t.address)
			missing = append(missing, t)
		}
	}
	for _, t := range known {
		t.retire()
	}
	changed = !slices.Equal(now, g.targets) || !slices.Equal(missing, g.missing)
	g.targets, g.missing = now, missing
	return changed
}
