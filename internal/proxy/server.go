package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/homeward/homeward/internal/eventloop"
	"github.com/homeward/homeward/internal/proxy/http1"
	"github.com/homeward/homeward/internal/serve"
)

// ErrServerClosed is what Serve returns after Shutdown.
var ErrServerClosed = errors.New("proxy server closed")

// Server accepts connections and speaks the protocols of the clients:
// HTTP/1.1 itself, HTTP/2 (by ALPN, or with prior knowledge on a plain
// connection) through the standard library. It is safe for concurrent use.
type Server struct {
	proxy    *Proxy
	loop     *eventloop.Loop // nil for a goroutine for each connection
	http2    *http2Servers
	sessions sync.Pool // of *session
	buffers  http1.Buffers

	open     atomic.Int64 // client connections
	rejected atomic.Int64 // connections over the limit
	draining atomic.Bool

	introductions introductions

	base   context.Context // ends when remaining requests are given up
	giveUp context.CancelFunc

	mu        sync.Mutex
	listeners map[net.Listener]struct{}
	conns     map[*conn]struct{} // HTTP/1.1 only
	serving   sync.WaitGroup     // one for each connection, and for each listener, whose last connection may be on its way
}

// OpenServer starts a server for the proxy, which accepts nothing before Serve.
// Its connections wait in the loop, or each in a goroutine of its own when that is
// nil. Shutdown ends the server, not the loop.
func OpenServer(p *Proxy, loop *eventloop.Loop) *Server {
	s := &Server{proxy: p, loop: loop, sessions: sync.Pool{New: newSession}, listeners: map[net.Listener]struct{}{}, conns: map[*conn]struct{}{}}
	s.base, s.giveUp = context.WithCancel(context.Background())
	s.http2 = newHTTP2Servers(s)
	return s
}

// Open is the number of client connections now.
func (s *Server) Open() int64 { return s.open.Load() }

// Rejected is the number of connections closed because there were too many.
func (s *Server) Rejected() int64 { return s.rejected.Load() }

// Serve accepts connections until Shutdown, or until the listener fails.
// config is nil for plain TCP.
func (s *Server) Serve(l net.Listener, config *tls.Config) error {
	if tcp, ok := l.(*net.TCPListener); ok && s.loop != nil {
		inLoop, err := s.loop.Listen(tcp)
		if err != nil {
			return err
		}
		l = inLoop
	}
	if !s.track(l) {
		_ = l.Close()
		return ErrServerClosed
	}
	defer s.untrack(l)
	if config != nil {
		config = config.Clone()
		config.NextProtos = protocols(config.NextProtos)
	}
	for delay := time.Duration(0); ; {
		t, err := s.next(l)
		switch {
		case err == nil:
		case s.draining.Load():
			return ErrServerClosed
		case isTemporary(err): // out of descriptors: wait for some to come free
			delay = min(max(2*delay, 5*time.Millisecond), time.Second)
			s.proxy.log.Error("accept", "error", err, "retry_in", delay)
			time.Sleep(delay)
			continue
		default:
			return err
		}
		delay = 0
		if s.open.Load() >= int64(s.proxy.State().Limits.Connections) {
			s.rejected.Add(1)
			_ = t.Transport.Close()
			continue
		}
		s.open.Add(1)
		s.serving.Add(1)
		s.accept(t, config)
	}
}

// next waits for a connection.
func (s *Server) next(l net.Listener) (*tracked, error) {
	if inLoop, ok := l.(*eventloop.Listener); ok {
		c, err := inLoop.AcceptConn()
		if err != nil {
			return nil, err
		}
		return trackLoop(c, s), nil
	}
	c, err := l.Accept()
	if err != nil {
		return nil, err
	}
	return track(c, s), nil
}

func isTemporary(err error) bool {
	var ne interface{ Temporary() bool }
	return errors.As(err, &ne) && ne.Temporary()
}

func (s *Server) track(l net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining.Load() {
		return false
	}
	s.listeners[l] = struct{}{}
	s.serving.Add(1)
	return true
}

func (s *Server) untrack(l net.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.listeners, l)
	_ = l.Close()
	s.serving.Done()
}

// Shutdown stops accepting and ends the connections over the drain window: each
// after the request it carries, idle ones, WebSockets and event streams spread
// evenly, so that their clients do not all come back at the same moment. When ctx
// ends first, the rest is broken off and its error returned.
func (s *Server) Shutdown(ctx context.Context, window time.Duration) error {
	s.proxy.Drain()
	s.draining.Store(true)
	s.proxy.copies.end()
	s.mu.Lock()
	for l := range s.listeners {
		_ = l.Close()
	}
	s.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		s.serving.Wait()
		s.proxy.copies.all.Wait()
		close(ended)
	}()
	go s.closeIdle(window, ended)
	go s.proxy.lasting.drain(window, ended)
	s.http2.shutdown(window, ended)
	select {
	case <-ended:
		s.giveUp()
		return nil
	case <-ctx.Done():
	}
	s.giveUp()
	s.http2.close()
	s.mu.Lock()
	for c := range s.conns {
		_ = c.client.Transport.Close() // who serves it finds out, and closes it
	}
	s.mu.Unlock()
	<-ended
	return ctx.Err()
}

// closeIdle closes idle connections, spread over the window, until all
// connections have ended. A connection that becomes idle meanwhile ends by itself.
func (s *Server) closeIdle(window time.Duration, ended <-chan struct{}) {
	s.mu.Lock()
	conns := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		conns = append(conns, c)
	}
	s.mu.Unlock()
	serve.OverWindow(len(conns), window, ended, func(i int) { conns[i].closeIfIdle() })
}
