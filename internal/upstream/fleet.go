package upstream

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/homeward/homeward/internal/eventloop"
	"github.com/homeward/homeward/internal/proxy/http1"
	"github.com/homeward/homeward/topology"
)

// Fleet is the gateways of one cell, or of a candidate, with a pool for each lane
// that had a request. It is safe for concurrent use.
type Fleet struct {
	now        func() time.Time
	log        *slog.Logger
	resolver   Resolver
	loop       *eventloop.Loop // nil for none
	buffers    *http1.Buffers
	background *background
	stats      *Stats

	settings atomic.Pointer[settings]
	roster   atomic.Pointer[roster]

	mu       sync.Mutex // locked before that of a pool, and after none
	gateways []*gateway
	begun    bool // names are looked up
	retired  bool
	lanes    map[string]bool  // whose pools are declared; shared by all fleets
	shadows  map[string]bool  // those of others that are; nil for none
	pools    map[string]*Pool // those of both that were made
	changed  chan struct{}    // closed when there is more to know
}

// settings are what may change without a connection being re-opened.
type settings struct {
	connect, keepFor, poolWait time.Duration
	maxIdle, maxOpen           int
	health                     *topology.Health // nil for no probes
	http2                      bool             // all gateways speak it
}

// roster is the addresses of all gateways at one time. It is immutable.
type roster struct {
	targets []*target // to be used
	missing []*target // whose connections are kept for now
}

// update takes what a topology says of the fleet: its gateways, those that are there
// already with their connections, and the names of its pools. Pools no longer named
// keep nothing from now on.
func (f *Fleet) update(s *settings, declared []*gateway, lanes, shadows map[string]bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.settings.Store(s)
	f.lanes, f.shadows = lanes, shadows
	for name, p := range f.pools {
		if !f.declares(name) {
			delete(f.pools, name)
			p.retire(retireOver)
		}
	}
	old := slices.Clone(f.gateways)
	next := make([]*gateway, 0, len(declared))
	for _, g := range declared {
		if i := slices.IndexFunc(old, func(o *gateway) bool { return o.identity == g.identity }); i >= 0 {
			g = old[i]
			old = slices.Delete(old, i, i+1)
		} else {
			g.join(f)
		}
		next = append(next, g)
	}
	for _, g := range old {
		g.retire()
	}
	f.gateways = next
	if f.begun || s.health != nil {
		f.begin()
	}
	f.assemble()
}

// declares reports whether the topology has a pool with this name. mu is held.
func (f *Fleet) declares(name string) bool { return f.lanes[name] || f.shadows[name] }

// begin has the names looked up, from now on. mu is held.
func (f *Fleet) begin() {
	f.begun = true
	for _, g := range f.gateways {
		if g.named() && g.lookup == nil && !f.retired {
			g.lookup = f.background.every(0, func(ctx context.Context) time.Duration { return f.lookUp(ctx, g) })
		}
	}
}

// assemble makes the roster anew if it is of other addresses, and wakes those who
// wait for one. mu is held.
func (f *Fleet) assemble() {
	next, now := &roster{}, f.roster.Load()
	for _, g := range f.gateways {
		next.targets = append(next.targets, g.targets...)
		next.missing = append(next.missing, g.missing...)
	}
	if now == nil || !slices.Equal(next.targets, now.targets) || !slices.Equal(next.missing, now.missing) {
		f.roster.Store(next)
	}
	close(f.changed)
	f.changed = make(chan struct{})
	f.tend()
}

// await waits, for no longer than connecting may take, until there is more to know than
// the roster in which an exchange found nothing, and reports whether there is. It
// does not wait when nothing is being looked up.
func (f *Fleet) await(ctx context.Context, seen *roster) bool {
	f.mu.Lock()
	changed, now := f.changed, f.roster.Load()
	pending := slices.ContainsFunc(f.gateways, func(g *gateway) bool { return g.pending })
	f.mu.Unlock()
	if now != seen || !pending {
		return now != seen
	}
	patience := time.NewTimer(f.settings.Load().connect)
	defer patience.Stop()
	select {
	case <-changed: // an answer of the resolver, of whatever kind
		return true
	case <-patience.C:
	case <-ctx.Done():
	}
	return false
}

// pool is the pool with a name. One whose name is no longer declared serves what
// began before, and keeps nothing.
func (f *Fleet) pool(name string) *Pool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if p := f.pools[name]; p != nil {
		return p
	}
	p := &Pool{Stats: f.stats, fleet: f, retired: f.retired || !f.declares(name)}
	if !p.retired {
		f.pools[name] = p
		f.stats.add(p)
	}
	f.begin()
	return p
}

// sweep closes connections that were idle for too long, and those to addresses that
// are gone.
func (f *Fleet) sweep() {
	f.mu.Lock()
	pools := make([]*Pool, 0, len(f.pools))
	for _, p := range f.pools {
		pools = append(pools, p)
	}
	f.mu.Unlock()
	for _, p := range pools {
		p.sweep()
	}
}

// retire ends the fleet: nothing is kept from now on, and idle connections are
// closed over the window.
func (f *Fleet) retire(window time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.retired = true
	for _, g := range f.gateways {
		g.retire()
	}
	for _, p := range f.pools {
		p.retire(window)
	}
	clear(f.pools)
}

// each calls fn for each gateway with the number of its addresses that are used like
// any other, and of those that are tried last.
func (f *Fleet) each(fn func(gateway string, up, down int)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, g := range f.gateways {
		n := 0
		for _, t := range g.targets {
			if t.condition() == up {
				n++
			}
		}
		fn(g.declared, n, len(g.targets)-n)
	}
}
