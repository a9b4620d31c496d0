package edgecmd

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/homeward/homeward/internal/config"
	"github.com/homeward/homeward/internal/edge"
)

// process is a running edge with its listeners.
type process struct {
	options      *options
	edge         *edge.Edge
	certificates certificates
	log          *slog.Logger
	accessLog    *logFile // nil for none
	http3        HTTP3    // nil for none
	admin        *http.Server
	failed       chan error // a listener that ended by itself
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
	certs, err := o.openCertificates(log)
	if err != nil {
		return err
	}
	o.warnOfUnknown(top, log)
	accessLog, file, err := o.openAccessLog(stdout)
	if err != nil {
		return err
	}
	if file != nil {
		defer file.close()
	}
	made := edge.Config{Topology: top, Log: log, AccessLog: accessLog}
	certs.tell(&made)
	e, err := edge.Open(made)
	if err != nil {
		return err
	}
	p := &process{options: o, edge: e, certificates: certs, log: log, accessLog: file, failed: make(chan error, 4)}
	if err := p.listen(); err != nil {
		p.stop(0)
		return err
	}
	log.Info("serving", "topology", o.topology, "cells", len(top.Cells), "mode", string(top.Mode))
	return p.live(ctx, reload)
}

// live obeys signals until the edge ends.
func (p *process) live(ctx context.Context, reload <-chan os.Signal) error {
	for {
		select {
		case <-reload:
			p.reload()
		case err := <-p.failed:
			p.stop(0)
			return err
		case <-ctx.Done():
			window := p.edge.DrainWindow()
			p.log.Info("draining", "window", window)
			p.stop(window)
			p.log.Info("stopped")
			return nil
		}
	}
}

// reload opens the access log anew, and takes the topology file again, whole or
// not at all.
func (p *process) reload() {
	if p.accessLog != nil {
		if err := p.accessLog.reopen(); err != nil {
			p.log.Error("the access log goes on in the file that is open", "error", err)
		}
	}
	top, err := config.LoadFile(p.options.topology)
	if err == nil {
		err = p.edge.Load(top)
	} else {
		p.edge.Refused(err)
	}
	if err == nil {
		p.options.warnOfUnknown(top, p.log)
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
	closed := make(chan struct{})
	go func() {
		p.certificates.close(ctx)
		close(closed)
	}()
	if err := p.shutdown(ctx, window); err != nil && window > 0 {
		p.log.Warn("requests were broken off at the end of the drain window")
	}
	if p.admin != nil {
		_ = p.admin.Close()
	}
	<-closed
}
