package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
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

// preface starts an HTTP/2 connection with prior knowledge (RFC 9113 section 3.4).
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// accept begins to serve a connection of any protocol, in another goroutine.
func (s *Server) accept(t *tracked, config *tls.Config) {
	c := &conn{server: s, client: t, net: t, config: config, reader: s.buffers.Reader(t)}
	if !s.add(c) {
		_ = t.Close()
		return
	}
	t.AllowRead(s.proxy.State().Timeouts.Header.Std())
	t.AllowWrite(s.proxy.State().Timeouts.Header.Std())
	if t.loop != nil {
		t.loop.Park(c)
		return
	}
	go c.Resume()
}

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

// open finds out what the client speaks. Unless that is HTTP/1.1 the connection
// does not go on here: others serve it, or it has ended.
func (c *conn) open() (goesOn bool) {
	s, t := c.server, c.client
	state := s.proxy.State()
	c.opened = true
	if state.introduces(t.peer.Addr()) && !c.introduced(t) {
		c.close()
		return false
	}
	if c.config != nil {
		if !c.encrypt() {
			return false
		}
	} else if c.started(state) && c.begins(preface) {
		t.unread = c.reader.TakeBuffered()
		s.remove(c)
		t.AllowRead(0)
		t.AllowWrite(0)
		s.http2.take(t)
		return false
	}
	switch {
	case !c.tls && c.imposed():
		c.reject(notDeclared)
	case c.late:
		c.refuse(os.ErrDeadlineExceeded)
	default:
		c.phase.Store(idle)
		return true
	}
	c.close()
	return false
}

// encrypt makes the TLS connection, and reports whether it goes on here.
func (c *conn) encrypt() (goesOn bool) {
	s, t := c.server, c.client
	t.unread = c.reader.TakeBuffered()
	tc := tls.Server(t, c.config)
	c.config = nil
	err := tc.HandshakeContext(s.base)
	state := tc.ConnectionState()
	switch {
	case err != nil:
		c.refuseHandshake(err)
	case challenged(state):
		c.net = tc
	case state.NegotiatedProtocol == "h2":
		s.remove(c)
		t.AllowRead(0)
		t.AllowWrite(0)
		s.http2.take(tc)
		return false
	default:
		c.net, c.tls = tc, true
		c.reader.Reset(tc)
		return true
	}
	c.close()
	return false
}

func (s *Server) add(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.base.Err() != nil {
		return false
	}
	s.conns[c] = struct{}{}
	return true
}

func (s *Server) remove(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// started waits for the client's first byte, from which on the time for a head runs.
func (c *conn) started(state *State) bool {
	if c.reader.Await() != nil {
		return false
	}
	c.client.AllowRead(state.Timeouts.Header.Std())
	return true
}

// begins reports whether the client's first bytes are these. It waits for no
// more of them than it needs to tell.
func (c *conn) begins(with string) bool {
	for n := 1; n <= len(with); n++ {
		if c.late {
			return false
		}
		b, err := c.reader.Peek(n)
		if err != nil {
			c.late = n > 1 && http1.IsTimeout(err)
			return false
		}
		if b[n-1] != with[n-1] {
			return false
		}
	}
	return true
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
	head := &s.head
	s.body = requestBody{client: c.client, reader: &c.reader, timeout: state.Timeouts.Body.Std(), body: *http1.RequestBody(&c.reader, head, state.HeadLimits())}
	s.in = Inbound{
		Proto: protos[head.Minor], Method: head.Method, Target: head.Target, Origin: head.Origin, Host: head.Host,
		Fields: head.Fields, Length: head.Length, Expect100: head.Expect100, Peer: c.client.peer, TLS: c.tls, Secure: c.client.secure, Watcher: &s.watch,
	}
	s.watch.conn = c
	in := &s.in
	if !s.body.body.Empty() {
		in.Body = &s.body
	}
	asks, rule := asksForSocket(head)
	if rule != "" {
		c.rejectRequest(in, Problem{Kind: BadFraming, Detail: "In the request, " + rule + "."})
		return false
	}
	if asks {
		in.Tunnel, in.HalfClose = &http1Tunnel{conn: c}, true
	}
	s.out = newAnswer(c, head, state.Timeouts.Write.Std())
	out := &s.out
	ok := c.server.proxy.Serve(c.server.base, in, out)
	out.release()
	switch {
	case !ok:
		c.breakOff()
		return false
	case !s.body.body.Whole(), !out.keepAlive && c.reader.Buffered() > 0:
		c.linger()
		return false
	}
	return out.keepAlive
}

var protos = [...]string{"HTTP/1.0", "HTTP/1.1"}

// refuse answers a request head that could not be read.
func (c *conn) refuse(err error) {
	if p, ok := HeadProblem(err); ok {
		c.reject(p)
	}
}

// reject sends a problem in answer to no request in particular, and ends the
// connection: what follows on it could be anything.
func (c *conn) reject(p Problem) {
	c.rejectRequest(&Inbound{Proto: "HTTP/1.1", Peer: c.client.peer, TLS: c.tls}, p)
}

func (c *conn) rejectRequest(in *Inbound, p Problem) {
	out := newAnswer(c, &http1.Request{Minor: 1, Framing: http1.Framing{Close: true}}, c.server.proxy.State().Timeouts.Write.Std())
	c.server.proxy.Reject(in, &out, p)
	out.release()
	c.linger()
}

// refuseHandshake ends a connection without TLS. A client that spoke plain HTTP
// is told so.
func (c *conn) refuseHandshake(err error) {
	var record tls.RecordHeaderError
	switch {
	case !errors.As(err, &record) || record.Conn == nil:
	case imposedTLS(record.RecordHeader):
		c.reject(notDeclared)
	case looksLikeHTTP(record.RecordHeader):
		c.reject(Problem{Kind: BadFraming, Detail: "This port speaks HTTPS, and the request came as plain HTTP."})
	}
	_ = c.net.Close()
}

func looksLikeHTTP(header [5]byte) bool {
	for _, b := range header {
		if b < ' ' || b >= 0x7f {
			return false
		}
	}
	return true
}

// Limits of how long a connection that is to be closed is still read, so that
// the client gets the answer and not a reset.
const (
	lingerTime  = 2 * time.Second
	lingerBytes = 64 << 20
)

// linger ends our side and discards what the client still sends, for a while: to
// close with bytes unread is a reset, which can overtake the answer.
func (c *conn) linger() {
	_ = c.closeWrite()
	c.client.AllowRead(lingerTime)
	_, _ = io.CopyN(io.Discard, &c.reader, lingerBytes)
}

// closeWrite ends our side, if the transport can end it alone.
func (c *conn) closeWrite() error {
	if half, ok := c.net.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// breakOff makes sure that the client sees an answer without its end as broken,
// by a reset where the transport has one.
func (c *conn) breakOff() { _ = c.client.SetLinger(0) }

// closeIfIdle closes the connection if it carries no request.
func (c *conn) closeIfIdle() {
	if c.phase.CompareAndSwap(idle, closed) {
		_ = c.net.Close()
	}
}

// Reject sends a problem for a request whose head could not be accepted.
func (p *Proxy) Reject(in *Inbound, out Answer, problem Problem) {
	x := p.newExchange(context.Background(), in, out)
	x.begin()
	x.refuse(problem)
	x.rec.Duration = time.Since(x.rec.Start)
	p.observer.Done(&x.rec)
	x.leave()
}
