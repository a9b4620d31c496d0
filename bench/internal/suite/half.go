package suite

import (
	"context"
	"fmt"
	"slices"

	"github.com/homeward/homeward/bench/internal/load"
	"github.com/homeward/homeward/bench/internal/report"
	"github.com/homeward/homeward/bench/peers"
)

// headroom is how much more than the offered rate a peer must be able to serve
// to be measured at it: below that it would be measured drowning.
const headroom = 1.05

// halve finds the rate that is offered to all: half of what nginx serves at
// most, or the first of the peers where nginx does not take part. It returns
// ours and the peers that can serve it, and notes and stops the others.
func (s *Suite) halve(ctx context.Context, w Workload, run *report.Run, proxies []*peers.Proxy) (float64, []*peers.Proxy, error) {
	capacities := map[string]float64{}
	for _, p := range proxies {
		var err error
		if capacities[p.Name], err = s.capacity(ctx, w, p); err != nil {
			return 0, proxies, fmt.Errorf("capacity of %s: %w", p.Name, err)
		}
	}
	measure := s.Proxies[1]
	if slices.Contains(s.Proxies, peers.Nginx) {
		measure = peers.Nginx
	}
	rate := float64(int(capacities[measure] / 2))
	run.Note = fmt.Sprintf("%s. Offered to each: %.0f requests/s, half of what %s served at most.", w.About, rate, measure)
	able := slices.DeleteFunc(slices.Clone(proxies), func(p *peers.Proxy) bool {
		return p.Name != peers.Ours && capacities[p.Name] < headroom*rate
	})
	for _, p := range proxies {
		if !slices.Contains(able, p) {
			note := fmt.Sprintf(" %s is left out: it served %.0f at most.", p.Name, capacities[p.Name])
			s.Say("%s:%s", w.Name, note)
			run.Note += note
			p.Stop()
		}
	}
	run.Proxies = nil
	for _, p := range able {
		run.Proxies = append(run.Proxies, p.Name)
	}
	return rate, able, nil
}

// capacity is the requests a second that a proxy serves at most: the best of
// three short runs, since only disturbances make one worse.
func (s *Suite) capacity(ctx context.Context, w Workload, p *peers.Proxy) (float64, error) {
	wrk := load.Wrk{Program: s.Programs["wrk"], CPU: s.LoadCPU, Dir: s.Setup.Dir, Connections: w.connections}
	best := 0.0
	for range 3 {
		got, err := wrk.Run(ctx, w.target(s.Setup, p), warmth)
		if err != nil {
			return 0, err
		}
		best = max(best, float64(got.Requests)/got.Took.Seconds())
	}
	return best, nil
}
