package http3_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	lib "github.com/quic-go/quic-go/http3"

	"github.com/homeward/homeward/internal/proxy"
	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/topology"
)

// Connections count together with those over TCP, until they end.
func TestConnectionLimit(t *testing.T) {
	w := newWorld(t, func(top *topology.Topology) { top.Limits.Connections = 5 }, testcell.Options{})
	server := w.edge.Server()
	var open []rawConn
	for range 5 {
		open = append(open, w.raw())
	}
	if n := server.Open(); n != 5 {
		t.Errorf("%d connections count", n)
	}
	if _, err := w.connect(t.Context()); !isRefused(err) {
		t.Errorf("a connection over the limit: %v", err)
	}
	if server.Rejected() == 0 {
		t.Error("the refused connection does not count")
	}
	open[0].CloseWithError(0, "")
	eventually(t, "one is free", func() bool { return server.Open() == 4 })
	if r := w.raw().ask(plain("GET", "/")...); r.status != 200 {
		t.Errorf("%d %v", r.status, r.err)
	}
}

func isRefused(err error) bool {
	var te *quic.TransportError
	return errors.As(err, &te) && te.ErrorCode == quic.ConnectionRefused
}

// Who must begin with a PROXY header cannot do so in QUIC, and would hide its
// clients.
func TestLoadBalancersWithoutHeaderAreRefused(t *testing.T) {
	w := newWorld(t, func(top *topology.Topology) { top.ProxyProtocol = []string{"127.0.0.0/8"} }, testcell.Options{})
	if _, err := w.connect(t.Context()); !isRefused(err) {
		t.Errorf("%v", err)
	}
	w.edge.Server().Introductions(func(header string, refused int64) {
		if header == "missing" && refused == 0 {
			t.Error("it does not count")
		}
	})
}

// While many handshakes are under way, which may be of forged addresses, a client
// has to show that it gets what is sent to its own. It can.
func TestAddressesAreValidatedUnderLoad(t *testing.T) {
	w := newWorld(t, func(top *topology.Topology) { top.Limits.Connections = 12 }, testcell.Options{})
	server := w.edge.Server()
	for range 20 { // first packets of clients that say nothing more
		silent := silentSocket(t)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { _, _ = (&quic.Transport{Conn: silent}).Dial(ctx, resolve(t, w.addr), w.config.Clone(), nil) }()
		<-silent.sent
		cancel()
	}
	eventually(t, "some are taken", func() bool { return server.Open() > 0 })
	if n := server.Open(); n > 3 {
		t.Errorf("forged addresses hold %d connections", n)
	}
	if r := w.raw().ask(plain("GET", "/")...); r.status != 200 {
		t.Errorf("%d %v", r.status, r.err)
	}
}

func resolve(t *testing.T, addr string) net.Addr {
	t.Helper()
	a, err := net.ResolveUDPAddr("udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// silent is a socket that sends one packet, and gets none.
type silent struct {
	net.PacketConn
	once sync.Once
	sent chan struct{} // closed when it has
}

func silentSocket(t *testing.T) *silent {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &silent{PacketConn: c, sent: make(chan struct{})}
}

func (s *silent) WriteTo(b []byte, to net.Addr) (int, error) {
	s.once.Do(func() {
		_, _ = s.PacketConn.WriteTo(b, to)
		close(s.sent)
	})
	return len(b), nil
}

// The library complains of sockets whose buffers it cannot set.
func (s *silent) SetReadBuffer(int) error  { return nil }
func (s *silent) SetWriteBuffer(int) error { return nil }

func (s *silent) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		if _, _, err := s.PacketConn.ReadFrom(b); err != nil {
			return 0, nil, err
		}
	}
}

// Early data can be sent again by others, so there is none.
func TestNoEarlyData(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{})
	w.config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	for i, resumed := range []bool{false, true} {
		tr := &lib.Transport{TLSClientConfig: w.config, QUICConfig: &quic.Config{}}
		resp, err := tr.RoundTrip(w.request(lib.MethodGet0RTT, "/", nil, 0))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if resp.TLS.DidResume != resumed {
			t.Errorf("connection %d resumed: %v", i, resp.TLS.DidResume)
		}
		tr.Close()
	}
	q, err := quic.DialAddrEarly(t.Context(), w.addr, withALPN(w.config), &quic.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer q.CloseWithError(0, "")
	<-q.HandshakeComplete()
	if q.ConnectionState().Used0RTT {
		t.Error("early data was taken")
	}
}

func withALPN(c *tls.Config) *tls.Config {
	c = c.Clone()
	c.NextProtos = []string{lib.NextProtoH3}
	return c
}

// A connection without requests ends after the idle timeout, and heads that do
// not arrive whole are no requests.
func TestIdleConnectionsEnd(t *testing.T) {
	w := newWorld(t, func(top *topology.Topology) { top.Timeouts.Idle = topology.Duration(brief) }, testcell.Options{})
	idle, slow := w.raw(), w.raw()
	for range 10 {
		slow.send([]byte{headersFrame, 40}, false)
	}
	for _, c := range []rawConn{idle, slow} {
		select {
		case <-c.Context().Done():
		case <-time.After(patience):
			t.Fatal("the connection stays")
		}
		var ended *quic.ApplicationError
		if err := context.Cause(c.Context()); !errors.As(err, &ended) || lib.ErrCode(ended.ErrorCode) != lib.ErrCodeNoError {
			t.Errorf("%v", err)
		}
	}
}

// A stopping edge loses no request: those under way end well, new ones are told
// to go elsewhere, and the connection ends.
func TestShutdownLosesNothing(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{})
	idle, c := w.raw(), w.client()
	if r := idle.ask(plain("GET", "/")...); r.status != 200 {
		t.Fatal(r.err)
	}
	w.seen.next(t)
	before := w.cell.Requests()
	under := make(chan reply, 1)
	go func() { under <- do(t, c, w.request(http.MethodGet, "/slow?ms=300", nil, 0)) }()
	eventually(t, "the cell has it", func() bool { return w.cell.Requests() > before })
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	edgeEnded := make(chan error, 1)
	go func() { edgeEnded <- w.edge.Shutdown(ctx, 0) }() // waits for the connections
	if err := w.http3.Shutdown(ctx, 50*time.Millisecond); err != nil {
		t.Error(err)
	}
	if err := <-edgeEnded; err != nil {
		t.Error(err)
	}
	if r := <-under; r.StatusCode != 200 || r.err != nil || r.Header.Get("Connection") != "" {
		t.Errorf("%d %v %v", r.StatusCode, r.Header, r.err)
	}
	<-idle.Context().Done()
	if rec := w.seen.next(t); rec.Aborted != proxy.NotAborted {
		t.Errorf("recorded %+v", rec)
	}
	if err := w.http3.Serve(listenUDP(t)); !errors.Is(err, proxy.ErrServerClosed) {
		t.Errorf("Serve after Shutdown: %v", err)
	}
}

func listenUDP(t *testing.T) net.PacketConn {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// What does not end in time is broken off, also by an edge that ends alone.
func TestShutdownGivesUp(t *testing.T) {
	for _, name := range []string{"http3", "edge"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil, testcell.Options{})
			c := w.raw()
			s := c.send(head(plain("GET", "/slow?ms=600000")...), true)
			eventually(t, "the cell has it", func() bool { return w.cell.Requests() > 0 })
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			shutdown := w.http3.Shutdown
			if name == "edge" {
				shutdown = w.edge.Shutdown
			}
			if err := shutdown(ctx, 0); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v", err)
			}
			var told *quic.ApplicationError
			if r := c.read(s); !errors.As(r.err, &told) {
				t.Errorf("the client was told %v, %d", r.err, r.status)
			}
		})
	}
}
