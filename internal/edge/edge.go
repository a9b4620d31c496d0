// Package edge wires the decision, the pools and the proxy into one server: the
// process that stands in front of all cells.
package edge

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/homeward/homeward/internal/eventloop"
	"github.com/homeward/homeward/internal/proxy"
	"github.com/homeward/homeward/internal/telemetry"
	"github.com/homeward/homeward/internal/upstream"
	"github.com/homeward/homeward/route"
	"github.com/homeward/homeward/topology"
)

// recentDecisions is how many requests the admin port can tell of.
const recentDecisions = 256

// logGrace is how long a stopping edge waits for the writer of its access log.
const logGrace = 2 * time.Second

// ErrClosed is what Serve returns after Shutdown.
var ErrClosed = proxy.ErrServerClosed

// Config is what an edge is made of.
type Config struct {
	Topology  *topology.Topology // valid; required
	Log       *slog.Logger       // nil discards
	AccessLog io.Writer          // JSON lines, one a request; nil for none
	Observers []proxy.Observer   // told of every request besides

	// For the metrics: certificates from files, and those got from an
	// authority. nil for none.
	FileCertificates, ObtainedCertificates Certificates
	// Goroutines has each connection wait in a goroutine of its own, as on systems
	// without an event loop.
	Goroutines bool
	// Challenges answers that authority; nil for none.
	Challenges proxy.Challenges
}

// Edge is one edge. It is safe for concurrent use.
type Edge struct {
	log     *slog.Logger
	proxy   *proxy.Proxy
	server  *proxy.Server
	pools   *upstream.Set
	metrics *telemetry.Metrics
	recent  *telemetry.Recent
	access  *telemetry.AccessLog // nil for none
	copies  *telemetry.Shadows

	loop *eventloop.Loop // nil for none

	load     sync.Mutex // one topology at a time
	loadedAt atomic.Int64
	draining atomic.Bool
}

// Open makes an edge: it reads the TLS files that the topology names, connects to
// nothing and listens to nothing yet. Shutdown ends it.
func Open(c Config) (*Edge, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	loop, err := openLoop(c)
	if err != nil {
		return nil, err
	}
	e := &Edge{
		log: c.Log, loop: loop, pools: upstream.OpenSet(upstream.Options{Now: clock(loop), Log: c.Log, Loop: loop}),
		metrics: telemetry.NewMetrics(), recent: telemetry.NewRecent(recentDecisions),
		copies: telemetry.NewShadows(recentShadows, c.Log, time.Now),
	}
	state, _, err := e.prepare(c.Topology)
	if err != nil {
		e.closePools()
		return nil, err
	}
	observers := append(observers{e.metrics, e.recent}, c.Observers...)
	if c.AccessLog != nil {
		e.access = telemetry.OpenAccessLog(c.AccessLog)
		observers = append(observers, e.access)
	}
	e.proxy = proxy.New(state, observers, c.Log, clock(loop))
	e.proxy.AnswerChallenges(c.Challenges)
	e.proxy.ObserveShadows(e.copies)
	e.server = proxy.OpenServer(e.proxy, loop)
	e.loadedAt.Store(time.Now().Unix())
	e.metrics.Register(&collector{edge: e})
	e.metrics.Register(e.copies)
	e.metrics.Register(&certificateCollector{files: c.FileCertificates, obtained: c.ObtainedCertificates})
	return e, nil
}

// openLoop opens the event loop that all connections wait in, or none.
func openLoop(c Config) (*eventloop.Loop, error) {
	if c.Goroutines {
		return nil, nil
	}
	loop, err := eventloop.Open()
	if errors.Is(err, eventloop.ErrUnsupported) {
		return nil, nil
	}
	return loop, err
}

// clock tells the time of requests.
func clock(loop *eventloop.Loop) func() time.Time {
	if loop == nil {
		return time.Now
	}
	return loop.Time
}

func (e *Edge) closePools() {
	e.pools.Close()
	if e.loop != nil {
		e.loop.Close()
	}
}

// observers tell each of them.
type observers []proxy.Observer

// Done implements proxy.Observer.
func (o observers) Done(r *proxy.Record) {
	for _, observer := range o {
		observer.Done(r)
	}
}

// prepare makes the state for a topology, and tells which cells are no longer
// declared.
func (e *Edge) prepare(t *topology.Topology) (*proxy.State, []*upstream.Fleet, error) {
	table, err := route.Compile(t)
	if err != nil {
		return nil, nil, fmt.Errorf("compile the topology: %w", err)
	}
	applied, err := e.pools.Apply(table.Topology())
	if err != nil {
		return nil, nil, fmt.Errorf("prepare the gateways: %w", err)
	}
	state, err := proxy.NewState(table, applied)
	if err != nil {
		return nil, nil, err
	}
	for i := range t.Shadows {
		e.copies.Declare(t.Shadows[i].Name)
	}
	return state, applied.Retired, nil
}

// Load takes another topology, whole or not at all: after an error the edge
// goes on with the one it has. Requests under way end under the old one, and the
// connections of cells that did not change stay.
func (e *Edge) Load(t *topology.Topology) error {
	e.load.Lock()
	defer e.load.Unlock()
	old := e.proxy.State().Table.Topology()
	state, retired, err := e.prepare(t)
	e.metrics.Loaded(err)
	if err != nil {
		return err
	}
	e.proxy.Swap(state)
	e.pools.Retire(retired)
	e.loadedAt.Store(time.Now().Unix())
	changes := topology.Diff(old, state.Table.Topology())
	for _, c := range changes {
		e.log.Info("topology changed", "path", c.Path, "change", c.Op, "old", c.Old, "new", c.New)
	}
	e.log.Info("topology taken", "changes", len(changes), "cells_retired", len(retired))
	return nil
}

// Serve accepts connections from l until Shutdown. config is nil for plain TCP.
func (e *Edge) Serve(l net.Listener, config *tls.Config) error {
	return e.server.Serve(l, config)
}

// Shutdown ends the edge: no new connections, requests under way to their end,
// idle connections closed over the window. When ctx ends first the rest is
// broken off.
func (e *Edge) Shutdown(ctx context.Context, window time.Duration) error {
	e.draining.Store(true)
	err := e.server.Shutdown(ctx, window)
	e.closePools()
	if e.access != nil {
		logCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), logGrace)
		defer cancel()
		if logErr := e.access.Close(logCtx); logErr != nil {
			e.log.Warn("access log lines were lost", "error", logErr)
		}
	}
	return err
}

// DrainWindow is what the topology says of how long stopping may take.
func (e *Edge) DrainWindow() time.Duration { return e.proxy.State().Timeouts.Drain.Std() }

// Refused counts a topology that could not even be read.
func (e *Edge) Refused(err error) { e.metrics.Loaded(err) }
