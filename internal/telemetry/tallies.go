package telemetry

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/homeward/homeward/internal/proxy"
	"github.com/homeward/homeward/route"
)

// tallies count what every request adds to. A request adds to those of its core;
// a scrape moves all into the totals. It is a prometheus.Collector.
type tallies struct {
	decisions, requests, times *prometheus.Desc
	scale                      *scale
	since                      time.Time // before it nothing was counted
	cores                      *stripes[tally]

	mu     sync.Mutex // taken after that of a tally
	totals totals
}

// totals are by the values of labels, which outlive a table.
type totals struct {
	decisions map[[4]string]uint64
	requests  map[[3]string]uint64
	durations map[[2]string]*durations
}

func newTallies() *tallies {
	return &tallies{
		decisions: prometheus.NewDesc("homeward_decisions_total",
			"Decisions, by outcome, the cell decided on, the cell the request was sent to (empty when refused) and the credential rule.",
			[]string{"outcome", "cell", "sent", "rule"}, nil),
		requests: prometheus.NewDesc("homeward_requests_total",
			"Requests answered, by the cell they were sent to and the class of the status; by is homeward for the edge's own answers.",
			[]string{"cell", "code", "by"}, nil),
		times: prometheus.NewDesc("homeward_request_duration_seconds",
			"From the head of the request read to the end of its answer, by the cell it was sent to and how long it is meant to last.",
			[]string{"cell", "type"}, nil),
		scale:  newScale([]float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}),
		since:  time.Now(),
		cores:  newStripes[tally](),
		totals: totals{map[[4]string]uint64{}, map[[3]string]uint64{}, map[[2]string]*durations{}},
	}
}

// count adds a request.
func (t *tallies) count(r *proxy.Record) {
	core := t.cores.take()
	core.mu.Lock()
	other := core.table != r.Table || core.series == nil
	if other {
		t.drain(core)
		core.begin(r.Table)
	}
	core.find(t.scale, r).add(t.scale, r)
	core.mu.Unlock()
	t.cores.give(core)
	if other {
		t.letGo(r.Table)
	}
}

// letGo drains the tallies of other tables: one that was replaced must not be
// kept by a core that nothing comes to.
func (t *tallies) letGo(now *route.Table) {
	for i := range t.cores.all {
		core := &t.cores.all[i]
		core.mu.Lock()
		if core.table != now && core.table != nil {
			t.drain(core)
			core.forget()
		}
		core.mu.Unlock()
	}
}

// drain moves the counts of a core to the totals. It must be called with the
// core's mu held.
func (t *tallies) drain(core *tally) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range core.series {
		if s.n == 0 {
			continue
		}
		sent := CellName(core.table, s.key.send)
		t.totals.requests[[3]string{sent, s.key.class(), s.key.by()}] += s.n
		if s.key.decided() {
			rule := ""
			if s.key.rule != route.None {
				rule = core.table.Rule(s.key.rule).Name
			}
			t.totals.decisions[[4]string{s.key.outcome.String(), CellName(core.table, s.key.cell), sent, rule}] += s.n
		}
		s.n = 0
	}
	for key, d := range core.durations {
		labels := [2]string{CellName(core.table, key.sent), key.kind.String()}
		if t.totals.durations[labels] == nil {
			t.totals.durations[labels] = newDurations(t.scale)
		}
		d.drainInto(t.totals.durations[labels])
	}
}

// Describe implements prometheus.Collector.
func (t *tallies) Describe(ch chan<- *prometheus.Desc) {
	ch <- t.decisions
	ch <- t.requests
	ch <- t.times
}

// Collect implements prometheus.Collector.
func (t *tallies) Collect(ch chan<- prometheus.Metric) {
	for i := range t.cores.all {
		core := &t.cores.all[i]
		core.mu.Lock()
		t.drain(core)
		core.mu.Unlock()
	}
	for _, m := range t.metrics() {
		ch <- m
	}
}

func (t *tallies) metrics() []prometheus.Metric {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []prometheus.Metric
	counter := func(desc *prometheus.Desc, n uint64, labels ...string) {
		all = append(all, prometheus.MustNewConstMetricWithCreatedTimestamp(desc, prometheus.CounterValue, float64(n), t.since, labels...))
	}
	for labels, n := range t.totals.decisions {
		counter(t.decisions, n, labels[:]...)
	}
	for labels, n := range t.totals.requests {
		counter(t.requests, n, labels[:]...)
	}
	for labels, d := range t.totals.durations {
		all = append(all, d.metric(t.scale, t.times, t.since, labels[:]...))
	}
	return all
}
