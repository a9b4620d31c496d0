package proxy

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	_ "github.com/homeward/homeward/internal/proxy/extendedconnect" // before net/http
)

// http2Shards is the number of standard-library servers that HTTP/2
// connections are spread over. A server can only tell all of its connections at
// once to go away; several can do it one after the other.
const http2Shards = 8

// http2HeadRoom is what the library may read of a head beyond the topology's
// limit, so that the answer to a head over the limit is ours. A byte on the wire can
// be a field of a hundred bytes in memory, on each stream, so it is little more than
// proxies before the edge pass on.
const http2HeadRoom = 128 << 10

// http2Servers serve the HTTP/2 connections.
type http2Servers struct {
	server *Server
	shards [http2Shards]*http2Shard
	next   atomic.Uint32
}

type http2Shard struct {
	*http.Server
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func newHTTP2Servers(s *Server) *http2Servers {
	h := &http2Servers{server: s}
	timeouts, limits := s.proxy.State().Timeouts, s.proxy.State().Limits
	for i := range h.shards {
		shard := &http2Shard{conns: make(chan net.Conn), done: make(chan struct{})}
		shard.Server = &http.Server{
			Handler:                      http.HandlerFunc(h.serve),
			Protocols:                    new(http.Protocols),
			DisableGeneralOptionsHandler: true,
			MaxHeaderBytes:               int(limits.Head) + http2HeadRoom,
			ReadHeaderTimeout:            timeouts.Header.Std(),
			IdleTimeout:                  timeouts.Idle.Std(),
			WriteTimeout:                 timeouts.Write.Std(), // of what the library refuses; serve lifts it
			HTTP2:                        &http.HTTP2Config{WriteByteTimeout: timeouts.Write.Std()},
			BaseContext:                  func(net.Listener) context.Context { return s.base },
			ConnContext:                  withTransport,
			ErrorLog:                     log.New(io.Discard, "", 0), // its lines may quote what a client sent
		}
		shard.Protocols.SetHTTP2(true)
		shard.Protocols.SetUnencryptedHTTP2(true)
		h.shards[i] = shard
		go func() { _ = shard.Serve(shard) }()
	}
	return h
}

// transport is what the connection of a request is, and its own key in the
// request's context. The library goes by :scheme, which the client is free to choose.
type transport struct{ tls, secure bool }

func withTransport(ctx context.Context, c net.Conn) context.Context {
	var is transport
	if tc, ok := c.(*tls.Conn); ok {
		is.tls, c = true, tc.NetConn()
	}
	if t, ok := c.(*tracked); ok {
		is.secure = t.secure
	}
	return context.WithValue(ctx, transport{}, is)
}

// Accept implements net.Listener.
func (s *http2Shard) Accept() (net.Conn, error) {
	select {
	case c := <-s.conns:
		return c, nil
	case <-s.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (s *http2Shard) Close() error {
	s.once.Do(func() { close(s.done) })
	return nil
}

// Addr implements net.Listener.
func (s *http2Shard) Addr() net.Addr { return &net.TCPAddr{} }

// take hands a connection over.
func (h *http2Servers) take(c net.Conn) {
	shard := h.shards[h.next.Add(1)%http2Shards]
	select {
	case shard.conns <- c:
	case <-shard.done:
		_ = c.Close()
	}
}

// shutdown tells the connections to go away, shard after shard over the window.
func (h *http2Servers) shutdown(window time.Duration, ended <-chan struct{}) {
	for i, shard := range h.shards {
		time.AfterFunc(window*time.Duration(i)/http2Shards, func() {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			go func() { <-ended; cancel() }()
			_ = shard.Shutdown(ctx)
		})
	}
}

func (h *http2Servers) close() {
	for _, shard := range h.shards {
		_ = shard.Server.Close()
		_ = shard.Close()
	}
}

// serve answers one request. How long its answer may take is for ServeStream to say.
func (h *http2Servers) serve(w http.ResponseWriter, r *http.Request) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{})
	is, _ := r.Context().Value(transport{}).(transport)
	s := Stream{Proto: "HTTP/2.0", TLS: is.tls, Secure: is.secure, Connect: r.Header.Get(connectProtocol)}
	if a, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		s.Peer = a
	}
	h.server.ServeStream(w, r, s)
}
