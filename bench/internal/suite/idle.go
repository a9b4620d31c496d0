package suite

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/homeward/homeward/bench/internal/load"
	"github.com/homeward/homeward/bench/internal/report"
	"github.com/homeward/homeward/bench/peers"
)

// idle measures what connections cost that say nothing: the memory of a fresh
// proxy with a few, and with 10,000 more. The few are there so that what a
// proxy takes once is not counted.
func (s *Suite) idle(ctx context.Context, w Workload, run *report.Run) error {
	for n := range s.Plan.Rounds {
		measures := report.Measures{}
		for _, name := range s.Proxies {
			for _, secure := range []bool{false, true} {
				if err := s.hold(ctx, w, name, secure, measures); err != nil {
					return fmt.Errorf("%s, round %d, %s: %w", w.Name, n+1, name, err)
				}
			}
		}
		run.Rounds = append(run.Rounds, measures)
		s.tell(w.Name, n, measures, report.Idle)
		s.tell(w.Name, n, measures, report.IdleTLS)
	}
	return nil
}

// hold measures one proxy, started for it.
func (s *Suite) hold(ctx context.Context, w Workload, name string, secure bool, to report.Measures) error {
	const few = 256
	p, err := s.Setup.Start(ctx, name, s.Programs[name], s.ProxyCPU, false)
	if err != nil {
		return err
	}
	defer p.Stop()
	w.tls = secure
	var held load.Held
	defer held.Close()
	if err := held.Hold(ctx, w.target(s.Setup, p), few); err != nil {
		return err
	}
	before, err := s.settled(ctx, p)
	if err != nil {
		return err
	}
	if err := held.Hold(ctx, w.target(s.Setup, p), idleConnections); err != nil {
		return err
	}
	after, err := s.settled(ctx, p)
	if err != nil {
		return err
	}
	if err := held.Check(); err != nil {
		return err
	}
	figure := report.Idle
	if secure {
		figure = report.IdleTLS
	} else {
		to.Add(name, report.Memory, after/(1<<20))
	}
	to.Add(name, figure, (after-before)/idleConnections)
	return nil
}

// settled is the memory of a proxy once it changes no more, in bytes, or what
// it is after ten seconds.
func (s *Suite) settled(ctx context.Context, p *peers.Proxy) (float64, error) {
	const (
		pause  = 500 * time.Millisecond
		looks  = 20
		steady = 5 // looks in a row
		within = 0.005
	)
	last, same := 0.0, 0
	for range looks {
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(pause):
		}
		n, err := p.Memory()
		if err != nil {
			return 0, err
		}
		now := float64(n)
		same++
		if math.Abs(now-last) > within*now {
			last, same = now, 0
		}
		if same == steady {
			return now, nil
		}
	}
	return last, nil
}
