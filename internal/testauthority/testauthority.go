// Package testauthority is a certificate authority for tests: pebble, Let's
// Encrypt's small ACME server, in this process. It validates challenges for
// real, on the ports that it is given, and finds every name on this machine.
package testauthority

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"
)

// Authority is one authority, up or down. Its methods are for one goroutine; those
// that only tell may be called by many.
type Authority struct {
	addr    string
	handler http.Handler
	issuing *ca.CAImpl
	names   *dns.Server
	server  *httptest.Server // nil while it is down
}

// Config is what an authority is made of.
type Config struct {
	Life     uint64 // of its certificates, in seconds
	HTTPPort int    // where it validates HTTP-01
	TLSPort  int    // where it validates TLS-ALPN-01
	// Setenv sets a variable of this process's environment, where pebble reads
	// its settings: testing.T's.
	Setenv func(name, value string)
}

// Open makes an authority that is down, and has a free address of this machine.
// Close ends it, but for one goroutine that pebble never ends.
func Open(c Config) (*Authority, error) {
	c.Setenv("PEBBLE_VA_NOSLEEP", "1")
	c.Setenv("PEBBLE_AUTHZREUSE", "0") // each order validates
	a := &Authority{}
	resolver, err := a.resolve()
	if err != nil {
		return nil, err
	}
	l, err := Listen()
	if err != nil {
		a.Close()
		return nil, err
	}
	a.addr = l.Addr().String()
	_ = l.Close() // the address is known; nobody answers there yet
	quiet, store := log.New(io.Discard, "", 0), db.NewMemoryStore()
	a.issuing = ca.New(quiet, store, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {ValidityPeriod: c.Life}})
	validation := va.New(quiet, c.HTTPPort, c.TLSPort, true, resolver, store)
	front := wfe.New(quiet, store, validation, a.issuing, []string{"authority.test"}, true, false, 0, 0)
	a.handler = front.Handler()
	return a, nil
}

// Listen listens on a port of this machine that can be closed and opened again: it
// is below those that systems give to connections and to listeners that ask for any.
func Listen() (l net.Listener, err error) {
	for range 100 {
		port := 10_000 + rand.IntN(20_000) //nolint:gosec // keeps no secret
		if l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			return l, nil
		}
	}
	return nil, err
}

// Start brings the authority up, on the address that it always has.
func (a *Authority) Start() error {
	l, err := net.Listen("tcp", a.addr)
	if err != nil {
		return fmt.Errorf("start the authority: %w", err)
	}
	s := httptest.NewUnstartedServer(a.handler)
	_ = s.Listener.Close()
	s.Listener = l
	s.StartTLS()
	a.server = s
	return nil
}

// Stop takes the authority down. It keeps its accounts.
func (a *Authority) Stop() {
	if a.server != nil {
		a.server.CloseClientConnections()
		a.server.Close()
		a.server = nil
	}
}

// Close ends the authority.
func (a *Authority) Close() {
	a.Stop()
	_ = a.names.Shutdown() // an error says that it has ended
}

// Addr is the address where the authority is, while it is up.
func (a *Authority) Addr() string { return a.addr }

// Directory is the URL that ACME clients begin with.
func (a *Authority) Directory() string { return "https://" + a.addr + "/dir" }

// Root is by whom ACME clients believe that it is the authority, in PEM.
func (a *Authority) Root() []byte {
	s := httptest.NewTLSServer(http.NotFoundHandler()) // all have the same certificate
	defer s.Close()
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
}

// Issuer is by whom others believe the certificates that it issues, in PEM.
func (a *Authority) Issuer() []byte { return a.issuing.GetRootCert(0).PEM() }

// Pool is a pool of the certificates in some PEM.
func Pool(pemBytes []byte) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pemBytes)
	return pool
}

// resolve starts a DNS server that finds every name on this machine.
func (a *Authority) resolve() (addr string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	started := make(chan struct{})
	a.names = &dns.Server{
		Listener:          l,
		NotifyStartedFunc: func() { close(started) },
		Handler: dns.HandlerFunc(func(w dns.ResponseWriter, r *dns.Msg) {
			m := new(dns.Msg).SetReply(r)
			if q := r.Question[0]; q.Qtype == dns.TypeA {
				m.Answer = append(m.Answer, &dns.A{Hdr: dns.RR_Header{Name: q.Name, Rrtype: q.Qtype, Class: q.Qclass, Ttl: 1}, A: net.IPv4(127, 0, 0, 1)})
			}
			_ = w.WriteMsg(m) // the client may be gone
		}),
	}
	go func() { _ = a.names.ActivateAndServe() }()
	<-started
	return l.Addr().String(), nil
}
