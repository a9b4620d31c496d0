package upstream

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// gateway is one declared endpoint: an address, or a name that has some. It is
// made inert; the fleet that it becomes a part of gives it its place and its life.
type gateway struct {
	identity string // equal for two declarations that the same connections serve
	declared string // as the topology has it
	host     string
	port     string
	tls      *tls.Config   // nil for plain TCP
	http2    bool          // what it speaks
	write    time.Duration // timeouts.write, for connections of HTTP/2

	fleet      *Fleet
	background *background

	// Guarded by the fleet's mutex.
	targets []*target // to be used
	missing []*target // not in the last answer of the resolver, but in the one before
	lookup  *chore    // nil for an address, and before the first request
	pending bool      // no lookup has ended yet
}

func newGateway(d *declaration, declared string) (*gateway, error) {
	u, err := url.Parse(declared)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("%s: gateway %q is not an address", d.who, declared)
	}
	g := &gateway{identity: d.identity(declared), declared: declared, host: u.Hostname(), http2: overHTTP2(declared), write: d.write}
	protocol, port := "http/1.1", "80"
	if g.http2 {
		protocol = "h2"
	}
	if u.Scheme == "https" || u.Scheme == "h2" {
		if g.tls, err = d.tls.client(g.host, protocol); err != nil {
			return nil, fmt.Errorf("%s: %w", d.who, err)
		}
		port = "443"
	}
	if g.port = u.Port(); g.port == "" {
		g.port = port
	}
	return g, nil
}

// join makes the gateway a part of a fleet. A name has no target yet.
func (g *gateway) join(f *Fleet) {
	g.fleet, g.background = f, f.background
	if _, err := netip.ParseAddr(g.host); err == nil {
		g.targets = []*target{g.target(g.host)}
		return
	}
	g.pending = true
}

func (g *gateway) target(host string) *target {
	return &target{gateway: g, address: net.JoinHostPort(host, g.port)}
}

// named reports whether the gateway is to be looked up.
func (g *gateway) named() bool {
	_, err := netip.ParseAddr(g.host)
	return err != nil
}

// local reports whether the name means this machine, whatever a resolver says
// (RFC 6761 section 6.3): one look is enough.
func (g *gateway) local() bool {
	host := strings.ToLower(strings.TrimSuffix(g.host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// retire ends what goes on for a gateway that is no longer declared. The fleet's
// mutex is held.
func (g *gateway) retire() {
	g.lookup.stop()
	for _, list := range [][]*target{g.targets, g.missing} {
		for _, t := range list {
			t.retire()
		}
	}
}

// connect tries whether a connection can be made, and closes it.
func (g *gateway) connect(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, g.fleet.settings.Load().connect)
	defer cancel()
	var d net.Dialer
	nc, err := d.DialContext(ctx, "tcp", address)
	if err == nil && g.tls != nil {
		nc, err = encrypt(ctx, nc, g.tls)
	}
	if err != nil {
		return err
	}
	return nc.Close()
}
