package peers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/homeward/homeward/bench/internal/process"
)

// Names of the proxies. Ours is this project's edge, which the others are
// compared with.
const (
	Ours    = "homeward"
	Nginx   = "nginx"
	HAProxy = "haproxy"
	Caddy   = "caddy"
)

// Programs are the files of the programs, by the names of the proxies.
type Programs map[string]string

// Proxy is a running proxy.
type Proxy struct {
	*process.Process

	Name       string
	Plain, TLS string // addresses
	log        string // file of the access log, empty without one
}

// kind is how one proxy is configured and started.
type kind struct {
	text, file string // the configuration and the name of its file
	args       func(program string, p *Proxy, s *Setup) []string
	stdoutLog  bool // the access log can go to standard output only
}

var kinds = map[string]kind{
	Ours: {topologyConf, "topology.yaml", func(program string, p *Proxy, s *Setup) []string {
		log := "off"
		if p.log != "" {
			log = p.log
		}
		return []string{program, "-t", filepath.Join(s.Dir, "topology.yaml"), "--http", p.Plain, "--https", p.TLS,
			"--cert", s.Cert, "--key", s.Key, "--admin", "127.0.0.1:0", "--access-log", log}
	}, false},
	Nginx: {nginxConf, "nginx.conf", func(program string, _ *Proxy, s *Setup) []string {
		return []string{program, "-p", s.Dir, "-e", "stderr", "-c", filepath.Join(s.Dir, "nginx.conf")}
	}, false},
	HAProxy: {haproxyConf, "haproxy.cfg", func(program string, _ *Proxy, s *Setup) []string {
		return []string{program, "-db", "-f", filepath.Join(s.Dir, "haproxy.cfg")}
	}, true},
	Caddy: {caddyConf, "Caddyfile", func(program string, _ *Proxy, s *Setup) []string {
		return []string{program, "run", "--adapter", "caddyfile", "--config", filepath.Join(s.Dir, "Caddyfile")}
	}, false},
}

// Known says whether there is a proxy of that name.
func Known(name string) bool { return kinds[name].args != nil }

// filled is what the template of a proxy is filled in with.
type filled struct {
	*Setup
	Plain, TLS         string
	PlainPort, TLSPort string
	AccessLog          string
}

// Start runs a proxy on one processor, with or without an access log, and
// waits until it answers.
func (s *Setup) Start(ctx context.Context, name, program string, cpu int, accessLog bool) (*Proxy, error) {
	k := kinds[name]
	addresses, err := freeAddresses(2)
	if err != nil {
		return nil, err
	}
	p := &Proxy{Name: name, Plain: addresses[0], TLS: addresses[1]}
	switch {
	case accessLog && k.stdoutLog:
		p.log = filepath.Join(s.Dir, name+".out")
	case accessLog:
		p.log = filepath.Join(s.Dir, name+".log")
	}
	if err := s.write(k, p); err != nil {
		return nil, fmt.Errorf("configure %s: %w", name, err)
	}
	p.Process, err = process.Start(process.Spec{Name: name, CPU: cpu, Args: k.args(program, p, s), Dir: s.Dir})
	if err != nil {
		return nil, err
	}
	if err := p.Await(ctx, func() error { return s.Verify(ctx, p) }); err != nil {
		p.Stop()
		return nil, err
	}
	return p, nil
}

// write writes the configuration of a proxy.
func (s *Setup) write(k kind, p *Proxy) error {
	return render(k.text, filepath.Join(s.Dir, k.file), filled{
		Setup: s, Plain: p.Plain, TLS: p.TLS, AccessLog: p.log,
		PlainPort: p.Plain[strings.LastIndexByte(p.Plain, ':')+1:], TLSPort: p.TLS[strings.LastIndexByte(p.TLS, ':')+1:],
	})
}

// TrimLog empties the access log, so that the disk does not fill.
func (p *Proxy) TrimLog() error {
	if p.log == "" {
		return nil
	}
	return os.Truncate(p.log, 0)
}

// LogLines is the lines in the access log.
func (p *Proxy) LogLines() (int64, error) {
	file, err := os.Open(p.log)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	buf := make([]byte, 256<<10)
	var lines int64
	for {
		n, err := file.Read(buf)
		lines += int64(bytes.Count(buf[:n], []byte{'\n'}))
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return 0, err
		}
	}
}

// StartOrigin runs the cells on one processor.
func (s *Setup) StartOrigin(ctx context.Context, program string, cpu int) (*process.Process, error) {
	file := filepath.Join(s.Dir, "origin.conf")
	if err := render(originConf, file, s); err != nil {
		return nil, fmt.Errorf("configure the origin: %w", err)
	}
	p, err := process.Start(process.Spec{Name: "origin", CPU: cpu, Args: []string{program, "-p", s.Dir, "-e", "stderr", "-c", file}, Dir: s.Dir})
	if err != nil {
		return nil, err
	}
	if err := p.Await(ctx, func() error { return reachable(s.Cells) }); err != nil {
		p.Stop()
		return nil, err
	}
	return p, nil
}
