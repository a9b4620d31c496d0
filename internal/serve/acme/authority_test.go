package acme_test

import (
	"bytes"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"
)

// authority is pebble, Let's Encrypt's small authority for tests, in this
// process. It validates challenges for real, on the ports it is given, and
// resolves every name to this machine.
type authority struct {
	t       *testing.T
	addr    string
	handler http.Handler
	issuing *ca.CAImpl

	mu     sync.Mutex
	server *httptest.Server // nil while it is down
}

// newAuthority makes an authority that is down, with certificates of so many
// seconds of life.
func newAuthority(t *testing.T, life uint64, httpPort, tlsPort int) *authority {
	t.Helper()
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	t.Setenv("PEBBLE_AUTHZREUSE", "0") // each order validates
	quiet := log.New(io.Discard, "", 0)
	store := db.NewMemoryStore()
	issuing := ca.New(quiet, store, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {ValidityPeriod: life}})
	validation := va.New(quiet, httpPort, tlsPort, true, resolver(t), store)
	front := wfe.New(quiet, store, validation, issuing, []string{"authority.test"}, true, false, 0, 0)
	l := listen(t)
	a := &authority{t: t, addr: l.Addr().String(), handler: front.Handler(), issuing: issuing}
	_ = l.Close() // the address is known; nobody answers there yet
	t.Cleanup(a.stop)
	return a
}

func (a *authority) start() {
	a.t.Helper()
	l := again(a.t, a.addr)
	s := httptest.NewUnstartedServer(a.handler)
	_ = s.Listener.Close()
	s.Listener = l
	s.StartTLS()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.server = s
}

func (a *authority) stop() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.server != nil {
		a.server.CloseClientConnections()
		a.server.Close()
		a.server = nil
	}
}

func (a *authority) directory() string { return "https://" + a.addr + "/dir" }

// believed is whom a client of the authority must believe: every server of
// package httptest has the same certificate.
func believed() *x509.CertPool {
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return pool
}

// issued is whom a client of the edge must believe.
func (a *authority) issued() *x509.CertPool {
	a.t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(a.issuing.GetRootCert(0).PEM()) {
		a.t.Fatal("no root certificate")
	}
	return pool
}

// resolver is a DNS server that finds every name on this machine.
func resolver(t *testing.T) string {
	t.Helper()
	l := listen(t)
	started := make(chan struct{})
	s := &dns.Server{
		Listener:          l,
		NotifyStartedFunc: func() { close(started) },
		Handler: dns.HandlerFunc(func(w dns.ResponseWriter, r *dns.Msg) {
			m := new(dns.Msg).SetReply(r)
			if q := r.Question[0]; q.Qtype == dns.TypeA {
				m.Answer = append(m.Answer, &dns.A{Hdr: dns.RR_Header{Name: q.Name, Rrtype: q.Qtype, Class: q.Qclass, Ttl: 1}, A: net.IPv4(127, 0, 0, 1)})
			}
			_ = w.WriteMsg(m)
		}),
	}
	go func() { _ = s.ActivateAndServe() }()
	<-started
	t.Cleanup(func() { _ = s.Shutdown() })
	return l.Addr().String()
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// logBuffer is a log that may be read while it is written.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// again listens on an address that was in use a moment ago.
func again(t *testing.T, addr string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return l
}
