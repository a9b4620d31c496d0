package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/quic-go/quic-go/http3"

	"github.com/homeward/homeward/internal/testcert"
)

// TestHTTP3 runs the edge with HTTP/3: HTTPS tells where it is spoken, it is
// spoken there with the same certificate, and both end well.
func TestHTTP3(t *testing.T) {
	pair := testcert.New(t, testcert.Options{})
	certFile, keyFile := pair.Files(t)
	root, log := newRoot(), &output{changed: make(chan struct{}, 1)}
	root.SetOut(log)
	root.SetErr(log)
	root.SetArgs([]string{
		"edge", "-t", "../../examples/demo.yaml", "--https", "127.0.0.1:0", "--http3", "127.0.0.1:0", "--cert", certFile, "--key", keyFile,
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	code := make(chan int, 1)
	go func() { code <- run(ctx, root) }()
	https, udp := log.await(t, `https=(\S+)`), log.await(t, `http3=(\S+)`)
	_, port, err := net.SplitHostPort(udp)
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{RootCAs: pair.Pool(), ServerName: "localhost"}
	over3 := &http3.Transport{TLSClientConfig: config.Clone()}
	defer over3.Close()
	over2 := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}
	defer over2.CloseIdleConnections()
	for _, c := range []struct {
		addr, proto, altSvc string
		by                  http.RoundTripper
	}{{https, "HTTP/2.0", `h3=":` + port + `"; ma=3600`, over2}, {udp, "HTTP/3.0", "", over3}} {
		resp, err := (&http.Client{Transport: c.by, Timeout: time.Minute}).Get("https://" + c.addr + "/healthz")
		if err != nil {
			t.Fatalf("%s: %v", c.proto, err)
		}
		resp.Body.Close()
		if resp.StatusCode != 200 || resp.Proto != c.proto || resp.Header.Get("Alt-Svc") != c.altSvc {
			t.Errorf("%s: %d %s, Alt-Svc %q", c.proto, resp.StatusCode, resp.Proto, resp.Header.Get("Alt-Svc"))
		}
	}
	over2.CloseIdleConnections()
	over3.Close()
	cancel()
	if got := <-code; got != 0 {
		t.Errorf("exit status %d\n%s", got, log.String())
	}
}

// output is what a command has written so far.
type output struct {
	mu      sync.Mutex
	buf     bytes.Buffer
	changed chan struct{}
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.changed <- struct{}{}:
	default:
	}
	return o.buf.Write(p)
}

// String is all of it.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// await waits for a match and returns its group.
func (o *output) await(t *testing.T, pattern string) string {
	t.Helper()
	deadline := time.After(time.Minute)
	for {
		if m := regexp.MustCompile(pattern).FindStringSubmatch(o.String()); m != nil {
			return m[1]
		}
		select {
		case <-o.changed:
		case <-deadline:
			t.Fatalf("no %s in\n%s", pattern, o.String())
		}
	}
}
