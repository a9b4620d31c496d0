// Package testcell is a cell for the demo and for tests: an origin that answers
// every path with what it received, to the byte, so that whoever sends a request
// sees where it arrived and whether anything on the way changed it.
//
// It stands on the engine's own message parser, since an origin on net/http
// would canonicalize header names, lose their order and rewrite targets before
// it could report them. HTTP/2, plain or agreed on in TLS, is the library's: a cell
// tells of such a request what the library tells, and answers gRPC calls to the
// services of package echo. Bodies of any size pass in constant memory.
package testcell

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"google.golang.org/grpc"

	"github.com/homeward/homeward/internal/proxy/http1"
	"github.com/homeward/homeward/internal/testcell/echo"
)

// Options change how a cell behaves. The zero value is a cell without faults.
type Options struct {
	// Fault is asked before each request is answered, by many goroutines at
	// once. nil means no faults. It must not keep the request.
	Fault func(*Request) Fault
}

// Request is what a Fault function may look at.
type Request struct {
	Head   *http1.Request
	Proto  string // HTTP/1.0, HTTP/1.1 or HTTP/2.0
	Conn   int64  // number of its connection, from 1 on
	Number int    // on its connection, from 1 on
}

// Cell is one origin. It is safe for concurrent use.
type Cell struct {
	name  string
	fault func(*Request) Fault

	accepted  atomic.Int64
	requests  atomic.Int64
	cancelled atomic.Int64

	base context.Context // ends with Close
	stop context.CancelFunc

	http2 *http2Server
	grpc  *grpc.Server

	mu        sync.Mutex
	listeners map[net.Listener]struct{}
	conns     map[net.Conn]struct{}
	running   sync.WaitGroup // one for each listener, connection and request of HTTP/2
}

// New makes a cell. It listens to nothing yet.
func New(name string, o Options) *Cell {
	c := &Cell{name: name, fault: o.Fault, listeners: map[net.Listener]struct{}{}, conns: map[net.Conn]struct{}{}}
	c.base, c.stop = context.WithCancel(context.Background())
	c.http2 = newHTTP2(c)
	c.grpc = echo.NewServer(name, &c.cancelled)
	return c
}

// Connections is the number of connections accepted so far.
func (c *Cell) Connections() int64 { return c.accepted.Load() }

// Requests is the number of well-formed request heads read so far.
func (c *Cell) Requests() int64 { return c.requests.Load() }

// Cancelled is the number of gRPC calls so far that their clients gave up before
// they were answered.
func (c *Cell) Cancelled() int64 { return c.cancelled.Load() }

// Open is the number of connections now.
func (c *Cell) Open() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.conns)
}

// ErrClosed is what Serve returns after Close.
var ErrClosed = errors.New("cell closed")

// Serve accepts connections until Close, or until the listener fails. It closes
// the listener. Clients speak HTTP/1.1, or HTTP/2 with prior knowledge.
func (c *Cell) Serve(l net.Listener) error { return c.accept(l, nil) }

// ServeTLS is Serve with TLS. Clients and the configuration agree on http/1.1 or
// h2; a configuration that names no protocol offers both.
func (c *Cell) ServeTLS(l net.Listener, config *tls.Config) error {
	if len(config.NextProtos) == 0 {
		config = config.Clone()
		config.NextProtos = []string{"h2", "http/1.1"}
	}
	return c.accept(l, config)
}

func (c *Cell) accept(l net.Listener, config *tls.Config) error {
	if !c.track(func() { c.listeners[l] = struct{}{} }) {
		_ = l.Close()
		return ErrClosed
	}
	defer c.untrack(func() { delete(c.listeners, l) })
	defer func() { _ = l.Close() }()
	for {
		nc, err := l.Accept()
		if err != nil {
			switch {
			case c.base.Err() != nil:
				return ErrClosed
			case exhausted(err) && wait(c.base, acceptDelay) == nil:
				continue
			}
			return err
		}
		if !c.track(func() { c.conns[nc] = struct{}{} }) {
			_ = nc.Close()
			return ErrClosed
		}
		number := c.accepted.Add(1)
		go func() {
			defer c.untrack(func() { delete(c.conns, nc) })
			defer func() { _ = nc.Close() }()
			c.handle(nc, config, number)
		}()
	}
}

// handle serves one connection to its end.
func (c *Cell) handle(nc net.Conn, config *tls.Config, number int64) {
	below := &handed{Conn: nc, number: number, closed: make(chan struct{})}
	c1 := &conn{cell: c, net: nc, raw: nc, reader: http1.NewReader(nc), number: number}
	if config != nil {
		tc := tls.Server(below, config)
		ctx, cancel := context.WithTimeout(c.base, handshakeTime)
		err := tc.HandshakeContext(ctx)
		cancel()
		switch {
		case err != nil:
			return
		case tc.ConnectionState().NegotiatedProtocol == "h2":
			c.begin2()
			c.http2.take(tc, below)
			return
		}
		c1.net, c1.reader = tc, http1.NewReader(tc)
		defer func() { _ = tc.Close() }()
	} else if c1.priorKnowledge() {
		below.prefix = c1.reader.TakeBuffered()
		c.begin2()
		c.http2.take(below, below)
		return
	}
	c1.serve()
}

// handshakeTime is how long a client may take for the handshake of TLS.
const handshakeTime = 10 * time.Second

// begin2 begins to serve HTTP/2, once.
func (c *Cell) begin2() {
	c.http2.started.Do(func() {
		if !c.track(func() {}) {
			return
		}
		go func() {
			defer c.untrack(func() {})
			_ = c.http2.server.Serve(c.http2)
		}()
	})
}

// ask asks what should go wrong.
func (c *Cell) ask(r *Request) Fault {
	if c.fault == nil {
		return NoFault
	}
	return c.fault(r)
}

// acceptDelay is how long a cell waits for descriptors to come free.
const acceptDelay = 20 * time.Millisecond

func exhausted(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

func (c *Cell) track(add func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.base.Err() != nil {
		return false
	}
	add()
	c.running.Add(1)
	return true
}

func (c *Cell) untrack(remove func()) {
	c.mu.Lock()
	remove()
	c.mu.Unlock()
	c.running.Done()
}

// Close ends the cell at once: listeners, connections and requests under way. It
// returns when nothing of it runs any more. Closing twice does no harm.
func (c *Cell) Close() {
	c.mu.Lock()
	c.stop()
	for l := range c.listeners {
		_ = l.Close()
	}
	for nc := range c.conns {
		_ = nc.Close()
	}
	c.mu.Unlock()
	_ = c.http2.server.Close()
	c.grpc.Stop()
	c.running.Wait()
}

// Drop closes all connections and goes on accepting, as a cell that restarts
// does.
func (c *Cell) Drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for nc := range c.conns {
		_ = nc.Close()
	}
}
