package proxy

import (
	"context"
	"net/netip"

	"github.com/homeward/homeward/internal/serve/proxyproto"
)

// State is what the next request will be served by.
func (s *Server) State() *State { return s.proxy.State() }

// Admit counts a connection that another engine accepted, which hands its
// requests to ServeStream. ok is false when there are too many, when the server
// shuts down, and for a peer whose connections must begin with a PROXY header:
// the engine has none to show. Shutdown waits for release, which may be called
// once only; if it waits too long, it calls breakOff, which must end the
// connection.
func (s *Server) Admit(peer netip.Addr, breakOff func()) (release func(), ok bool) {
	if s.State().introduces(peer) {
		s.introductions.refused(s.proxy, peer, proxyproto.ErrMissing)
		return nil, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining.Load() {
		return nil, false
	}
	if s.open.Load() >= int64(s.State().Limits.Connections) {
		s.rejected.Add(1)
		return nil, false
	}
	s.open.Add(1)
	s.serving.Add(1)
	stop := context.AfterFunc(s.base, breakOff)
	return func() {
		stop()
		s.open.Add(-1)
		s.serving.Done()
	}, true
}
