package suite

import (
	"time"

	"github.com/homeward/homeward/bench/internal/load"
	"github.com/homeward/homeward/bench/internal/report"
)

// sum is the turns of one proxy in one round.
type sum struct {
	requests       int64
	took, cpu      time.Duration
	p50, p99, p999 []float64 // in µs, one of each turn
	logs           bool      // whether there is an access log
	lines          int64     // in it
}

func (s *sum) add(r load.Result, cpu time.Duration) {
	s.requests += r.Requests
	s.took += r.Took
	s.cpu += cpu
	s.p50 = append(s.p50, micros(r.P50))
	s.p99 = append(s.p99, micros(r.P99))
	s.p999 = append(s.p999, micros(r.P999))
}

// tell gives the figures of the round. Percentiles are the medians of those of
// the turns.
func (s *sum) tell(to report.Measures, proxy string) {
	to.Add(proxy, report.CPU, micros(s.cpu)/float64(s.requests))
	to.Add(proxy, report.Rate, float64(s.requests)/s.took.Seconds())
	to.Add(proxy, report.Processor, 100*s.cpu.Seconds()/s.took.Seconds())
	if s.logs {
		to.Add(proxy, report.Logged, 100*float64(s.lines)/float64(s.requests))
	}
	to.Add(proxy, report.P50, report.Of(s.p50).Median)
	to.Add(proxy, report.P99, report.Of(s.p99).Median)
	to.Add(proxy, report.P999, report.Of(s.p999).Median)
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
