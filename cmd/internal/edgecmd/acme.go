package edgecmd

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/spf13/pflag"

	"github.com/homeward/homeward/internal/edge"
)

// letsEncrypt is the directory of the authority that most will use.
const letsEncrypt = "https://acme-v02.api.letsencrypt.org/directory"

// ACMEConfig is what an Obtainer is made of.
type ACMEConfig struct {
	Names    []string
	Email    string
	Dir      string         // of keys, certificates and the account
	CA       string         // URL of the authority's directory
	Roots    *x509.CertPool // whom to believe that it is the authority; nil for the system's
	Fallback func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	Log      *slog.Logger
	Now      func() time.Time
}

// Obtainer gets certificates from an authority and serves them.
type Obtainer interface {
	edge.Certificates
	// GetCertificate is the function of that name in a tls.Config.
	GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error)
	// Answer answers the authority's challenge over plain HTTP.
	Answer(host, path string) (body string, ok bool)
	// Start begins to ask the authority, which will look for the edge behind
	// these addresses. plain is nil if there is no plain listener.
	Start(plain, secure *net.TCPAddr)
	// Close ends what Start began, at the latest when ctx ends.
	Close(ctx context.Context) error
}

// acmeOptions are the flags of ACME.
type acmeOptions struct {
	domains []string
	email   string
	dir     string
	ca      string
	caRoot  string
	agree   bool
}

func (o *acmeOptions) flags(f *pflag.FlagSet) {
	f.StringSliceVar(&o.domains, "acme-domain", nil, "host to get a certificate for by ACME; repeat it for each")
	f.StringVar(&o.email, "acme-email", "", "address that the ACME authority may write to")
	f.StringVar(&o.dir, "acme-dir", "", "directory for its keys and certificates, for this user only; edges with the same hosts share it")
	f.StringVar(&o.ca, "acme-ca", letsEncrypt, "URL of the ACME authority's directory")
	f.StringVar(&o.caRoot, "acme-ca-root", "", "PEM file of the root that the authority's own server is believed by, if the system does not know it")
	f.BoolVar(&o.agree, "acme-agree", false, "you agree to the authority's terms of service")
}

func (o *acmeOptions) check() error {
	switch {
	case len(o.domains) == 0 && (o.email != "" || o.dir != "" || o.caRoot != "" || o.agree || o.ca != "" && o.ca != letsEncrypt):
		return errors.New("the flags --acme-... say how to get certificates; say for which hosts with --acme-domain NAME")
	case len(o.domains) == 0:
		return nil
	case o.email == "":
		return errors.New("--acme-domain needs --acme-email ADDRESS, which the authority may write to")
	case o.dir == "":
		return errors.New("--acme-domain needs --acme-dir DIR, where keys and certificates are kept over restarts")
	case !o.agree:
		return fmt.Errorf("read the terms of service of the authority %s, and agree to them with --acme-agree", o.ca)
	}
	return nil
}

// roots reads the file of the authority's root; nil for the system's roots.
func (o *acmeOptions) roots() (*x509.CertPool, error) {
	if o.caRoot == "" {
		return nil, nil
	}
	b, err := os.ReadFile(o.caRoot)
	if err != nil {
		return nil, fmt.Errorf("--acme-ca-root: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(b) {
		return nil, fmt.Errorf("--acme-ca-root %s: there is no PEM certificate in it", o.caRoot)
	}
	return pool, nil
}
