package edgecmd

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/homeward/homeward/internal/edge"
	"github.com/homeward/homeward/internal/serve"
	"github.com/homeward/homeward/topology"
)

// certificates are the sources of certificates for HTTPS: files, an authority,
// both, or neither where there is no HTTPS.
type certificates struct {
	file     *serve.Certificate // nil for none
	obtained Obtainer           // nil for none
}

// openCertificates reads what is on disk. It starts nothing.
func (o *options) openCertificates(log *slog.Logger) (c certificates, err error) {
	if o.cert != "" {
		c.file, err = serve.OpenCertificate(o.cert, o.key, time.Second, log, time.Now)
		if err != nil {
			return c, fmt.Errorf("%w\nfix: --cert is a PEM file of the certificate and its chain, --key one of the private key that belongs to it, and this user can read both", err)
		}
	}
	if len(o.acme.domains) == 0 {
		return c, nil
	}
	roots, err := o.acme.roots()
	if err != nil {
		return c, err
	}
	config := ACMEConfig{
		Names: o.acme.domains, Email: o.acme.email, Dir: o.acme.dir, CA: o.acme.ca, Roots: roots, Log: log, Now: time.Now,
	}
	if c.file != nil {
		config.Fallback = c.file.GetCertificate
	}
	if c.obtained, err = o.features.ACME(config); err != nil {
		return c, fmt.Errorf("ACME: %w", err)
	}
	return c, nil
}

// tell gives the sources to an edge that is to be opened.
func (c certificates) tell(config *edge.Config) {
	if c.file != nil {
		config.FileCertificates = c.file
	}
	if c.obtained != nil {
		config.ObtainedCertificates, config.Challenges = c.obtained, c.obtained.Answer
	}
}

// tls is how HTTPS listens.
func (c certificates) tls() *tls.Config {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.obtained == nil {
		config.GetCertificate = c.file.GetCertificate
		return config
	}
	config.GetCertificate = c.obtained.GetCertificate
	config.NextProtos = []string{"acme-tls/1"} // for challenges (RFC 8737); the edge adds those of HTTP
	return config
}

// start begins to ask the authority, once the listeners are open. plain is nil
// for none.
func (c certificates) start(plain, secure net.Listener) {
	if c.obtained == nil {
		return
	}
	var addr *net.TCPAddr
	if plain != nil {
		addr = plain.Addr().(*net.TCPAddr)
	}
	c.obtained.Start(addr, secure.Addr().(*net.TCPAddr))
}

// close ends what start began.
func (c certificates) close(ctx context.Context) {
	if c.obtained != nil {
		_ = c.obtained.Close(ctx) // what is late ends with the process
	}
}

// warnOfUnknown warns of hosts that get a certificate although all their requests
// are refused.
func (o *options) warnOfUnknown(t *topology.Topology, log *slog.Logger) {
	known := slices.Clone(t.Facade.Hosts)
	for i := range t.Cells {
		known = append(known, t.Cells[i].Hosts...)
	}
	for _, name := range o.acme.domains {
		if !slices.ContainsFunc(known, func(host string) bool { return strings.EqualFold(host, name) }) {
			log.Warn("--acme-domain names a host that the topology does not: its requests get unknown-host", "name", name)
		}
	}
}
