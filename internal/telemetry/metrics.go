package telemetry

import (
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/homeward/homeward/internal/proxy"
)

// Metrics counts requests and decisions. Every label value comes from the
// topology or from this program: no client can make a new series. It is safe for
// concurrent use.
type Metrics struct {
	registry *prometheus.Registry
	tallies  *tallies // of what every request adds to
	problems *prometheus.CounterVec
	aborted  *prometheus.CounterVec
	calls    *prometheus.CounterVec
	reloads  *prometheus.CounterVec
}

// NewMetrics makes a registry of its own with the edge's metrics.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		tallies:  newTallies(),
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
	m.registry.MustRegister(m.tallies, m.problems, m.aborted, m.calls, m.reloads,
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
	m.tallies.count(r)
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
