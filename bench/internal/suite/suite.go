package suite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/homeward/homeward/bench/internal/load"
	"github.com/homeward/homeward/bench/internal/report"
	"github.com/homeward/homeward/bench/peers"
)

// warmth is how long a proxy is loaded before its first turn of a round.
const warmth = time.Second

// Suite compares proxies.
type Suite struct {
	Setup    *peers.Setup
	Programs peers.Programs // of the proxies, and wrk and h2load
	Worker   []string       // command of a load.Worker
	Proxies  []string       // in the order in which they take turns; ours first
	Plan     Plan
	// The processor of the proxy that is measured, and that of all others.
	ProxyCPU, LoadCPU int
	Say               func(format string, args ...any) // tells of the progress
}

// Run measures one workload: every proxy in turn, again and again.
func (s *Suite) Run(ctx context.Context, w Workload) (*report.Run, error) {
	run := &report.Run{Workload: w.Name, Note: w.About + ".", Ours: peers.Ours, Proxies: s.Proxies}
	if w.how == idle {
		return run, s.idle(ctx, w, run)
	}
	proxies, err := s.start(ctx, w)
	defer func() { stop(proxies) }()
	if err != nil {
		return nil, err
	}
	var rate float64
	if w.how == half {
		if rate, proxies, err = s.halve(ctx, w, run, proxies); err != nil {
			return nil, fmt.Errorf("%s: %w", w.Name, err)
		}
	}
	for n := range s.Plan.Rounds {
		measures := report.Measures{}
		if err := s.round(ctx, w, rate, proxies, measures); err != nil {
			return nil, fmt.Errorf("%s, round %d: %w", w.Name, n+1, err)
		}
		run.Rounds = append(run.Rounds, measures)
		s.tell(w.Name, n, measures, report.CPU)
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
func (s *Suite) round(ctx context.Context, w Workload, rate float64, proxies []*peers.Proxy, to report.Measures) error {
	sums := make([]sum, len(proxies))
	for n := range s.Plan.Slices {
		for i, p := range proxies {
			if n == 0 {
				if _, err := s.load(ctx, w, p, rate, warmth); err != nil {
					return fmt.Errorf("warm %s: %w", p.Name, err)
				}
			}
			if err := s.slice(ctx, w, p, rate, &sums[i]); err != nil {
				return fmt.Errorf("%s: %w", p.Name, errors.Join(err, p.Alive()))
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
func (s *Suite) slice(ctx context.Context, w Workload, p *peers.Proxy, rate float64, to *sum) error {
	if err := p.TrimLog(); err != nil {
		return err
	}
	before, err := p.CPU()
	if err != nil {
		return err
	}
	got, err := s.load(ctx, w, p, rate, s.Plan.Slice)
	if err != nil {
		return err
	}
	if w.accessLog { // before the clock is read: writing it is part of the work
		if err := s.logged(ctx, p, got.Requests, to); err != nil {
			return err
		}
	}
	after, err := p.CPU()
	if err != nil {
		return err
	}
	to.add(got, after-before)
	return nil
}

// load loads a proxy with a workload for a time, at a rate if it has one.
func (s *Suite) load(ctx context.Context, w Workload, p *peers.Proxy, rate float64, d time.Duration) (load.Result, error) {
	target := w.target(s.Setup, p)
	worker := load.Worker{Command: s.Worker, CPU: s.LoadCPU}
	switch w.how {
	case saturateH2:
		h2 := load.H2Load{Program: s.Programs["h2load"], CPU: s.LoadCPU, Dir: s.Setup.Dir, Connections: w.connections, Streams: h2Streams}
		return h2.Run(ctx, target, d)
	case handshakes:
		return worker.Run(ctx, load.Job{Kind: load.Handshakes, Target: target, Connections: w.connections, Duration: d})
	case half:
		return worker.Run(ctx, load.Job{Kind: load.OpenLoop, Target: target, Connections: halfConnections, Rate: rate, Duration: d})
	}
	wrk := load.Wrk{Program: s.Programs["wrk"], CPU: s.LoadCPU, Dir: s.Setup.Dir, Connections: w.connections}
	return wrk.Run(ctx, target, d)
}

// tell says what a round has given.
func (s *Suite) tell(workload string, n int, m report.Measures, figure report.Figure) {
	line := ""
	for _, name := range s.Proxies {
		theirs, ok := m[name][figure]
		if !ok {
			continue
		}
		line += fmt.Sprintf("  %s %.1f", name, theirs)
		if ours := m[peers.Ours][figure]; name != peers.Ours && ours > 0 && theirs > 0 {
			line += fmt.Sprintf(" (ratio %.2f)", ours/theirs)
		}
	}
	s.Say("%s round %d of %d, %s:%s", workload, n+1, s.Plan.Rounds, figure, line)
}
