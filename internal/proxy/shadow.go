package proxy

import (
	"hash/maphash"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/homeward/homeward/internal/upstream"
	"github.com/homeward/homeward/route"
)

// shadow is a declared shadow as it is served.
type shadow struct {
	name       string
	of         string // name of the cell whose requests are copied
	paths      route.PathSet
	share      float64 // percent
	concurrent int
	timeout    time.Duration
	body       int64 // longest answer that is compared
	pool       *upstream.Pool
}

// newShadows are the shadows of each cell, by its index; nil when the topology
// declares none. pools are theirs, in declared order.
func newShadows(table *route.Table, pools []*upstream.Pool) [][]*shadow {
	declared := table.Topology().Shadows
	if len(declared) == 0 || pools == nil {
		return nil
	}
	index := map[string]int{}
	for i := range table.Cells() {
		index[table.Cells()[i].Name] = i
	}
	all := make([][]*shadow, len(table.Cells()))
	for i := range declared {
		d := &declared[i]
		s := &shadow{
			name: d.Name, of: d.Of, paths: route.NewPathSet(d.Paths), share: d.Share,
			concurrent: d.Concurrent, timeout: d.Timeout.Std(), body: int64(d.Body), pool: pools[i],
		}
		of := index[d.Of]
		all[of] = append(all[of], s)
	}
	return all
}

// declared is what this state says of a shadow of another one, nil when it is
// gone, is turned off, or copies another cell.
func (s *State) declared(of *shadow) *shadow {
	for _, list := range s.shadows {
		for _, h := range list {
			if h.name == of.name && h.of == of.of && h.share > 0 {
				return h
			}
		}
	}
	return nil
}

// sample is a request that shadows may get a copy of. It stands before the
// client's Answer and sees the content pass.
type sample struct {
	Answer
	shadows []*shadow
	fields  []route.Field // as the cell got them last
	digest  digest
}

// Write implements Answer.
func (s *sample) Write(piece []byte, more bool) error {
	s.digest.add(piece)
	return s.Answer.Write(piece, more)
}

// sent keeps the fields that the cell gets. The caller may change the list.
func (s *sample) sent(fields []route.Field) {
	if s != nil {
		s.fields = slices.Clone(fields)
	}
}

// sampled is the sample that the request is, nil when no shadow takes it.
func (x *exchange) sampled() *sample {
	candidates := x.state.shadows[x.rec.Decision.Send]
	if len(candidates) == 0 || !x.copyable() {
		return nil
	}
	var s *sample
	for _, h := range candidates {
		if rand.Float64()*100 >= h.share || !h.paths.Match(x.in.Origin) { //nolint:gosec // chooses a sample, guards nothing
			continue
		}
		if s == nil {
			s = &sample{Answer: x.out}
			s.digest.hash.SetSeed(x.proxy.copies.seed)
		}
		s.shadows = append(s.shadows, h)
		s.digest.limit = max(s.digest.limit, h.body)
	}
	return s
}

// copyable reports whether doing the request twice does no harm (RFC 9110
// section 9.2.1) and its answer is one that ends soon. A preflight is none that
// a client waits for by itself.
func (x *exchange) copyable() bool {
	in := x.in
	if in.Body != nil || in.Tunnel != nil || x.rec.Type != Short {
		return false
	}
	switch in.Method {
	case "GET", "HEAD":
		return true
	case "OPTIONS":
		return first(in.Fields, "Access-Control-Request-Method") == ""
	}
	return false
}

// digest stands for the content of an answer. Both sides of a comparison are
// hashed in this process with one seed that nobody outside can know, so the fast
// hash tells them apart as well as a cryptographic one would.
type digest struct {
	hash  maphash.Hash
	n     int64
	limit int64 // what is longer is counted and no longer hashed
}

func (d *digest) add(b []byte) {
	if d.n += int64(len(b)); d.n <= d.limit {
		_, _ = d.hash.Write(b) // never fails
	}
}

// over reports whether the content is longer than limit, or than what was hashed.
func (d *digest) over(limit int64) bool { return d.n > min(limit, d.limit) }

// content is what two contents that are not over their limits are compared by.
type content struct {
	n   int64
	sum uint64
}

func (d *digest) content() content { return content{d.n, d.hash.Sum64()} }
