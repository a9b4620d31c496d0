package testcell_test

//lint:file-ignore SA1019 the Transport that takes the place of this one lets no extended CONNECT through

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// extended is a client that can send an extended CONNECT, which
// http.Transport does not let through.
func extended(t *testing.T, roots *tls.Config) *http.Client {
	t.Helper()
	tr := &http2.Transport{TLSClientConfig: roots}
	if roots == nil {
		tr.AllowHTTP = true
		tr.DialTLSContext = func(ctx context.Context, network, addr string, _ *tls.Config) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, addr)
		}
	}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: time.Minute}
}
