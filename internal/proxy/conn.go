package proxy

import (
	"context"
	"crypto/tls"
	"net"
	"sync/atomic"
	"time"

	"github.com/homeward/homeward/internal/eventloop"
	"github.com/homeward/homeward/internal/proxy/http1"
)

// conn is one client's connection, and serves it as long as it speaks HTTP/1.1.
// One goroutine at a time does; between two requests of a connection that an
// event loop waits for there is none.
type conn struct {
	server *Server
	client *tracked    // the connection itself
	net    net.Conn    // the TLS connection if there is one, else client
	config *tls.Config // nil for plain TCP
	reader http1.Reader
	tls    bool
	opened bool // it is known what the client speaks
	begun  bool // the time for the next request runs
	late   bool // it stopped within what tells its protocol, until its time was over
	phase  atomic.Int32
	writes atomic.Int64 // of answers, begun and ended: odd within one
}

// The phases of a connection. Idle is left by compare-and-swap only, so that a
// request that arrives while the connection is being closed for idleness is
// either served or not begun.
const (
	busy int32 = iota
	idle
	closed
)

// Resume implements eventloop.Resumer: it goes on with the connection until that
// ends or waits for its client to ask for something.
func (c *conn) Resume() {
	defer c.server.proxy.survive(c.close)
	if !c.opened {
		if goesOn := c.open(); !goesOn {
			return
		}
	}
	if parked := c.serve(); !parked {
		c.close()
		c.reader.Reset(nil)
	}
}

// close ends the connection.
func (c *conn) close() {
	c.server.remove(c)
	_ = c.net.Close()
}

// serve answers request after request. It reports whether the connection is
// parked: then it is no longer the caller's.
func (c *conn) serve() (parked bool) {
	for {
		state := c.server.proxy.State()
		if err := c.await(state); err != nil {
			if eventloop.WouldWait(err) {
				c.reader.Release()
				c.client.loop.Park(c)
				return true
			}
			return false
		}
		if !c.phase.CompareAndSwap(idle, busy) {
			return false
		}
		c.begun = false
		if !c.request(state) {
			return false
		}
		c.reader.Release()
		c.phase.Store(idle)
		if c.server.draining.Load() {
			return false
		}
	}
}

// await waits for the first byte of the next request, or returns
// an error of eventloop.WouldWait where the connection can be parked instead. What a client
// sends that is no byte of a request, as within TLS, gives it no more time.
func (c *conn) await(state *State) error {
	if c.reader.Buffered() > 0 {
		return nil
	}
	if !c.begun {
		c.begun = true
		patience := state.Timeouts.Idle.Std()
		if c.server.draining.Load() { // accepted just before: its first request may be on the way
			patience = min(patience, time.Second)
		}
		c.client.AllowRead(patience)
	}
	if c.client.impatient(true) {
		defer c.client.impatient(false)
	}
	return c.reader.Await()
}

// session is what one request of a connection needs.
type session struct {
	head http1.Request
	in   Inbound
	out  answer
	body requestBody

	watch watch
}

func newSession() any { return new(session) }

// request reads one request and answers it, and reports whether the connection
// goes on.
func (c *conn) request(state *State) bool {
	s := c.server.sessions.Get().(*session)
	c.client.AllowRead(state.Timeouts.Header.Std())
	err := http1.ReadRequest(&c.reader, &s.head, state.HeadLimits())
	if err != nil {
		c.refuse(err)
	}
	goesOn := err == nil && c.exchange(state, s)
	c.server.sessions.Put(s) // not after a panic, when it is not known who holds it
	return goesOn
}

// exchange answers one request and reports whether the connection goes on.
func (c *conn) exchange(state *State, s *session) bool {
	head, in, body := &s.head, &s.in, &s.body
	// Field by field: a literal is made on the stack first, and copied.
	*body = requestBody{}
	body.conn, body.timeout = c, state.Timeouts.Body.Std()
	body.body = *http1.RequestBody(&c.reader, head, state.HeadLimits())
	*in = Inbound{}
	in.Proto, in.Method, in.Target, in.Origin, in.Host = protos[head.Minor], head.Method, head.Target, head.Origin, head.Host
	in.Fields, in.Length, in.Expect100 = head.Fields, head.Length, head.Expect100
	in.Peer, in.TLS, in.Secure = c.client.peer, c.tls, c.client.secure
	s.watch.conn = c
	in.Watcher = &s.watch
	if !body.body.Empty() {
		in.Body = body
	}
	asks, rule := asksForSocket(head)
	if rule != "" {
		c.rejectRequest(in, Problem{Kind: BadFraming, Detail: "In the request, " + rule + "."})
		return false
	}
	if asks {
		in.Tunnel, in.HalfClose = &http1Tunnel{conn: c}, true
	}
	out := &s.out
	out.begin(c, head, state.Timeouts.Write.Std())
	ok := c.server.proxy.Serve(c.server.base, in, out)
	out.release()
	switch {
	case !ok:
		c.breakOff()
		return false
	case !body.body.Whole(), !out.keepAlive && c.reader.Buffered() > 0:
		c.linger(lingerTime)
		return false
	case !out.keepAlive && !head.Close: // it may have sent its next request, as nobody told it not to
		c.linger(lingerGrace)
		return false
	}
	return out.keepAlive
}

var protos = [...]string{"HTTP/1.0", "HTTP/1.1"}

// Reject sends a problem for a request whose head could not be accepted.
func (p *Proxy) Reject(in *Inbound, out Answer, problem Problem) {
	x := p.newExchange(context.Background(), in, out)
	x.begin()
	x.refuse(problem)
	x.rec.Duration = time.Since(x.rec.Start)
	p.observer.Done(&x.rec)
	x.leave()
}
