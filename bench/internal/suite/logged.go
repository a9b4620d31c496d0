package suite

import (
	"context"
	"time"

	"github.com/homeward/homeward/bench/peers"
)

// flush is how long a log may be behind: nginx is told to write it every second.
const flush = 1200 * time.Millisecond

// logged waits for the access log of a turn to be written and counts its lines.
func (s *Suite) logged(ctx context.Context, p *peers.Proxy, requests int64, to *sum) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(flush):
	}
	lines, err := p.LogLines()
	if err != nil {
		return err
	}
	to.lines += min(lines, requests) // some requests under way at the end are logged and not counted
	to.logs = true
	return nil
}
