package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/homeward/homeward/bench/internal/install"
	"github.com/homeward/homeward/bench/internal/report"
	"github.com/homeward/homeward/bench/internal/suite"
	"github.com/homeward/homeward/bench/peers"
)

// run does the comparison and writes its results.
func (o *options) run(ctx context.Context) error {
	began := time.Now()
	source, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return fmt.Errorf("find the repository: run this in it: %w", err)
	}
	root := strings.TrimSpace(string(source))
	if !filepath.IsAbs(o.out) {
		o.out = filepath.Join(root, o.out)
	}
	in := &install.Installer{Bin: filepath.Join(o.out, "bin"), Source: root, Say: os.Stderr}
	if err := os.MkdirAll(in.Bin, 0o755); err != nil {
		return err
	}
	alone, err := o.alone()
	if err != nil {
		return err
	}
	defer alone.Close()
	programs, err := o.programs(ctx, in)
	if err != nil {
		return err
	}
	results, err := o.compare(ctx, programs, o.conditions(ctx, programs))
	if err != nil {
		return err
	}
	say("done in %s", time.Since(began).Round(time.Second))
	fmt.Print(results)
	return nil
}

// alone waits until no other comparison of this folder runs: they would
// disturb each other.
func (o *options) alone() (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(o.out, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return file, nil
	}
	file.Close()
	return nil, fmt.Errorf("another comparison is running (%s is locked), and two would disturb each other", file.Name())
}

// programs finds or makes everything that is started.
func (o *options) programs(ctx context.Context, in *install.Installer) (peers.Programs, error) {
	names := []string{"taskset", "nginx", "wrk", "h2load"} // nginx is the origin too
	if slices.Contains(o.peers, peers.HAProxy) {
		names = append(names, "haproxy")
	}
	found, err := in.System(ctx, names)
	if err != nil {
		return nil, err
	}
	if slices.Contains(o.peers, peers.Caddy) {
		if found[peers.Caddy], err = in.Caddy(ctx, o.caddy); err != nil {
			return nil, err
		}
	}
	if o.edge != "" {
		found[peers.Ours], err = filepath.Abs(o.edge)
	} else {
		found[peers.Ours], err = in.Edge(ctx)
	}
	return found, err
}

// compare measures all workloads, and writes the results after each. It returns
// the table under its head.
func (o *options) compare(ctx context.Context, programs peers.Programs, head string) (table string, err error) {
	dir, err := os.MkdirTemp("", "homeward-bench")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	setup, err := peers.NewSetup(dir)
	if err != nil {
		return "", err
	}
	origin, err := setup.StartOrigin(ctx, programs[peers.Nginx], o.loadCPU)
	if err != nil {
		return "", err
	}
	defer origin.Stop()
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	s := &suite.Suite{
		Setup: setup, Programs: programs, Worker: []string{self, worker}, Proxies: append([]string{peers.Ours}, o.peers...),
		Plan: o.plan, ProxyCPU: o.proxyCPU, LoadCPU: o.loadCPU, Say: say,
	}
	var runs []*report.Run
	for _, w := range o.workloads {
		run, err := s.Run(ctx, w)
		if err != nil {
			return "", err
		}
		runs = append(runs, run)
		table = head + report.Table(runs)
		if err := o.write(table, runs); err != nil {
			return "", err
		}
	}
	return table, nil
}

// write writes the files.
func (o *options) write(table string, runs []*report.Run) error {
	text, err := report.JSON(runs)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(o.out, "latest.md"), []byte(table), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(o.out, "latest.json"), text, 0o644)
}

// say tells of the progress.
func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, time.Now().Format("15:04:05 ")+format+"\n", args...)
}
