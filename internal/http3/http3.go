// Package http3 speaks HTTP/3 to clients (RFC 9114), by way of a library for
// QUIC: an engine beside those of internal/proxy, with the same core behind it.
// It stands alone so that nothing else is linked with the library.
package http3

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"github.com/homeward/homeward/internal/proxy"
	"github.com/homeward/homeward/internal/serve"
)

// Server serves HTTP/3 on UDP sockets. It is safe for concurrent use.
type Server struct {
	behind *proxy.Server
	tls    *tls.Config
	quic   *quic.Config

	handshakes atomic.Int64 // connections that are not established yet

	mu       sync.Mutex
	draining bool
	sockets  map[*socket]struct{}
	conns    map[*conn]struct{}
	serving  sync.WaitGroup // one for each connection, and for each socket that accepts
}

// New makes a server whose requests go to behind. config says which certificates
// are shown; its protocols and versions do not count, for HTTP/3 has its own.
func New(behind *proxy.Server, config *tls.Config) *Server {
	config = config.Clone()
	config.MinVersion, config.MaxVersion = tls.VersionTLS13, 0
	config.NextProtos = []string{http3.NextProtoH3}
	return &Server{
		behind: behind, tls: config, quic: transportConfig(behind.State().Timeouts),
		sockets: map[*socket]struct{}{}, conns: map[*conn]struct{}{},
	}
}

// socket is one UDP socket.
type socket struct {
	packets   net.PacketConn
	transport *quic.Transport
	listener  *quic.Listener
}

func (s *socket) close() {
	_ = s.transport.Close()
	_ = s.packets.Close()
}

// Serve accepts connections until Shutdown, or until the socket fails. The
// socket is the server's from then on: it outlives Serve, for as long as
// connections use it.
func (s *Server) Serve(packets net.PacketConn) error {
	on := &socket{packets: packets}
	on.transport = &quic.Transport{Conn: packets, VerifySourceAddress: s.doubts, ConnContext: s.admit}
	var err error
	if on.listener, err = on.transport.Listen(s.tls, s.quic); err != nil {
		on.close()
		return err
	}
	if !s.track(on) {
		on.close()
		return proxy.ErrServerClosed
	}
	defer s.serving.Done()
	for {
		established, err := on.listener.Accept(context.Background())
		if err == nil {
			s.established(established)
			continue
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.draining {
			return proxy.ErrServerClosed
		}
		delete(s.sockets, on)
		on.close()
		return err
	}
}

func (s *Server) track(on *socket) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return false
	}
	s.sockets[on] = struct{}{}
	s.serving.Add(1)
	return true
}

// Shutdown accepts no more connections and tells the others over the window to
// end, each after the requests that it carries (RFC 9114 section 5.2). When ctx
// ends first, the rest is broken off and its error returned.
func (s *Server) Shutdown(ctx context.Context, window time.Duration) error {
	s.mu.Lock()
	s.draining = true
	conns := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		conns = append(conns, c)
	}
	sockets := make([]*socket, 0, len(s.sockets))
	for on := range s.sockets {
		sockets = append(sockets, on)
	}
	s.mu.Unlock()
	for _, on := range sockets {
		_ = on.listener.Close()
	}
	ended := make(chan struct{})
	go func() {
		s.serving.Wait()
		close(ended)
	}()
	go serve.OverWindow(len(conns), window, ended, func(i int) { conns[i].dismiss() })
	var err error
	select {
	case <-ended:
	case <-ctx.Done():
		err = ctx.Err()
	}
	s.breakOff()
	<-ended
	return err
}

// breakOff ends what is left: the connections, which tell their clients, and
// then the sockets.
func (s *Server) breakOff() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.draining = true
	for c := range s.conns {
		c.close(http3.ErrCodeInternalError)
	}
	for on := range s.sockets {
		on.close()
	}
	clear(s.sockets)
}
