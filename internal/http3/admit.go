package http3

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/homeward/homeward/topology"
)

const (
	// streams is how many requests a client may have under way on a connection.
	streams = 100
	// controlStreams is how many streams it may have besides. HTTP/3 has three.
	controlStreams = 8

	// The windows are the most that a client may send before it is read. They
	// start small and grow with what is read.
	firstStreamWindow = 128 << 10
	streamWindow      = 512 << 10
	firstWindow       = 256 << 10
	window            = 2 << 20

	// vanished is after how long without a packet the client counts as gone, and
	// keepAlive how often it is asked for one, so that an answer that takes long
	// does not look like that.
	vanished  = 30 * time.Second
	keepAlive = vanished / 2

	// maxHandshakes is how many handshakes may be under way before clients must
	// show first that they get what is sent to their address: whoever forges
	// addresses cannot, and takes up no more than these.
	maxHandshakes = 64
)

// transportConfig is how QUIC is spoken. Early data (0-RTT) is refused: anybody
// who sees it can send it again, and what it holds must then be safe to do twice.
func transportConfig(t topology.Timeouts) *quic.Config {
	return &quic.Config{
		HandshakeIdleTimeout:           t.Header.Std(),
		MaxIdleTimeout:                 vanished,
		KeepAlivePeriod:                keepAlive,
		InitialStreamReceiveWindow:     firstStreamWindow,
		MaxStreamReceiveWindow:         streamWindow,
		InitialConnectionReceiveWindow: firstWindow,
		MaxConnectionReceiveWindow:     window,
		MaxIncomingStreams:             streams,
		MaxIncomingUniStreams:          controlStreams,
		Allow0RTT:                      false,
	}
}

// doubts reports whether a client must show that its address is its own before
// anything is kept for it (RFC 9000 section 8.1.2). That costs it a round trip.
func (s *Server) doubts(net.Addr) bool {
	return s.handshakes.Load() >= min(maxHandshakes, int64(s.behind.State().Limits.Connections)/4)
}

// handshake is the key, in the context of a connection, of what to call once it
// is established.
type handshake struct{}

var errRefused = errors.New("connection refused")

// admit counts a connection from its first packet on.
func (s *Server) admit(ctx context.Context, info *quic.ClientInfo) (context.Context, error) {
	from, ok := info.RemoteAddr.(*net.UDPAddr)
	if !ok {
		return nil, errRefused
	}
	release, ok := s.behind.Admit(peerOf(from.AddrPort()).Addr(), s.breakOff)
	if !ok {
		return nil, errRefused
	}
	s.handshakes.Add(1)
	established := sync.OnceFunc(func() { s.handshakes.Add(-1) })
	context.AfterFunc(ctx, func() { // the connection, or its handshake, has ended
		established()
		release()
	})
	return context.WithValue(ctx, handshake{}, established), nil
}

func peerOf(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
}
