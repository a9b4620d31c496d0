package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"time"

	"github.com/homeward/homeward/internal/proxy/http1"
)

// conn is one HTTP/1.1 connection. One goroutine serves it.
type conn struct {
	server *Server
	net    net.Conn // the TLS connection if there is one
	reader *http1.Reader
	peer   netip.AddrPort
	tls    bool
	secure bool // the client spoke TLS with the load balancer before
	late   bool // it stopped within what tells its protocol, until its time was over
	phase  atomic.Int32
	writes atomic.Int64 // of answers, begun and ended: odd within one
}

// The phases of a connection. Idle is left by compare-and-swap only, so that a
// request that arrives while the connection is being closed for idleness is
// either served or not begun.
const (
	idle int32 = iota
	busy
	closed
)

// preface starts an HTTP/2 connection with prior knowledge (RFC 9113 section 3.4).
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// handle serves a connection of any protocol.
func (s *Server) handle(t *tracked, config *tls.Config) {
	defer s.proxy.survive(func() { _ = t.Close() })
	c := &conn{server: s, net: t, reader: http1.NewReader(t)}
	state := s.proxy.State()
	_ = t.SetDeadline(time.Now().Add(state.Timeouts.Header.Std()))
	// Shutdown does not know a connection that has not said yet what it speaks.
	defer context.AfterFunc(s.base, func() { _ = t.Close() })()
	if state.introduces(t.peer.Addr()) && !c.introduced(t) {
		_ = t.Close()
		return
	}
	c.peer, c.secure = t.peer, t.secure
	if config != nil {
		t.unread = c.reader.TakeBuffered()
		tc := tls.Server(t, config)
		if err := tc.HandshakeContext(s.base); err != nil {
			c.refuseHandshake(err)
			return
		}
		if challenged(tc.ConnectionState()) {
			_ = tc.Close()
			return
		}
		if tc.ConnectionState().NegotiatedProtocol == "h2" {
			_ = t.SetDeadline(time.Time{})
			s.http2.take(tc)
			return
		}
		c.net, c.reader, c.tls = tc, http1.NewReader(tc), true
	} else if c.started(state) && c.begins(preface) {
		_ = t.SetDeadline(time.Time{})
		t.unread = c.reader.TakeBuffered()
		s.http2.take(t)
		return
	}
	defer s.remove(c)
	switch {
	case !s.add(c):
	case !c.tls && c.imposed():
		c.reject(notDeclared)
	case c.late:
		c.refuse(os.ErrDeadlineExceeded)
	default:
		c.serve()
	}
	_ = c.net.Close()
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
	_ = c.net.SetDeadline(time.Now().Add(state.Timeouts.Header.Std()))
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

// serve answers request after request.
func (c *conn) serve() {
	var head http1.Request
	for {
		state := c.server.proxy.State()
		patience := state.Timeouts.Idle.Std()
		if c.server.draining.Load() { // accepted just before: its first request may be on the way
			patience = min(patience, time.Second)
		}
		_ = c.net.SetReadDeadline(time.Now().Add(patience))
		if c.reader.Await() != nil || !c.phase.CompareAndSwap(idle, busy) {
			return
		}
		_ = c.net.SetReadDeadline(time.Now().Add(state.Timeouts.Header.Std()))
		if err := http1.ReadRequest(c.reader, &head, state.HeadLimits()); err != nil {
			c.refuse(err)
			return
		}
		if !c.exchange(state, &head) {
			return
		}
		c.reader.Release()
		c.phase.Store(idle)
		if c.server.draining.Load() {
			return
		}
	}
}

// exchange answers one request and reports whether the connection goes on.
func (c *conn) exchange(state *State, head *http1.Request) bool {
	body := &requestBody{conn: c.net, timeout: state.Timeouts.Body.Std(), body: http1.RequestBody(c.reader, head, state.HeadLimits())}
	in := &Inbound{
		Proto: protos[head.Minor], Method: head.Method, Target: head.Target, Origin: head.Origin, Host: head.Host,
		Fields: head.Fields, Length: head.Length, Expect100: head.Expect100, Peer: c.peer, TLS: c.tls, Secure: c.secure, Watch: c.watch,
	}
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
	out := newAnswer(c, head, state.Timeouts.Write.Std())
	ok := c.server.proxy.Serve(c.server.base, in, out)
	out.release()
	switch {
	case !ok:
		c.breakOff()
		return false
	case !body.body.Whole(), !out.keepAlive && c.reader.Buffered() > 0:
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
	c.rejectRequest(&Inbound{Proto: "HTTP/1.1", Peer: c.peer, TLS: c.tls}, p)
}

func (c *conn) rejectRequest(in *Inbound, p Problem) {
	out := newAnswer(c, &http1.Request{Minor: 1, Framing: http1.Framing{Close: true}}, c.server.proxy.State().Timeouts.Write.Std())
	c.server.proxy.Reject(in, out, p)
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
	if half, ok := c.net.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	_ = c.net.SetReadDeadline(time.Now().Add(lingerTime))
	_, _ = io.CopyN(io.Discard, c.reader, lingerBytes)
}

// breakOff makes sure that the client sees an answer without its end as broken,
// by a reset where the transport has one.
func (c *conn) breakOff() {
	nc := c.net
	if tc, ok := nc.(*tls.Conn); ok {
		nc = tc.NetConn()
	}
	if t, ok := nc.(*tracked); ok {
		if tcp, ok := t.Conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
	}
}

// closeIfIdle closes the connection if it carries no request.
func (c *conn) closeIfIdle() {
	if c.phase.CompareAndSwap(idle, closed) {
		_ = c.net.Close()
	}
}

// Reject sends a problem for a request whose head could not be accepted.
func (p *Proxy) Reject(in *Inbound, out Answer, problem Problem) {
	x := &exchange{proxy: p, state: p.state.Load(), in: in, out: out, ctx: context.Background()}
	x.begin()
	x.refuse(problem)
	x.rec.Duration = p.now().Sub(x.rec.Start)
	p.observer.Done(&x.rec)
}
