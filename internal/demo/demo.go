// Package demo is a whole world in one process, to be looked at and played
// with: the cells of examples/demo.yaml, an edge in front of them, sample
// accounts with fresh credentials, and a line for each request.
package demo

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/homeward/homeward/internal/config"
	"github.com/homeward/homeward/internal/edge"
	"github.com/homeward/homeward/internal/proxy"
	"github.com/homeward/homeward/internal/serve"
	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/topology"
)

// Config says where the world listens and how it shows itself. Addresses are
// host:port; port 0 takes any free one.
type Config struct {
	HTTP     string // plain HTTP/1.1 and HTTP/2 with prior knowledge; flag --http
	HTTPS    string // TLS; flag --https
	Admin    string // admin port, on loopback; flag --admin
	CellPort int    // port of the first cell, the others count on; 0 takes any free ones; flag --cell-port

	Out     io.Writer    // required
	Log     *slog.Logger // nil discards
	Quiet   bool         // no tour
	Colored bool
	Command string // how to call homeward in a shell; "" for homeward
}

// Times of stopping. Together they are well under 2 s.
const (
	grace       = time.Second            // for requests under way
	drainWindow = 250 * time.Millisecond // over which idle connections are closed
)

// world is a running demo.
type world struct {
	config   Config
	ports    *ports
	top      *topology.Topology
	edge     *edge.Edge
	cells    []*testcell.Cell
	admin    *http.Server
	live     *live
	dir      string // of the files below
	caFile   string // PEM of the development CA
	topology string // file of the topology in force
	failed   chan error
}

// Run opens the world, shows it, and serves until ctx ends. It then gives
// requests under way a second and returns nil; no file and no listener is left.
// An error before the world serves has opened nothing that lasts.
func Run(ctx context.Context, c Config) (err error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Command == "" {
		c.Command = "homeward"
	}
	w := &world{config: c}
	if w.ports, err = listen(c); err != nil {
		return err
	}
	defer w.ports.close()
	if w.dir, err = os.MkdirTemp("", "homeward-demo-"); err != nil {
		return fmt.Errorf("make a folder for the demo's files: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(w.dir)) }()
	if err := w.build(); err != nil {
		return err
	}
	w.serve()
	if err := w.show(); err != nil {
		w.stop()
		return err
	}
	w.live.start()
	select {
	case err = <-w.failed:
	case <-ctx.Done():
	}
	w.live.say("\nstopping: requests under way have up to %v to end", grace)
	broken := w.stop() != nil
	switch {
	case err != nil:
	case broken:
		w.live.say("stopped; what was still under way was broken off")
	default:
		w.live.say("stopped")
	}
	return err
}

// build makes everything that serves, from the topology with the addresses that
// the cells really have.
func (w *world) build() error {
	w.topology, w.caFile = filepath.Join(w.dir, "demo.yaml"), filepath.Join(w.dir, "ca.pem")
	var err error
	if w.top, err = config.Load("demo.yaml", []byte(w.ports.topology)); err != nil {
		return err
	}
	if err := os.WriteFile(w.topology, []byte(w.ports.topology), 0o600); err != nil {
		return fmt.Errorf("write the demo's topology: %w", err)
	}
	leaf, ca, err := certify(w.top, time.Now())
	if err != nil {
		return err
	}
	if err := os.WriteFile(w.caFile, ca, 0o600); err != nil {
		return fmt.Errorf("write the development CA: %w", err)
	}
	w.ports.tls = &tls.Config{Certificates: []tls.Certificate{leaf}, MinVersion: tls.VersionTLS12}
	w.live = newLive(w.config.Out, w.config.Colored)
	w.edge, err = edge.Open(edge.Config{Topology: w.top, Log: w.config.Log, Observers: []proxy.Observer{w.live}})
	if err != nil {
		return err
	}
	for i := range w.top.Cells {
		w.cells = append(w.cells, testcell.New(w.top.Cells[i].Name, testcell.Options{}))
	}
	w.admin = serve.AdminServer(serve.RequireLocalHost(w.edge.Admin()), serve.AdminWait, w.config.Log.Handler())
	return nil
}

// serve begins to serve on all ports.
func (w *world) serve() {
	w.failed = make(chan error, 3+len(w.cells))
	begin := func(what string, serve func() error, ended error) {
		go func() {
			if err := serve(); !errors.Is(err, ended) {
				w.failed <- fmt.Errorf("%s: %w", what, err)
			}
		}()
	}
	for i, c := range w.cells {
		begin("cell "+w.top.Cells[i].Name, func() error { return c.Serve(w.ports.cells[i]) }, testcell.ErrClosed)
	}
	begin("--http", func() error { return w.edge.Serve(w.ports.http, nil) }, edge.ErrClosed)
	begin("--https", func() error { return w.edge.Serve(w.ports.https, w.ports.tls) }, edge.ErrClosed)
	begin("--admin", func() error { return w.admin.Serve(w.ports.admin) }, http.ErrServerClosed)
}

// stop ends everything, the edge first, so that requests under way find their
// cells. It returns an error when requests were broken off.
func (w *world) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	err := w.edge.Shutdown(ctx, drainWindow)
	_ = w.admin.Close()
	for _, c := range w.cells {
		c.Close()
	}
	w.live.stop()
	return err
}
