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

	how         how
	tls         bool
	path        string
	post        int // bytes of a body
	accessLog   bool
	connections int
}

// how a workload is loaded.
type how int

const (
	saturate   how = iota // wrk, as many requests as the connections can
	saturateH2            // h2load, likewise over HTTP/2
	handshakes            // a new TLS connection for each request
	half                  // a constant rate, half of what nginx can
	idle                  // connections that say nothing
)

// Numbers of connections. Those of TLS are fewer, so that their handshakes
// weigh little in a turn of a few seconds.
const (
	plainConnections = 64
	tlsConnections   = 32
	h2Connections    = 8
	h2Streams        = 8 // on each of them
	dialers          = 16
	halfConnections  = 128
	idleConnections  = 10000
)

// workloads are all, in their order.
var workloads = [...]Workload{
	{Name: "plain-1k", About: "GET, answer of 1 KB, kept connections", Short: true,
		path: peers.SmallPath, connections: plainConnections},
	{Name: "body-64k", About: "GET, answer of 64 KB, kept connections", Short: true,
		path: peers.LargePath, connections: plainConnections},
	{Name: "post-16k", About: "POST of 16 KB, answer of 1 KB, kept connections",
		path: peers.SmallPath, post: 16 << 10, connections: plainConnections},
	{Name: "tls", About: "plain-1k over TLS 1.3", Short: true,
		tls: true, path: peers.SmallPath, connections: tlsConnections},
	{Name: "tls-handshake", About: "a new TLS 1.3 connection, with a full handshake, for each GET of 1 KB",
		how: handshakes, tls: true, path: peers.SmallPath, connections: dialers},
	{Name: "h2", About: "GET, answer of 1 KB, over HTTP/2 and TLS 1.3, several at a time on kept connections",
		how: saturateH2, tls: true, path: peers.SmallPath, connections: h2Connections},
	{Name: "plain-1k-log", About: "plain-1k with access logs on, to a file",
		path: peers.SmallPath, accessLog: true, connections: plainConnections},
	{Name: "plain-1k-half", About: "plain-1k at a constant rate, half of nginx's capacity",
		how: half, path: peers.SmallPath, connections: plainConnections},
	{Name: "body-64k-half", About: "body-64k at a constant rate, half of nginx's capacity",
		how: half, path: peers.LargePath, connections: plainConnections},
	{Name: "tls-half", About: "tls at a constant rate, half of nginx's capacity",
		how: half, tls: true, path: peers.SmallPath, connections: tlsConnections},
	{Name: "idle-10k", About: "10,000 connections that had one request each and say nothing more, plain and of TLS",
		how: idle, path: peers.SmallPath},
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
