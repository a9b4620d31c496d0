package edge_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/homeward/homeward/internal/edge"
	"github.com/homeward/homeward/internal/testcell"
)

const challengePath = "/.well-known/acme-challenge/"

// certificates are told to the metrics.
type certificates struct {
	names     []string
	notAfter  time.Time
	good, bad uint64
}

func (c certificates) Expiries(each func(string, time.Time)) {
	for _, name := range c.names {
		each(name, c.notAfter)
	}
}

func (c certificates) Counts() (good, bad uint64) { return c.good, c.bad }

// openEdge runs an edge of its own configuration in front of one cell, on a plain
// port and, with config, on one with TLS.
func openEdge(t *testing.T, c edge.Config, config *tls.Config) (e *edge.Edge, plain, secure string) {
	t.Helper()
	cell := testcell.New("na1", testcell.Options{})
	behind := listen(t)
	go func() { _ = cell.Serve(behind) }()
	t.Cleanup(cell.Close)
	c.Topology = demoTopology(t)
	for i := range c.Topology.Cells {
		c.Topology.Cells[i].Gateways = []string{"http://" + behind.Addr().String()}
	}
	e, err := edge.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = e.Shutdown(ctx, 0)
	})
	l, s := listen(t), listen(t)
	go func() { _ = e.Serve(l, nil) }()
	go func() { _ = e.Serve(s, config) }()
	return e, l.Addr().String(), s.Addr().String()
}

// presenting is a TLS configuration with a certificate of package httptest.
func presenting(protocols ...string) *tls.Config {
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	return &tls.Config{Certificates: s.TLS.Certificates, NextProtos: protocols, MinVersion: tls.VersionTLS12}
}

func TestOwnChallengesAreAnsweredAndNoOthers(t *testing.T) {
	asked := make(chan string, 16)
	c := edge.Config{Challenges: func(host, path string) (string, bool) {
		asked <- host + path
		return "token.proof", path == challengePath+"token"
	}}
	_, plain, secure := openEdge(t, c, presenting())
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
	for _, sent := range []struct {
		method, url string
		own, asks   bool
	}{
		{"GET", "http://" + plain + challengePath + "token", true, true},
		{"GET", "http://" + plain + challengePath + "other", false, true},
		{"POST", "http://" + plain + challengePath + "token", false, false},
		{"GET", "http://" + plain + "/x" + challengePath + "token", false, false},
		{"GET", "https://" + secure + challengePath + "token", false, false},
	} {
		req, err := http.NewRequestWithContext(t.Context(), sent.method, sent.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = "api.homeward.test"
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode != 200 || (string(body) == "token.proof") != sent.own {
			t.Errorf("%s %s: %d %.100q, %v", sent.method, sent.url, resp.StatusCode, body, err)
		}
		select {
		case what := <-asked:
			if !sent.asks || what != "api.homeward.test"+req.URL.Path {
				t.Errorf("%s %s: asked for %s", sent.method, sent.url, what)
			}
		default:
			if sent.asks {
				t.Errorf("%s %s: not asked", sent.method, sent.url)
			}
		}
	}
}

func TestChallengeHandshakeEndsTheConnection(t *testing.T) {
	_, _, secure := openEdge(t, edge.Config{}, presenting("acme-tls/1"))
	conn, err := tls.Dial("tcp", secure, &tls.Config{NextProtos: []string{"acme-tls/1"}, InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if got := conn.ConnectionState().NegotiatedProtocol; got != "acme-tls/1" {
		t.Errorf("protocol %q", got)
	}
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	_, _ = conn.Write([]byte("GET / HTTP/1.1\r\nHost: api.homeward.test\r\n\r\n"))
	var waiting net.Error
	if n, err := conn.Read(make([]byte, 100)); n > 0 || err == nil || errors.As(err, &waiting) && waiting.Timeout() {
		t.Errorf("%d bytes followed the handshake, %v", n, err)
	}
	if conn, err := tls.Dial("tcp", secure, &tls.Config{NextProtos: []string{"acme-tls/1", "h2"}, InsecureSkipVerify: true}); err != nil || conn.ConnectionState().NegotiatedProtocol != "h2" {
		t.Errorf("a client of HTTP/2 that knows challenges too: %v", err)
	} else {
		_ = conn.Close()
	}
	_, _, without := openEdge(t, edge.Config{}, presenting())
	if conn, err := tls.Dial("tcp", without, &tls.Config{NextProtos: []string{"acme-tls/1"}, InsecureSkipVerify: true}); err == nil {
		_ = conn.Close()
		t.Error("an edge without ACME takes a challenge")
	}
}

// A client that names HTTP/1.0 alone would lose its handshake to an edge that does
// not know the name, though what it speaks is understood.
func TestClientOfHTTP10NamesItInTheHandshake(t *testing.T) {
	_, _, secure := openEdge(t, edge.Config{}, presenting())
	for _, c := range []struct {
		offers []string
		want   string
	}{
		{[]string{"http/1.0"}, "http/1.0"},
		{[]string{"http/1.0", "http/1.1"}, "http/1.1"},
		{nil, ""},
	} {
		conn, err := tls.Dial("tcp", secure, &tls.Config{NextProtos: c.offers, InsecureSkipVerify: true})
		if err != nil {
			t.Errorf("offering %q: %v", c.offers, err)
			continue
		}
		defer conn.Close()
		if got := conn.ConnectionState().NegotiatedProtocol; got != c.want {
			t.Errorf("offering %q: %q, want %q", c.offers, got, c.want)
		}
		_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
		_, _ = conn.Write([]byte("GET / HTTP/1.0\r\nHost: api.homeward.test\r\n\r\n"))
		if resp, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || resp.StatusCode != http.StatusOK {
			t.Errorf("offering %q: %v, %v", c.offers, resp, err)
		}
	}
}

func TestCertificateMetrics(t *testing.T) {
	end := time.Unix(2_000_000_000, 0)
	e, _, _ := openEdge(t, edge.Config{
		FileCertificates:     certificates{names: []string{"file.test", "both.test", "zertifik\xe4t.pem"}, notAfter: end, good: 1, bad: 2},
		ObtainedCertificates: certificates{names: []string{"both.test"}, notAfter: end.Add(time.Hour), good: 3, bad: 4},
	}, presenting())
	admin := httptest.NewServer(e.Admin())
	defer admin.Close()
	text := fetch(t, admin.URL+"/metrics")
	for _, want := range []string{
		`homeward_certificate_expiry_timestamp_seconds{name="file.test"} 2e+09`,
		`homeward_certificate_expiry_timestamp_seconds{name="both.test"} 2.0000036e+09`,
		`homeward_certificate_expiry_timestamp_seconds{name="zertifik` + "\uFFFD" + `t.pem"} 2e+09`, // a file may be called anything
		`homeward_certificate_reload_total{result="taken"} 1`,
		`homeward_certificate_reload_total{result="refused"} 2`,
		`homeward_certificate_obtain_total{result="obtained"} 3`,
		`homeward_certificate_obtain_total{result="failed"} 4`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no %s in the metrics", want)
		}
	}
}
