package upstream

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/homeward/homeward/topology"
)

// tlsSource is what a cell declares of TLS, with its files read.
type tlsSource struct {
	serverName    string
	ca, cert, key []byte
}

func readTLS(d *topology.TLS) (tlsSource, error) {
	var s tlsSource
	if d == nil {
		return s, nil
	}
	s.serverName = d.ServerName
	for _, f := range []struct {
		name string
		to   *[]byte
	}{{d.CA, &s.ca}, {d.Cert, &s.cert}, {d.Key, &s.key}} {
		if f.name == "" {
			continue
		}
		b, err := os.ReadFile(f.name)
		if err != nil {
			return s, fmt.Errorf("tls: %w", err)
		}
		*f.to = b
	}
	return s, nil
}

// client is the configuration for a gateway with this host name. The name
// asked for and verified comes from the topology, never from a request.
func (s tlsSource) client(host, protocol string) (*tls.Config, error) {
	c := &tls.Config{
		ServerName: host,
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{protocol},
		// Resumption spares gateways full handshakes when many connections open.
		ClientSessionCache: tls.NewLRUClientSessionCache(0),
	}
	if s.serverName != "" {
		c.ServerName = s.serverName
	}
	if s.ca != nil {
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(s.ca) {
			return nil, errors.New("tls.ca holds no certificate in PEM form")
		}
	}
	if s.cert != nil {
		pair, err := tls.X509KeyPair(s.cert, s.key)
		if err != nil {
			return nil, fmt.Errorf("tls.cert and tls.key: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// declaration is what the gateways of a fleet are made from.
type declaration struct {
	who   string // for errors
	tls   tlsSource
	write time.Duration // timeouts.write
}

// identity is equal for two declarations of a gateway that the same connections
// serve. The files count by content, so that a renewed client certificate is taken.
func (d *declaration) identity(gateway string) string {
	h := sha256.New()
	for _, b := range [][]byte{d.tls.ca, d.tls.cert, d.tls.key} {
		sum := sha256.Sum256(b)
		h.Write(sum[:])
	}
	var write time.Duration // of no account to HTTP/1.1, where each exchange has its own
	if overHTTP2(gateway) {
		write = d.write
	}
	return fmt.Sprintf("%s|%s|%s|%s", gateway, d.tls.serverName, write, hex.EncodeToString(h.Sum(nil)))
}

// overHTTP2 reports whether a gateway is spoken to in HTTP/2.
func overHTTP2(gateway string) bool {
	return strings.HasPrefix(gateway, "h2c://") || strings.HasPrefix(gateway, "h2://")
}
