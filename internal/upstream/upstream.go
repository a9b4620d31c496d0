// Package upstream keeps the connections to the gateways of the cells: one
// Pool for each cell, dialing over TCP or TLS, reuse, and passive health.
//
// A pool belongs to what the topology says of its cell and lives as long as
// that stays the same: taking a new topology re-opens no connection of a cell
// that the change does not touch.
package upstream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"sync/atomic"
	"time"

	"github.com/homeward/homeward/internal/eventloop"
	"github.com/homeward/homeward/internal/proxy/http1"
	"github.com/homeward/homeward/internal/upstream/http2client"
)

// ErrUnavailable says that no gateway of a cell took a connection.
var ErrUnavailable = errors.New("no gateway of the cell takes connections")

// Conn is one HTTP/1.1 connection to a gateway. It belongs to one exchange at a
// time.
type Conn struct {
	net.Conn                      // with TLS, if there is any
	Transport eventloop.Transport // Conn itself, or below TLS
	Reader    *http1.Reader

	endpoint *endpoint
	since    time.Time // when it became idle
}

// Release gives the connection back: for reuse when the exchange on it ended
// cleanly, else to be closed.
func (c *Conn) Release(reusable bool) {
	if !reusable || c.Reader.Buffered() > 0 || !c.endpoint.keep(c) {
		c.discard()
	}
}

func (c *Conn) discard() {
	c.endpoint.stats.open.Add(-1)
	_ = c.Conn.Close()
}

// AllowRead limits how long reading may wait from now on, 0 for no limit.
func (c *Conn) AllowRead(d time.Duration) { c.Transport.AllowRead(d) }

// AllowWrite is AllowRead for writing.
func (c *Conn) AllowWrite(d time.Duration) { c.Transport.AllowWrite(d) }

// silentSocket is silent for a connection of package net.
func (c *Conn) silentSocket() bool {
	if !quiet(c.Transport) {
		return false
	}
	if _, ok := c.Conn.(*tls.Conn); !ok {
		return true
	}
	if c.SetReadDeadline(time.Unix(1, 0)) != nil { // what is there is read, nothing is waited for
		return false
	}
	return errors.Is(c.Reader.Await(), os.ErrDeadlineExceeded) && c.SetReadDeadline(time.Time{}) == nil
}

// Lease is the right to one exchange with a gateway: over HTTP/1.1 on a
// connection of its own, over HTTP/2 as a stream of a shared one. Exactly one of
// Conn and HTTP2 is set.
type Lease struct {
	Conn   *Conn
	HTTP2  *http2client.Conn // with a slot reserved, for one Begin or Release
	TLS    bool
	Reused bool // the connection carried a request before

	endpoint *endpoint
	taken    time.Time
}

// Gateway is the address that the connection was made to.
func (l *Lease) Gateway() string { return l.endpoint.address }

// Stats counts what the pools of a cell did, across their replacements. All may
// be read at any time.
type Stats struct {
	opened, open, reused, failed atomic.Int64
}

// Opened is the number of connections made.
func (s *Stats) Opened() int64 { return s.opened.Load() }

// Open is the number of connections now, busy and idle.
func (s *Stats) Open() int64 { return s.open.Load() }

// Reused is the number of times that a request found an idle connection.
func (s *Stats) Reused() int64 { return s.reused.Load() }

// Failed is the number of connections that could not be made.
func (s *Stats) Failed() int64 { return s.failed.Load() }

// Pool holds the connections to the gateways of one cell. It is safe for
// concurrent use.
type Pool struct {
	*Stats

	identity  string // what it was made from: equal for equal declarations
	http2     bool
	connect   time.Duration
	endpoints []*endpoint
	next      atomic.Uint32
	now       func() time.Time
}

func newPool(d declaration, stats *Stats, now func() time.Time, log *slog.Logger, loop *eventloop.Loop) (*Pool, error) {
	p := &Pool{Stats: stats, connect: d.timeouts.Connect.Std(), now: now, identity: d.identity(), http2: true}
	for _, gateway := range d.gateways {
		u, err := url.Parse(gateway)
		if err != nil {
			return nil, fmt.Errorf("%s: gateway %q is not an address", d.who, gateway)
		}
		e := &endpoint{loop: loop, stats: stats, maxIdle: d.maxIdle, keepFor: d.timeouts.UpstreamIdle.Std(), now: now}
		port, protocol := "80", "http/1.1"
		if overHTTP2(gateway) {
			protocol = "h2"
			e.http2 = &shared{write: d.timeouts.Write.Std(), log: log, room: make(chan struct{}, 1)}
		} else {
			p.http2 = false
		}
		if u.Scheme == "https" || u.Scheme == "h2" {
			if e.tls, err = d.tls.client(u.Hostname(), protocol); err != nil {
				return nil, fmt.Errorf("%s: %w", d.who, err)
			}
			port = "443"
		}
		if u.Port() != "" {
			port = u.Port()
		}
		e.address = net.JoinHostPort(u.Hostname(), port)
		p.endpoints = append(p.endpoints, e)
	}
	return p, nil
}

// HTTP2 reports whether all gateways of the pool speak HTTP/2.
func (p *Pool) HTTP2() bool { return p.http2 }

// Get returns an idle connection that is still open, or room on one that
// exchanges share, or makes one. Endpoints that failed a moment ago are tried
// last. The error wraps ErrUnavailable, or is that of ctx.
func (p *Pool) Get(ctx context.Context) (*Lease, error) {
	start := int(p.next.Add(1))
	for i := range p.endpoints {
		e := p.endpoints[(start+i)%len(p.endpoints)]
		if e.down() {
			continue
		}
		if l := e.kept(); l != nil {
			p.reused.Add(1)
			return l, nil
		}
		break // its turn, even if another has an idle connection: balance comes before reuse
	}
	return p.dial(ctx, start, time.Time{})
}

// Fresh is Get for a request that failed on a kept connection: it counts on none
// that was there then. One that another such request had made since is as good as
// its own, or each would make one when a shared connection ends.
func (p *Pool) Fresh(ctx context.Context, failed *Lease) (*Lease, error) {
	return p.dial(ctx, int(p.next.Load()), failed.taken)
}

// dial tries every endpoint once: first those not known to be down. Shared
// connections made after a time serve as well as a new one.
func (p *Pool) dial(ctx context.Context, start int, after time.Time) (*Lease, error) {
	var failures []error
	for _, wantDown := range []bool{false, true} {
		for i := range p.endpoints {
			e := p.endpoints[(start+i)%len(p.endpoints)]
			if e.down() != wantDown || e.failedIn(failures) {
				continue
			}
			l, err := e.lease(ctx, p.connect, after)
			if err == nil {
				return l, nil
			}
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			p.failed.Add(1)
			failures = append(failures, &dialError{e, err})
		}
	}
	return nil, fmt.Errorf("%w: %w", ErrUnavailable, errors.Join(failures...))
}

// kept is a lease on a connection that is there already, or nil.
func (e *endpoint) kept() *Lease {
	if e.http2 != nil {
		if c := e.http2.reserve(time.Time{}); c != nil {
			return &Lease{HTTP2: c, TLS: e.tls != nil, Reused: true, endpoint: e, taken: e.now()}
		}
		return nil
	}
	if c := e.idle(); c != nil {
		return &Lease{Conn: c, TLS: e.tls != nil, Reused: true, endpoint: e, taken: e.now()}
	}
	return nil
}

// lease is a lease on a new connection, or on a shared one made after a time.
func (e *endpoint) lease(ctx context.Context, timeout time.Duration, after time.Time) (*Lease, error) {
	if e.http2 != nil {
		c, made, err := e.http2.open(ctx, e, timeout, after)
		if err != nil {
			return nil, err
		}
		return &Lease{HTTP2: c, TLS: e.tls != nil, Reused: !made, endpoint: e, taken: e.now()}, nil
	}
	c, err := e.open(ctx, timeout)
	if err != nil {
		return nil, err
	}
	return &Lease{Conn: c, TLS: e.tls != nil, endpoint: e, taken: e.now()}, nil
}

// dialError names the endpoint that could not be reached.
type dialError struct {
	endpoint *endpoint
	err      error
}

func (e *dialError) Error() string { return e.endpoint.address + ": " + e.err.Error() }
func (e *dialError) Unwrap() error { return e.err }

func (e *endpoint) failedIn(failures []error) bool {
	for _, f := range failures {
		if d, ok := f.(*dialError); ok && d.endpoint == e { //nolint:errorlint // made unwrapped above
			return true
		}
	}
	return false
}

// retire stops reuse and closes idle connections one by one over the window,
// or the rest of them at once when stop closes. A shared connection whose turn it
// is takes nothing new, and closes as its last exchange ends.
func (p *Pool) retire(window time.Duration, stop <-chan struct{}) {
	var steps []func()
	for _, e := range p.endpoints {
		for _, c := range e.retire() {
			steps = append(steps, c.discard)
		}
		if e.http2 != nil {
			for _, c := range e.http2.retire() {
				steps = append(steps, c.Retire)
			}
		}
	}
	for i, step := range steps {
		if i > 0 {
			select {
			case <-stop:
			case <-time.After(window / time.Duration(len(steps))):
			}
		}
		step()
	}
}
