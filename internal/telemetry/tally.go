package telemetry

import (
	"sync"

	"github.com/homeward/homeward/internal/proxy"
	"github.com/homeward/homeward/route"
)

// tally is what the requests of one core add to. Its mu is nobody else's but
// during a scrape.
type tally struct {
	mu        sync.Mutex
	table     *route.Table // that the indices of series and durations are of
	series    map[uint64]*series
	durations map[sentAs]*durations
	_         [64]byte // keeps the next core's lock out of this one's cache line
}

// series counts the requests of one key.
type series struct {
	key seriesKey
	n   uint64
	*durations
}

// sentAs is what the labels of a duration depend on.
type sentAs struct {
	sent route.Index
	kind proxy.RequestType
}

// add counts one more.
func (s *series) add(scale *scale, r *proxy.Record) {
	s.n++
	s.durations.add(scale, r.Duration)
}

// begin makes the tally one of another table. What it holds must have been
// drained.
func (c *tally) begin(table *route.Table) {
	c.table, c.series, c.durations = table, map[uint64]*series{}, map[sentAs]*durations{}
}

// forget lets go of its table. What it holds must have been drained.
func (c *tally) forget() { c.table, c.series, c.durations = nil, nil, nil }

// find is the series of a request, which is made when it is the first.
func (c *tally) find(scale *scale, r *proxy.Record) *series {
	key := keyOf(r)
	packed := key.pack()
	if s := c.series[packed]; s != nil {
		return s
	}
	as := sentAs{key.send, key.kind}
	if c.durations[as] == nil {
		c.durations[as] = newDurations(scale)
	}
	s := &series{key: key, durations: c.durations[as]}
	c.series[packed] = s
	return s
}

// seriesKey is everything in one table that the labels of a request depend on.
type seriesKey struct {
	outcome route.Outcome // 0 when nothing was decided
	cell    route.Index
	send    route.Index
	rule    route.Index
	code    uint8 // class of the status, 0 for none
	own     bool  // the edge's own answer
	kind    proxy.RequestType
}

func keyOf(r *proxy.Record) seriesKey {
	key := seriesKey{
		cell: route.None, send: route.None, rule: route.None,
		code: uint8(r.Status / 100), own: r.Kind != proxy.NoProblem || r.Own != "", kind: r.Type, //nolint:gosec // 0 to 9
	}
	if r.Decided {
		d := &r.Decision
		key.outcome, key.cell, key.send, key.rule = d.Outcome, d.Cell, d.Send, d.Rule
	}
	return key
}

// pack is the key as one word, which a map finds sooner than a struct.
func (k *seriesKey) pack() uint64 {
	w := uint64(uint16(k.cell)) | uint64(uint16(k.send))<<16 | uint64(uint16(k.rule))<<32 | //nolint:gosec // the bits, None too
		uint64(k.outcome&15)<<48 | uint64(k.code&15)<<52 | uint64(k.kind&7)<<56
	if k.own {
		w |= 1 << 59
	}
	return w
}

func (k *seriesKey) decided() bool { return k.outcome != 0 }

// by is who answered.
func (k *seriesKey) by() string {
	if k.own {
		return "homeward"
	}
	return "cell"
}

// class is the class of the status as the label has it.
func (k *seriesKey) class() string {
	if k.code == 0 {
		return "none"
	}
	return string('0'+rune(k.code)) + "xx"
}
