// Package serve holds what every listening process of Homeward shares: a TLS
// certificate that follows its files, the spreading of closes over a drain
// window, and the guards of the admin port.
//
// It starts no goroutine and keeps no state beside the values it hands out.
package serve

import (
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// expiryNotice is how long before its end a certificate is warned of, or
	// a third of its life where that is shorter.
	expiryNotice = 14 * 24 * time.Hour
	// expiryRepeat is the time between two such warnings.
	expiryRepeat = 24 * time.Hour
)

// Certificate is a certificate with its key that follows two PEM files. A
// change is taken whole or not at all: while the files are half written, do
// not belong together or cannot be read, the pair that was good last goes on
// serving, and the files are tried again. All methods are safe for concurrent
// use.
type Certificate struct {
	certFile, keyFile string
	every             time.Duration
	log               *slog.Logger
	now               func() time.Time

	pair             atomic.Pointer[tls.Certificate] // never nil once open
	reloads, refused atomic.Uint64

	mu      sync.Mutex // held by the one handshake that looks at the files
	looked  time.Time  // when that was done last
	current digest     // of the content that pair came from
	logged  problem    // what was logged last; zero when the files are good
	warned  time.Time  // when the expiry was warned of last
}

// digest stands for the content of both files; the key itself is not kept.
type digest [2][sha256.Size]byte

// problem is one state of the files that cannot be taken.
type problem struct {
	content digest
	text    string
}

// OpenCertificate reads a certificate chain and its private key from PEM files.
// Afterwards a handshake looks at the files again once the time every has
// passed, and never before; 0 means on each handshake. The clock is now.
func OpenCertificate(certFile, keyFile string, every time.Duration, log *slog.Logger, now func() time.Time) (*Certificate, error) {
	c := &Certificate{certFile: certFile, keyFile: keyFile, every: every, log: log, now: now, looked: now()}
	content, pair, err := c.read()
	if err != nil {
		return nil, err
	}
	c.current = content
	c.pair.Store(pair)
	c.warnOfExpiry(c.looked)
	return c, nil
}

// GetCertificate is the function of that name in a tls.Config. It never fails
// and never waits for another handshake's look at the files.
func (c *Certificate) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if c.mu.TryLock() {
		c.follow()
		c.mu.Unlock()
	}
	return c.pair.Load(), nil
}

// Counts tells how many changes of the files have been taken, and how many
// times the files were looked at and could not be taken.
func (c *Certificate) Counts() (taken, refused uint64) {
	return c.reloads.Load(), c.refused.Load()
}

// Expiries tells when the certificate now in use ends, under its first DNS name,
// or the name of its file if it has none. It looks at the files as a handshake
// does, so that a certificate close to its end is warned of without any client.
func (c *Certificate) Expiries(each func(name string, notAfter time.Time)) {
	pair, _ := c.GetCertificate(nil)
	name := filepath.Base(c.certFile)
	if len(pair.Leaf.DNSNames) > 0 {
		name = pair.Leaf.DNSNames[0]
	}
	each(name, pair.Leaf.NotAfter)
}

// follow looks at the files if that is due. The caller holds mu.
func (c *Certificate) follow() {
	now := c.now()
	if now.Sub(c.looked) < c.every {
		return
	}
	c.looked = now
	content, pair, err := c.read()
	switch {
	case err != nil:
		c.refused.Add(1)
		if p := (problem{content, err.Error()}); p != c.logged {
			c.logged = p
			c.log.Error("certificate not reloaded; the previous one stays in use", "error", err)
		}
	case content != c.current:
		c.current, c.logged, c.warned = content, problem{}, time.Time{}
		c.pair.Store(pair)
		c.reloads.Add(1)
		c.log.Info("certificate reloaded", "cert", c.certFile, "not_after", pair.Leaf.NotAfter)
	default:
		c.logged = problem{} // back to the content in use
	}
	c.warnOfExpiry(now)
}

// read reads both files. The content is compared rather than a time of
// change, which a second write within one tick of the file system's clock
// would not move.
func (c *Certificate) read() (digest, *tls.Certificate, error) {
	certPEM, err := os.ReadFile(c.certFile)
	if err != nil {
		return digest{}, nil, fmt.Errorf("read the certificate: %w", err)
	}
	keyPEM, err := os.ReadFile(c.keyFile)
	if err != nil {
		return digest{}, nil, fmt.Errorf("read the certificate's key: %w", err)
	}
	content := digest{sha256.Sum256(certPEM), sha256.Sum256(keyPEM)}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return content, nil, fmt.Errorf("certificate %s with key %s: %w", c.certFile, c.keyFile, err)
	}
	return content, &pair, nil
}

// warnOfExpiry warns, once in expiryRepeat, of a certificate close to its end.
// An expired one goes on being served: clients may still accept it, and no
// certificate at all helps nobody.
func (c *Certificate) warnOfExpiry(now time.Time) {
	leaf := c.pair.Load().Leaf
	notice := min(expiryNotice, leaf.NotAfter.Sub(leaf.NotBefore)/3)
	left := leaf.NotAfter.Sub(now)
	if left > notice || (!c.warned.IsZero() && now.Sub(c.warned) < expiryRepeat) {
		return
	}
	c.warned = now
	if left <= 0 {
		c.log.Error("certificate has expired: renew it; a new one is taken without a restart", "cert", c.certFile, "not_after", leaf.NotAfter)
		return
	}
	c.log.Warn("certificate expires soon: renew it; a new one is taken without a restart", "cert", c.certFile, "not_after", leaf.NotAfter, "left", left.Round(time.Minute))
}
