package suite

import (
	"context"
	"fmt"
	"time"

	"github.com/homeward/homeward/bench/internal/load"
	"github.com/homeward/homeward/bench/internal/report"
	"github.com/homeward/homeward/bench/peers"
)

// Suite compares proxies.
type Suite struct {
	Setup    *peers.Setup
	Programs peers.Programs // of the proxies and of wrk and h2load
	Proxies  []string       // in the order in which they take turns; ours first
	Plan     Plan
	// The processor of the proxy that is measured, and that of all others.
	ProxyCPU, LoadCPU int
	Say               func(format string, args ...any) // tells of the progress
}

// Run measures one workload: every proxy in turn, again and again.
func (s *Suite) Run(ctx context.Context, w Workload) (*report.Run, error) {
	run := &report.Run{Workload: w.Name, Note: w.About + ".", Ours: peers.Ours, Proxies: s.Proxies}
	proxies, err := s.start(ctx, w)
	defer stop(proxies)
	if err != nil {
		return nil, err
	}
	for n := range s.Plan.Rounds {
		measures := report.Measures{}
		if err := s.round(ctx, w, proxies, measures); err != nil {
			return nil, fmt.Errorf("%s, round %d: %w", w.Name, n+1, err)
		}
		run.Rounds = append(run.Rounds, measures)
		s.tell(w.Name, n, measures)
	}
	return run, nil
}

// start runs all proxies anew, for one workload.
func (s *Suite) start(ctx context.Context, w Workload) (proxies []*peers.Proxy, err error) {
	for _, name := range s.Proxies {
		p, err := s.Setup.Start(ctx, name, s.Programs[name], s.ProxyCPU, w.accessLog)
		if err != nil {
			return proxies, err
		}
		proxies = append(proxies, p)
	}
	return proxies, nil
}

func stop(proxies []*peers.Proxy) {
	for _, p := range proxies {
		p.Stop()
	}
}

// round lets every proxy take its turns once.
func (s *Suite) round(ctx context.Context, w Workload, proxies []*peers.Proxy, to report.Measures) error {
	sums := make([]sum, len(proxies))
	for n := range s.Plan.Slices {
		for i, p := range proxies {
			if n == 0 {
				if _, err := s.load(ctx, w, p, time.Second); err != nil {
					return fmt.Errorf("warm %s: %w", p.Name, err)
				}
			}
			if err := s.slice(ctx, w, p, &sums[i]); err != nil {
				return fmt.Errorf("%s: %w", p.Name, err)
			}
		}
	}
	for i, p := range proxies {
		sums[i].tell(to, p.Name)
		memory, err := p.Memory()
		if err != nil {
			return err
		}
		to.Add(p.Name, report.Memory, float64(memory)/(1<<20))
	}
	return nil
}

// slice is one turn of a proxy.
func (s *Suite) slice(ctx context.Context, w Workload, p *peers.Proxy, to *sum) error {
	before, err := p.CPU()
	if err != nil {
		return err
	}
	got, err := s.load(ctx, w, p, s.Plan.Slice)
	if err != nil {
		return err
	}
	after, err := p.CPU()
	if err != nil {
		return err
	}
	to.add(got, after-before)
	return nil
}

// load loads a proxy with a workload for a time.
func (s *Suite) load(ctx context.Context, w Workload, p *peers.Proxy, d time.Duration) (load.Result, error) {
	wrk := load.Wrk{Program: s.Programs["wrk"], CPU: s.LoadCPU, Dir: s.Setup.Dir, Connections: w.connections}
	return wrk.Run(ctx, w.target(s.Setup, p), d)
}

// tell says what a round has given.
func (s *Suite) tell(workload string, n int, m report.Measures) {
	line := ""
	for _, name := range s.Proxies {
		line += fmt.Sprintf("  %s %.1f µs", name, m[name][report.CPU])
		if ours := m[peers.Ours][report.CPU]; name != peers.Ours && m[name][report.CPU] > 0 {
			line += fmt.Sprintf(" (ratio %.2f)", ours/m[name][report.CPU])
		}
	}
	s.Say("%s round %d of %d:%s", workload, n+1, s.Plan.Rounds, line)
}
