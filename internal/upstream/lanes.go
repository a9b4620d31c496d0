package upstream

import "sync/atomic"

// Lanes are the pools of a fleet under one topology, by lane. It is safe for
// concurrent use.
type Lanes struct {
	fleet *Fleet
	names []string // of all lanes; shared by all cells

	// made is nil until the first request: most lanes of most cells never have one.
	made atomic.Pointer[[]atomic.Pointer[Pool]]
}

// HTTP2 reports whether all gateways speak HTTP/2.
func (l *Lanes) HTTP2() bool { return l.fleet.settings.Load().http2 }

// Pool is the pool of a lane, by its index in the topology with its defaults.
func (l *Lanes) Pool(lane int) *Pool {
	made := l.made.Load()
	if made == nil {
		fresh := make([]atomic.Pointer[Pool], len(l.names))
		if !l.made.CompareAndSwap(nil, &fresh) {
			made = l.made.Load()
		} else {
			made = &fresh
		}
	}
	slot := &(*made)[lane]
	p := slot.Load()
	if p == nil {
		p = l.fleet.pool(l.names[lane])
		slot.Store(p)
	}
	return p
}
