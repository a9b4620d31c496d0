// Package acme gets TLS certificates from a certificate authority that speaks
// ACME (RFC 8555), for names declared in advance, and renews them.
//
// What it has on disk it serves at once, whether or not the authority can be
// reached; all that needs the authority happens in the background, is tried
// again for as long as the process runs, and never holds up a handshake. No
// client can make it ask for a certificate: a name that was not declared has
// none.
//
// The protocol, the account and the files are certmagic's; when to ask, what to
// serve and what to tell of it is decided here.
package acme

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/mail"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"
)

// What a Config without these times gets.
const (
	defaultCheck = 10 * time.Minute
	defaultRetry = time.Minute
)

// Config is what a Manager is made of.
type Config struct {
	Names []string       // DNS names, at least one; see CheckName
	Email string         // where the authority may write to
	Dir   string         // of the keys, certificates and the account; made if it is not there
	CA    string         // URL of the authority's directory, https
	Roots *x509.CertPool // whom to believe that it is the authority; nil for the system's

	// Fallback gives the certificate for names that are not declared here, and
	// for declared ones that have none yet. nil: such handshakes are refused.
	Fallback func(*tls.ClientHelloInfo) (*tls.Certificate, error)

	Log *slog.Logger
	Now func() time.Time

	Check time.Duration // between two looks at a certificate's age; 0 for 10 minutes
	Retry time.Duration // after a first failure, doubled after each, 60 times it at most; 0 for a minute
}

// Manager has the certificates of its names. It is safe for concurrent use.
type Manager struct {
	config Config
	order  []*certificate
	byName map[string]*certificate
	store  *certmagic.FileStorage
	issuer string // the authority's part of file names

	obtained, failed atomic.Uint64

	authority atomic.Pointer[authority] // nil before Start
	cancel    context.CancelFunc
	running   sync.WaitGroup // one for each name once started
	closing   sync.Once
	ended     chan struct{} // closed when all of that has ended
}

// authority is certmagic's side of the matter.
type authority struct {
	cache  *certmagic.Cache
	config *certmagic.Config
	issuer *certmagic.ACMEIssuer
}

// Open checks the configuration, makes the directory and reads what is in it. It
// asks nothing of the authority before Start. A certificate on disk that cannot
// be used is logged, and replaced once there is a better one.
func Open(c Config) (*Manager, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if c.Check == 0 {
		c.Check = defaultCheck
	}
	if c.Retry == 0 {
		c.Retry = defaultRetry
	}
	if err := prepareDir(c.Dir); err != nil {
		return nil, err
	}
	m := &Manager{
		config: c, byName: map[string]*certificate{},
		ended:  make(chan struct{}),
		store:  &certmagic.FileStorage{Path: c.Dir},
		issuer: (&certmagic.ACMEIssuer{CA: c.CA}).IssuerKey(),
	}
	for _, name := range c.Names {
		name = normal(name)
		if m.byName[name] != nil {
			continue
		}
		cert := &certificate{name: name}
		m.byName[name] = cert
		m.order = append(m.order, cert)
		m.open(cert)
	}
	return m, nil
}

func (c *Config) check() error {
	if len(c.Names) == 0 {
		return errors.New("no names to get certificates for")
	}
	for _, name := range c.Names {
		if err := CheckName(name); err != nil {
			return err
		}
	}
	if a, err := mail.ParseAddress(c.Email); err != nil || a.Address != c.Email {
		return errors.New("the authority wants an email address that it can write to, as in ops@example.com")
	}
	if u, err := url.Parse(c.CA); err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		return fmt.Errorf("the authority's directory %q is not a URL that begins with https://", c.CA)
	}
	if c.Dir == "" {
		return errors.New("no directory to keep keys and certificates in")
	}
	return nil
}

// open takes what is on disk for a name at the start, and says what there is.
func (m *Manager) open(c *certificate) {
	pair, err := m.read(c.name)
	switch {
	case errors.Is(err, errNothing):
		m.config.Log.Info("no certificate on disk yet", "name", c.name)
	case err != nil:
		m.config.Log.Error("certificate on disk cannot be used; a new one will be asked for", "name", c.name, "error", err)
	default:
		c.pair.Store(pair)
		m.config.Log.Info("certificate taken from disk", "name", c.name, "not_after", pair.Leaf.NotAfter)
	}
}

// Start begins to ask the authority for what is missing or due. plain and secure
// are the addresses that the process already listens on for HTTP and HTTPS:
// where the authority's challenges arrive. plain may be nil, and then, or if it
// is another machine address than secure's, only the challenge over TLS is used.
// It is called at most once. Close ends it.
func (m *Manager) Start(plain, secure *net.TCPAddr) {
	quiet := zap.NewNop() // its lines may hold what clients sent; ours tell what matters
	a := &authority{}
	a.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return a.config, nil },
		Logger:           quiet,
	})
	a.config = certmagic.New(a.cache, certmagic.Config{
		Storage: m.store, Logger: quiet, DisableARI: true, OnEvent: m.follow,
		OCSP: certmagic.OCSPConfig{DisableStapling: true},
	})
	host := listenHost(secure)
	template := certmagic.ACMEIssuer{
		CA: m.config.CA, Email: m.config.Email, Agreed: true, TrustedRoots: m.config.Roots, Logger: quiet,
		ListenHost: host, AltTLSALPNPort: secure.Port,
		DisableHTTPChallenge: plain == nil || listenHost(plain) != host,
	}
	if plain != nil {
		template.AltHTTPPort = plain.Port
	}
	a.issuer = certmagic.NewACMEIssuer(a.config, template)
	a.config.Issuers = []certmagic.Issuer{a.issuer}
	m.authority.Store(a)
	ctx, cancel := context.WithCancel(context.Background())
	m.cancel = cancel
	for _, c := range m.order {
		m.running.Go(func() { m.keep(ctx, c) })
	}
}

// listenHost is the host that certmagic finds taken when it looks whether
// somebody answers challenges at the address: us.
func listenHost(a *net.TCPAddr) string {
	if a.IP.IsUnspecified() {
		return ""
	}
	return a.IP.String()
}

// Close ends all work with the authority, and waits for that until ctx ends.
// Certificates are served further. It may be called again.
func (m *Manager) Close(ctx context.Context) error {
	a := m.authority.Load()
	if a == nil {
		return nil
	}
	m.closing.Do(func() {
		m.cancel()
		go func() {
			m.running.Wait()
			a.cache.Stop()
			close(m.ended)
		}()
	})
	select {
	case <-m.ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Expiries tells each certificate in use and when it ends.
func (m *Manager) Expiries(each func(name string, notAfter time.Time)) {
	for _, c := range m.order {
		if pair := c.pair.Load(); pair != nil {
			each(c.name, pair.Leaf.NotAfter)
		}
	}
}

// Counts tells how many certificates were got from the authority, and how many
// attempts failed.
func (m *Manager) Counts() (good, bad uint64) { return m.obtained.Load(), m.failed.Load() }
