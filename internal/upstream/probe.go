package upstream

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/homeward/homeward/topology"
)

// probeAgent is what probes say they come from.
const probeAgent = "homeward-probe"

// tend starts and ends the probes of a fleet as it is declared. The fleet's mutex
// is held.
func (f *Fleet) tend() {
	wanted := f.settings.Load().health != nil && !f.retired
	for _, g := range f.gateways {
		for _, t := range g.targets {
			t.tend(wanted)
		}
		for _, t := range g.missing {
			t.tend(false)
		}
	}
}

// tend starts or ends the probes of an address. One that is no longer probed is not
// held to what they found.
func (t *target) tend(wanted bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case wanted && t.probe == nil && !t.retired:
		interval := t.gateway.fleet.settings.Load().health.Interval.Std()
		t.probe = t.gateway.background.every(jittered(interval/4), t.probed)
	case !wanted && t.probe != nil:
		t.probe.stop()
		t.probe = nil
		t.good, t.bad = 0, 0
		t.set(sickBit, false)
	}
}

// probed probes once and says when to do so again.
func (t *target) probed(ctx context.Context) (next time.Duration) {
	h := t.gateway.fleet.settings.Load().health
	if h == nil {
		return -1 // tend ends it
	}
	ctx, cancel := context.WithTimeout(ctx, h.Timeout.Std())
	defer cancel()
	err := t.gateway.check(ctx, t.address, h)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.probe == nil {
		return -1
	}
	if err == nil {
		t.good, t.bad = t.good+1, 0
	} else {
		t.good, t.bad = 0, t.bad+1
	}
	switch {
	case t.good >= h.Healthy:
		t.set(sickBit, false)
	case t.bad >= h.Unhealthy:
		t.set(sickBit, true)
	}
	return jittered(h.Interval.Std())
}

// check is one probe: a connection and, if a path is declared, a request of its own on
// it.
func (g *gateway) check(ctx context.Context, address string, h *topology.Health) error {
	if h.Path == "" {
		return g.connect(ctx, address)
	}
	scheme := "http"
	if g.tls != nil {
		scheme = "https"
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(!g.http2)
	protocols.SetHTTP2(g.http2)
	protocols.SetUnencryptedHTTP2(g.http2)
	transport := &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		},
		TLSClientConfig: g.tls.Clone(), Protocols: protocols, DisableKeepAlives: true, DisableCompression: true,
		MaxResponseHeaderBytes: 64 << 10,
	}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+net.JoinHostPort(g.host, g.port)+h.Path, nil)
	if err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	req.Header.Set("User-Agent", probeAgent)
	resp, err := transport.RoundTrip(req) // follows no redirect
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return fmt.Errorf("probe: status %d", resp.StatusCode)
	}
	return nil
}
