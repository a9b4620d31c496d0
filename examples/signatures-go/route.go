package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
)

// facade is the host that clients sign for. Nothing resolves it: routes connect
// to the edge.
const facade = "api.homeward.test"

// route is a way to the edge.
type route struct {
	name      string
	scheme    string
	host      string
	major     int // of the HTTP version that must be spoken
	transport *http.Transport
}

func routes(plain, secure, caFile string) ([]route, error) {
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", caFile)
	}
	to := func(address string, set func(*http.Protocols)) *http.Transport {
		t := &http.Transport{
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, address)
			},
			TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			Protocols:       new(http.Protocols),
		}
		set(t.Protocols)
		return t
	}
	http1 := func(p *http.Protocols) { p.SetHTTP1(true) }
	http2 := func(p *http.Protocols) { p.SetHTTP2(true) }
	h2c := func(p *http.Protocols) { p.SetUnencryptedHTTP2(true) }
	return []route{
		{"HTTP/1.1", "http", facade, 1, to(plain, http1)},
		{"HTTP/1.1 to an address with a port", "http", plain, 1, to(plain, http1)},
		{"HTTP/1.1 over TLS", "https", facade, 1, to(secure, http1)},
		{"HTTP/2 over TLS", "https", facade, 2, to(secure, http2)},
		{"HTTP/2 without TLS", "http", facade, 2, to(plain, h2c)},
	}, nil
}
