// Package suite is the comparison itself: which workloads there are, and the
// rounds in which the proxies take turns at each.
package suite

import (
	"time"

	"github.com/homeward/homeward/bench/internal/load"
	"github.com/homeward/homeward/bench/peers"
)

// Workload is one kind of work that all proxies get.
type Workload struct {
	Name  string
	About string
	Short bool // whether it is part of the short comparison

	tls         bool
	path        string
	post        int // bytes of a body
	accessLog   bool
	connections int
	how         how
}

// how a workload is loaded.
type how int

const (
	saturate  how = iota // wrk, as many requests as the connections can
	saturate2            // h2load, likewise over HTTP/2
	handshake            // a new TLS connection for each request
	half                 // a constant rate, half of what nginx can
	idle                 // connections that say nothing
)

// workloads are all, in their order. Connections of TLS are fewer, so that
// their handshakes weigh little in a slice of a few seconds.
var workloads = [...]Workload{
	{Name: "plain-1k", About: "GET, answer of 1 KB, kept connections", Short: true,
		path: peers.SmallPath, connections: 64},
	{Name: "body-64k", About: "GET, answer of 64 KB, kept connections", Short: true,
		path: peers.LargePath, connections: 64},
	{Name: "post-16k", About: "POST of 16 KB, answer of 1 KB, kept connections",
		path: peers.SmallPath, post: 16 << 10, connections: 64},
	{Name: "tls", About: "plain-1k over TLS 1.3, kept connections", Short: true,
		tls: true, path: peers.SmallPath, connections: 32},
}

// All is the workloads in their order.
func All() []Workload { return workloads[:] }

// target is what the workload asks a proxy for.
func (w Workload) target(s *peers.Setup, p *peers.Proxy) load.Target {
	t := load.Target{Address: p.Plain, TLS: w.tls, Host: peers.Host, Path: w.path, Tokens: s.Tokens, Post: w.post}
	if w.tls {
		t.Address = p.TLS
	}
	return t
}

// Plan is how much is measured.
type Plan struct {
	Rounds int           // each gives one value of each figure
	Slices int           // turns of each proxy in a round
	Slice  time.Duration // length of a turn, whole seconds
}
