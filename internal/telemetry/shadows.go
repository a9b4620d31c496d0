package telemetry

import (
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/homeward/homeward/internal/proxy"
)

// tellEvery is how often at most the log tells of a copy that was answered
// otherwise: a candidate that is set up wrongly answers all of them so.
const tellEvery = 10 * time.Second

// Shadows counts what became of the copies that shadows got, and keeps those
// that were answered otherwise. It is a proxy.ShadowObserver and a
// prometheus.Collector, and safe for concurrent use.
type Shadows struct {
	log *slog.Logger
	now func() time.Time

	results   *prometheus.CounterVec
	durations *prometheus.HistogramVec
	differing *ring[proxy.Comparison]
	told      atomic.Int64 // when the log last told of one, in Unix nanoseconds
}

// NewShadows keeps the last n copies that were answered otherwise.
func NewShadows(n int, log *slog.Logger, now func() time.Time) *Shadows {
	return &Shadows{
		log: log, now: now, differing: newRing[proxy.Comparison](n),
		results: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "homeward_shadow_total",
			Help: "Requests chosen to be copied to a shadow, by what became of the copy.",
		}, []string{"shadow", "result"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "homeward_shadow_duration_seconds",
			Help:    "From the request sent to the head of the answer, of the requests whose copies were answered: at the cell, and of the copy.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"shadow", "side"}),
	}
}

// Shadowed implements proxy.ShadowObserver.
func (s *Shadows) Shadowed(c proxy.Comparison) {
	s.results.WithLabelValues(c.Shadow, c.Result.String()).Inc()
	if c.Copy.Status != 0 {
		s.durations.WithLabelValues(c.Shadow, "cell").Observe(c.Cell.Wait.Seconds())
		s.durations.WithLabelValues(c.Shadow, "copy").Observe(c.Copy.Wait.Seconds())
	}
	if !c.Result.Differs() {
		return
	}
	s.differing.add(c)
	now, told := s.now().UnixNano(), s.told.Load()
	if now-told < int64(tellEvery) || !s.told.CompareAndSwap(told, now) {
		return
	}
	said := []any{"shadow", c.Shadow, "result", c.Result.String(), "request_id", c.RequestID,
		"method", c.Method, "path", c.Path, "status", c.Cell.Status}
	if c.Copy.Status != 0 {
		said = append(said, "copy_status", c.Copy.Status)
	}
	if c.Kind != proxy.NoProblem {
		said = append(said, "why", c.Kind.String())
	}
	s.log.Info("a copy was answered otherwise than its request; the admin port has the last ones at /shadows", said...)
}

// Declare makes the series of a shadow, so that its results count from zero.
func (s *Shadows) Declare(shadow string) {
	for _, r := range proxy.ShadowResults() {
		s.results.WithLabelValues(shadow, r.String())
	}
}

// Differing returns up to n copies that were answered otherwise, the latest
// first.
func (s *Shadows) Differing(n int) []proxy.Comparison { return s.differing.last(n) }

// Describe implements prometheus.Collector.
func (s *Shadows) Describe(ch chan<- *prometheus.Desc) {
	s.results.Describe(ch)
	s.durations.Describe(ch)
}

// Collect implements prometheus.Collector.
func (s *Shadows) Collect(ch chan<- prometheus.Metric) {
	s.results.Collect(ch)
	s.durations.Collect(ch)
}
