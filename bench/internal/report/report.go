// Package report turns what was measured in rounds into figures that hold on a
// busy machine: medians, and ratios taken within each round.
package report

import (
	"slices"
)

// Spread is the least, the middle and the greatest of some values.
type Spread struct{ Min, Median, Max float64 }

// Of is the spread of values, all zero of none. The median of an even number
// of values is the mean of the two in the middle.
func Of(values []float64) Spread {
	if len(values) == 0 {
		return Spread{}
	}
	v := slices.Sorted(slices.Values(values))
	middle := v[len(v)/2]
	if len(v)%2 == 0 {
		middle = (v[len(v)/2-1] + middle) / 2
	}
	return Spread{v[0], middle, v[len(v)-1]}
}

// Ratios are those of the values of the same rounds, ours to theirs. Rounds
// that one of them lacks, and zeros of theirs, are left out.
func Ratios(ours, theirs []float64) []float64 {
	var all []float64
	for i := range min(len(ours), len(theirs)) {
		if theirs[i] != 0 {
			all = append(all, ours[i]/theirs[i])
		}
	}
	return all
}

// Figure is one thing that is measured.
type Figure string

// The figures, with their units.
const (
	CPU       Figure = "CPU µs/request"
	Rate      Figure = "requests/s"
	P50       Figure = "p50 µs"
	P99       Figure = "p99 µs"
	P999      Figure = "p99.9 µs"
	Memory    Figure = "resident MiB"
	Logged    Figure = "requests logged %"
	Idle      Figure = "bytes/idle connection"
	IdleTLS   Figure = "bytes/idle TLS connection"
	Processor Figure = "processor busy %" // the one that the proxy is bound to, by the proxy
)

// figures are all, in the order of a table.
var figures = [...]Figure{CPU, Rate, P50, P99, P999, Processor, Logged, Memory, Idle, IdleTLS}

// Run is everything of one workload.
type Run struct {
	Workload string
	Note     string     // what else a reader must know, such as the offered rate
	Ours     string     // name of the proxy that the others are compared with
	Proxies  []string   // in the order they took turns
	Rounds   []Measures // one a round
}

// Measures are what one round gave, by proxy.
type Measures map[string]map[Figure]float64

// Add sets a figure.
func (m Measures) Add(proxy string, f Figure, value float64) {
	if m[proxy] == nil {
		m[proxy] = map[Figure]float64{}
	}
	m[proxy][f] = value
}

// values are those of one figure of one proxy, one a round.
func (r *Run) values(proxy string, f Figure) []float64 {
	var all []float64
	for _, round := range r.Rounds {
		if v, ok := round[proxy][f]; ok {
			all = append(all, v)
		}
	}
	return all
}
