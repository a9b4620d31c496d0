// Package edgecmd is the command that runs an edge, shared by homeward and
// homeward-edge.
package edgecmd

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/homeward/homeward/internal/config"
	"github.com/homeward/homeward/internal/edge"
	"github.com/homeward/homeward/internal/serve"
)

// options are the flags.
type options struct {
	topology       string
	http           string
	https          string
	cert, key      string
	admin          string
	adminTokenFile string
	accessLog      string
	logLevel       slog.Level
}

// New makes the command, named use. It ends when its context does.
func New(use string) *cobra.Command {
	var o options
	example := use
	if use == "edge" {
		example = "homeward edge"
	}
	cmd := &cobra.Command{
		Use:   use,
		Short: "Run the edge in front of the cells of a topology",
		Long: `Run the edge: it reads the home cell out of each request's own credential and
sends the request there, unchanged.

  ` + example + ` -t topology.yaml --http 127.0.0.1:8080 --admin 127.0.0.1:8900

Signals: SIGHUP takes the changed topology file, whole or not at all. SIGTERM and
Ctrl-C end the edge: no new connections, requests under way to their end, idle
connections closed over timeouts.drain; a second one ends it at once.
A changed certificate is taken by itself.`,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			reload := make(chan os.Signal, 1)
			signal.Notify(reload, syscall.SIGHUP)
			defer signal.Stop(reload)
			return o.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), reload)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.topology, "topology", "t", "", "topology file (required)")
	f.StringVar(&o.http, "http", "", "address for plain HTTP/1.1 and HTTP/2 with prior knowledge, as in :8080")
	f.StringVar(&o.https, "https", "", "address for HTTPS, as in :8443")
	f.StringVar(&o.cert, "cert", "", "PEM file of the certificate for --https, with its chain")
	f.StringVar(&o.key, "key", "", "PEM file of its private key")
	f.StringVar(&o.admin, "admin", "", "address of the admin port, as in 127.0.0.1:8900")
	f.StringVar(&o.adminTokenFile, "admin-token-file", "", "file with the token that the admin port asks for; needed unless it is on loopback")
	f.StringVar(&o.accessLog, "access-log", "-", "file for the access log, appended to; - for standard output, off for none")
	f.TextVar(&o.logLevel, "log-level", slog.LevelInfo, "debug, info, warn or error, for the log on standard error")
	return cmd
}

// check says what is wrong with the flags before anything is opened.
func (o *options) check() error {
	switch {
	case o.topology == "":
		return errors.New("name the topology file: -t FILE")
	case o.http == "" && o.https == "":
		return errors.New("nothing to listen on: give --http ADDR, --https ADDR or both")
	case o.https != "" && (o.cert == "" || o.key == ""):
		return errors.New("--https needs --cert FILE and --key FILE")
	case o.https == "" && (o.cert != "" || o.key != ""):
		return errors.New("--cert and --key are for --https ADDR, which is not given")
	case o.admin != "" && o.adminTokenFile == "" && !serve.Loopback(o.admin):
		return fmt.Errorf("the admin port %s can be reached from other machines: give --admin-token-file FILE, or listen on 127.0.0.1", o.admin)
	case o.admin == "" && o.adminTokenFile != "":
		return errors.New("--admin-token-file is for --admin ADDR, which is not given")
	}
	return nil
}

func (o *options) run(ctx context.Context, stdout, stderr io.Writer, reload <-chan os.Signal) error {
	if err := o.check(); err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: o.logLevel}))
	top, err := config.LoadFile(o.topology)
	if err != nil {
		return err
	}
	accessLog, closeLog, err := o.openAccessLog(stdout)
	if err != nil {
		return err
	}
	defer closeLog()
	e, err := edge.Open(edge.Config{Topology: top, Log: log, AccessLog: accessLog})
	if err != nil {
		return err
	}
	p := &process{options: o, edge: e, log: log, failed: make(chan error, 3)}
	if err := p.listen(); err != nil {
		p.stop(0)
		return err
	}
	log.Info("serving", "topology", o.topology, "cells", len(top.Cells), "mode", string(top.Mode))
	for {
		select {
		case <-reload:
			p.reload()
		case err := <-p.failed:
			p.stop(0)
			return err
		case <-ctx.Done():
			window := e.DrainWindow()
			log.Info("draining", "window", window)
			p.stop(window)
			log.Info("stopped")
			return nil
		}
	}
}

func (o *options) openAccessLog(stdout io.Writer) (io.Writer, func(), error) {
	switch o.accessLog {
	case "-":
		return stdout, func() {}, nil
	case "off", "":
		return nil, func() {}, nil
	}
	f, err := os.OpenFile(o.accessLog, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		return nil, nil, fmt.Errorf("access log: %w", err)
	}
	return f, func() { _ = f.Close() }, nil
}

// process is a running edge with its listeners.
type process struct {
	options *options
	edge    *edge.Edge
	log     *slog.Logger
	admin   *http.Server
	failed  chan error // a listener that ended by itself
}

// listen opens all listeners before any of them serves.
func (p *process) listen() error {
	var opened []net.Listener
	open := func(flag, addr string) (net.Listener, error) {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			for _, o := range opened {
				_ = o.Close()
			}
			return nil, fmt.Errorf("%s %s: %w", flag, addr, err)
		}
		opened = append(opened, l)
		return l, nil
	}
	var plain, secure, admin net.Listener
	var config *tls.Config
	var handler http.Handler
	var err error
	if p.options.https != "" {
		cert, err := serve.OpenCertificate(p.options.cert, p.options.key, time.Second, p.log, time.Now)
		if err != nil {
			return err
		}
		config = &tls.Config{GetCertificate: cert.GetCertificate, MinVersion: tls.VersionTLS12}
		if secure, err = open("--https", p.options.https); err != nil {
			return err
		}
	}
	if p.options.http != "" {
		if plain, err = open("--http", p.options.http); err != nil {
			return err
		}
	}
	if p.options.admin != "" {
		if handler, err = p.guard(); err != nil {
			return err
		}
		if admin, err = open("--admin", p.options.admin); err != nil {
			return err
		}
	}
	if plain != nil {
		go p.serve("http", plain, nil)
	}
	if secure != nil {
		go p.serve("https", secure, config)
	}
	if admin != nil {
		p.admin = &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(p.log.Handler(), slog.LevelDebug)}
		p.log.Info("listening", "admin", admin.Addr().String())
		go func() { _ = p.admin.Serve(admin) }()
	}
	return nil
}

func (p *process) serve(what string, l net.Listener, config *tls.Config) {
	p.log.Info("listening", what, l.Addr().String())
	if err := p.edge.Serve(l, config); err != nil && !errors.Is(err, edge.ErrClosed) {
		p.failed <- fmt.Errorf("%s: %w", what, err)
	}
}

// guard puts a lock on the admin port: a token if there is one, else only names
// of this machine.
func (p *process) guard() (http.Handler, error) {
	if p.options.adminTokenFile == "" {
		return serve.RequireLocalHost(p.edge.Admin()), nil
	}
	b, err := os.ReadFile(p.options.adminTokenFile)
	if err != nil {
		return nil, fmt.Errorf("--admin-token-file: %w", err)
	}
	token := strings.TrimSpace(string(b))
	if len(token) < 16 {
		return nil, fmt.Errorf("--admin-token-file %s: the token has fewer than 16 characters", p.options.adminTokenFile)
	}
	return serve.RequireToken(token, p.edge.Admin()), nil
}

// reload takes the topology file again, whole or not at all.
func (p *process) reload() {
	top, err := config.LoadFile(p.options.topology)
	if err == nil {
		err = p.edge.Load(top)
	} else {
		p.edge.Refused(err)
	}
	if err == nil {
		return
	}
	if invalid := (*config.Error)(nil); errors.As(err, &invalid) {
		for _, d := range invalid.Diagnostics {
			p.log.Error("topology", "line", d.Line, "column", d.Column, "error", d.Message, "fix", d.Fix)
		}
	}
	p.log.Error("topology refused, the one in force stays", "file", p.options.topology, "error", err)
}

// stop ends the edge over the window, and gives requests a little longer.
func (p *process) stop(window time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), window+window/4)
	defer cancel()
	if err := p.edge.Shutdown(ctx, window); err != nil && window > 0 {
		p.log.Warn("requests were broken off at the end of the drain window")
	}
	if p.admin != nil {
		_ = p.admin.Close()
	}
}
