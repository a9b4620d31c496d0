package http3_test

import (
	"crypto/tls"
	"net"
	"net/http"
	"testing"

	"github.com/homeward/homeward/internal/testcell"
)

// Answers over TLS tell where HTTP/3 is spoken, the edge's own and those of
// cells; plain ones, which nobody vouches for, do not.
func TestAdvertisement(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{})
	const altSvc = `h3=":8443"; ma=3600`
	server, client := certificate(t)
	plainAddr, secureAddr := w.listenTCP(nil), w.listenTCP(server)
	ask := func(scheme, addr, path string, http2 bool) *http.Response {
		tr := &http.Transport{TLSClientConfig: client.Clone(), Protocols: new(http.Protocols)}
		tr.Protocols.SetHTTP1(!http2)
		tr.Protocols.SetHTTP2(http2)
		defer tr.CloseIdleConnections()
		req := w.request(http.MethodGet, path, nil, 0)
		req.URL.Scheme, req.URL.Host = scheme, addr
		return do(t, &http.Client{Transport: tr, Timeout: patience}, req).Response
	}
	for _, on := range []bool{true, false} {
		want := ""
		if on {
			want = altSvc
		}
		w.edge.Server().Advertise(want)
		for _, http2 := range []bool{false, true} {
			for _, path := range []string{"/", "/healthz", "/?hapikey=eu9-x"} {
				if got := ask("https", secureAddr, path, http2).Header.Get("Alt-Svc"); got != want {
					t.Errorf("HTTP/2 %v, %s: Alt-Svc %q", http2, path, got)
				}
			}
		}
		if got := ask("http", plainAddr, "/", false).Header.Get("Alt-Svc"); got != "" {
			t.Errorf("without TLS: Alt-Svc %q", got)
		}
		if got := do(t, w.client(), w.request(http.MethodGet, "/", nil, 0)).Header.Get("Alt-Svc"); got != "" {
			t.Errorf("over HTTP/3: Alt-Svc %q", got)
		}
	}
}

func (w *world) listenTCP(config *tls.Config) string {
	w.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	go func() { _ = w.edge.Serve(l, config) }()
	return l.Addr().String()
}
