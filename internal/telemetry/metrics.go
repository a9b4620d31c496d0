package telemetry

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/homeward/homeward/internal/proxy"
	"github.com/homeward/homeward/route"
)

// Metrics counts requests and decisions. Every label value comes from the
// topology or from this program: no client can make a new series. It is safe for
// concurrent use.
type Metrics struct {
	registry  *prometheus.Registry
	decisions *prometheus.CounterVec
	requests  *prometheus.CounterVec
	durations *prometheus.HistogramVec
	problems  *prometheus.CounterVec
	aborted   *prometheus.CounterVec
	calls     *prometheus.CounterVec
	reloads   *prometheus.CounterVec

	mu     sync.RWMutex
	table  *route.Table // whose requests series counts
	series map[seriesKey]*series
}

// seriesKey is everything in one table that the labels of a request depend on.
type seriesKey struct {
	outcome route.Outcome
	cell    route.Index
	send    route.Index
	rule    route.Index
	code    int8 // class of the status
	own     bool // the edge's own answer
	kind    proxy.RequestType
}

// series are the label children of one key, held so that counting a request
// looks up no labels.
type series struct {
	decision, request prometheus.Counter
	duration          prometheus.Observer
}

// NewMetrics makes a registry of its own with the edge's metrics.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		series:   map[seriesKey]*series{},
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "homeward_decisions_total",
			Help: "Decisions, by outcome, the cell decided on, the cell the request was sent to (empty when refused) and the credential rule.",
		}, []string{"outcome", "cell", "sent", "rule"}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "homeward_requests_total",
			Help: "Requests answered, by the cell they were sent to and the class of the status; by is homeward for the edge's own answers.",
		}, []string{"cell", "code", "by"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:                            "homeward_request_duration_seconds",
			Help:                            "From the head of the request read to the end of its answer, by the cell it was sent to and how long it is meant to last.",
			Buckets:                         []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
			NativeHistogramBucketFactor:     1.1,
			NativeHistogramMaxBucketNumber:  100,
			NativeHistogramMinResetDuration: time.Hour,
		}, []string{"cell", "type"}),
		problems: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "homeward_problems_total",
			Help: "Answers that the edge made itself because of an error, and answers broken off, by kind.",
		}, []string{"kind"}),
		aborted: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "homeward_aborted_total",
			Help: "Exchanges that were broken off, by who did.",
		}, []string{"by"}),
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "homeward_grpc_calls_total",
			Help: "gRPC calls, by the cell they were sent to and their status; none when a call ended without one.",
		}, []string{"cell", "status"}),
		reloads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "homeward_topology_loads_total",
			Help: "Topologies taken and refused while running.",
		}, []string{"result"}),
	}
	m.registry.MustRegister(m.decisions, m.requests, m.durations, m.problems, m.aborted, m.calls, m.reloads,
		runtimeCollector(), processCollector())
	for _, k := range proxy.Kinds() {
		m.problems.WithLabelValues(k.String())
	}
	for _, r := range []string{"taken", "refused"} {
		m.reloads.WithLabelValues(r)
	}
	return m
}

// runtimeCollector collects what the Go runtime tells of itself. Its successor in
// package collectors would bring database/sql into the data plane.
func runtimeCollector() prometheus.Collector {
	return prometheus.NewGoCollector() //lint:ignore SA1019 see above
}

// processCollector collects what the system tells of the process; see runtimeCollector.
func processCollector() prometheus.Collector {
	return prometheus.NewProcessCollector(prometheus.ProcessCollectorOpts{}) //lint:ignore SA1019 see above
}

// Register adds a collector of another part of the edge.
func (m *Metrics) Register(c prometheus.Collector) { m.registry.MustRegister(c) }

// Loaded counts a topology that was taken, or refused with err.
func (m *Metrics) Loaded(err error) {
	result := "taken"
	if err != nil {
		result = "refused"
	}
	m.reloads.WithLabelValues(result).Inc()
}

// Handler serves the metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// Done implements proxy.Observer.
func (m *Metrics) Done(r *proxy.Record) {
	s := m.find(r)
	if s.decision != nil {
		s.decision.Inc()
	}
	s.request.Inc()
	s.duration.Observe(r.Duration.Seconds())
	if r.Kind != proxy.NoProblem {
		m.problems.WithLabelValues(r.Kind.String()).Inc()
	}
	if r.Type == proxy.GRPC {
		m.calls.WithLabelValues(sentTo(r), grpcStatus(r.GRPC)).Inc()
	}
	if r.Aborted != proxy.NotAborted {
		m.aborted.WithLabelValues(r.Aborted.String()).Inc()
	}
}

// grpcStatus is a status as the label has it.
func grpcStatus(code int8) string {
	if code < 0 {
		return "none"
	}
	return strconv.Itoa(int(code))
}

// sentTo is the cell that a request was sent to, "" when it was sent nowhere.
func sentTo(r *proxy.Record) string {
	if !r.Decided {
		return ""
	}
	return CellName(r.Table, r.Decision.Send)
}

func (m *Metrics) find(r *proxy.Record) *series {
	key := seriesKey{cell: route.None, send: route.None, rule: route.None, code: int8(r.Status / 100), own: r.Kind != proxy.NoProblem || r.Own != "", kind: r.Type} //nolint:gosec // 0 to 9
	if r.Decided {
		d := &r.Decision
		key.outcome, key.cell, key.send, key.rule = d.Outcome, d.Cell, d.Send, d.Rule
	}
	m.mu.RLock()
	s, ok := m.series[key]
	ok = ok && m.table == r.Table
	m.mu.RUnlock()
	if ok {
		return s
	}
	return m.add(key, r)
}

func (m *Metrics) add(key seriesKey, r *proxy.Record) *series {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.table != r.Table { // a table that was replaced must not be kept
		m.table = r.Table
		clear(m.series)
	}
	sent, by := CellName(r.Table, key.send), "cell"
	if key.own {
		by = "homeward"
	}
	code := "none"
	if key.code > 0 {
		code = string('0'+rune(key.code)) + "xx"
	}
	s := &series{
		request:  m.requests.WithLabelValues(sent, code, by),
		duration: m.durations.WithLabelValues(sent, key.kind.String()),
	}
	if r.Decided {
		rule := ""
		if key.rule != route.None {
			rule = r.Table.Rule(key.rule).Name
		}
		s.decision = m.decisions.WithLabelValues(key.outcome.String(), CellName(r.Table, key.cell), sent, rule)
	}
	m.series[key] = s
	return s
}
