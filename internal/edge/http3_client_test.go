package edge_test

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	quichttp3 "github.com/quic-go/quic-go/http3"

	"github.com/homeward/homeward/internal/http3"
)

// http3Way is a client of HTTP/3, with a listener of the edge for it.
func (w *world) http3Way() way {
	w.t.Helper()
	a := newAuthority(w.t)
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	server := http3.New(w.edge.Server(), a.config("localhost"))
	ended := make(chan struct{})
	go func() { defer close(ended); _ = server.Serve(packets) }()
	w.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = server.Shutdown(ctx, 0)
		<-ended
	})
	config := &tls.Config{RootCAs: a.pool, ServerName: "localhost", NextProtos: []string{quichttp3.NextProtoH3}}
	tr := &quichttp3.Transport{TLSClientConfig: config, DisableCompression: true}
	w.t.Cleanup(func() { _ = tr.Close() })
	c := client{"http3", "https://" + packets.LocalAddr().String(), "HTTP/3.0", &http.Client{Transport: tr, Timeout: patience}}
	return way{client: c, socket: func(t *testing.T, path string) (*socket, *http.Response) {
		return openHTTP3Socket(t, packets.LocalAddr().String(), config, path)
	}}
}

// openHTTP3Socket asks by an extended CONNECT (RFC 9220).
func openHTTP3Socket(t *testing.T, addr string, config *tls.Config, path string) (*socket, *http.Response) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	q, err := quic.DialAddr(ctx, addr, config, &quic.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = q.CloseWithError(0, "") })
	conn := (&quichttp3.Transport{}).NewClientConn(q)
	select {
	case <-conn.ReceivedSettings():
	case <-ctx.Done():
		t.Fatal("the edge sent no settings")
	}
	if !conn.Settings().EnableExtendedConnect {
		t.Fatal("the edge offers no extended CONNECT")
	}
	s, err := conn.OpenRequestStream(ctx)
	if err != nil {
		t.Fatal(err)
	}
	_ = s.SetDeadline(time.Now().Add(patience))
	target, err := url.Parse("https://localhost" + path)
	if err != nil { // an escape that is none: as it stands
		target = &url.URL{Scheme: "https", Host: "localhost", Opaque: "https://localhost" + path}
	}
	req := &http.Request{
		Method: http.MethodConnect, Proto: "websocket", Host: "localhost", URL: target,
		Header: http.Header{
			"Authorization": {"Bearer " + euToken}, "Sec-Websocket-Version": {"13"},
			"Sec-Websocket-Protocol": {"chat, echo.v1"}, "Origin": {"https://app.homeward.test"},
		},
	}
	if err := s.SendRequestHeader(req); err != nil {
		t.Fatal(err)
	}
	resp, err := s.ReadResponse()
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != 200 {
		return nil, resp
	}
	return &socket{t: t, rw: s, half: s.Close, whole: func() error { s.CancelRead(0); s.CancelWrite(0); return nil }}, resp
}
