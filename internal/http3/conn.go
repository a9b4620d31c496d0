package http3

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// headRoom is what the library may read of a head beyond the topology's limit,
// so that the answer to a head over the limit is ours. A client can have the rest
// of its heads waited for on all of its streams, so it is little.
const headRoom = 32 << 10

// farewell is how long a connection that was told to end may stay without a
// request, for those that its client sent before it heard.
const farewell = time.Second

// conn is one connection. It has a server of the library's for itself: a server
// can only tell all of its connections at once to end.
type conn struct {
	server *Server
	quic   *quic.Conn
	http   http3.Server

	mu        sync.Mutex
	open      int // requests under way
	dismissed bool
	timer     *time.Timer // runs while there are none
}

// established serves a connection whose handshake is done.
func (s *Server) established(q *quic.Conn) {
	if done, ok := q.Context().Value(handshake{}).(func()); ok {
		done()
	}
	c := &conn{server: s, quic: q}
	state := s.behind.State()
	c.http.Handler = http.HandlerFunc(c.serve)
	c.http.MaxHeaderBytes = int(state.Limits.Head) + headRoom
	c.http.Logger = slog.New(slog.DiscardHandler) // its lines may quote what a client sent
	c.mu.Lock()
	c.timer = time.AfterFunc(state.Timeouts.Idle.Std(), c.expire)
	c.mu.Unlock()
	s.mu.Lock()
	s.conns[c] = struct{}{}
	s.serving.Add(1) // not the first: the socket that accepts has one
	draining := s.draining
	s.mu.Unlock()
	if draining {
		c.dismiss()
	}
	go c.run()
}

func (c *conn) run() {
	defer c.server.serving.Done()
	_ = c.http.ServeQUICConn(c.quic) // returns when all requests have
	c.close(http3.ErrCodeNoError)
	c.mu.Lock()
	c.timer.Stop()
	c.mu.Unlock()
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	delete(c.server.conns, c)
}

func (c *conn) close(code http3.ErrCode) {
	_ = c.quic.CloseWithError(quic.ApplicationErrorCode(code), "")
}

// begin counts a request.
func (c *conn) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open++
	c.timer.Stop()
}

// end counts one that is over. A head that does not arrive whole is no request,
// and keeps no connection open.
func (c *conn) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open--; c.open == 0 {
		c.timer.Reset(c.patience())
	}
}

// patience is how long the connection stays without a request. c.mu is held.
func (c *conn) patience() time.Duration {
	idle := c.server.behind.State().Timeouts.Idle.Std()
	if c.dismissed {
		return min(idle, farewell)
	}
	return idle
}

// expire ends a connection without requests. It is told first, so that no
// request is lost that is on its way.
func (c *conn) expire() {
	c.mu.Lock()
	idle, told := c.open == 0, c.dismissed
	c.mu.Unlock()
	switch {
	case !idle:
	case told:
		c.close(http3.ErrCodeNoError)
	default:
		c.dismiss()
	}
}

// dismiss tells the client to send no more requests here.
func (c *conn) dismiss() {
	c.mu.Lock()
	c.dismissed = true
	if c.open == 0 {
		c.timer.Reset(c.patience())
	}
	c.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	context.AfterFunc(c.quic.Context(), cancel)
	go func() { _ = c.http.Shutdown(ctx) }()
}
