package acme

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync/atomic"
	"time"

	"github.com/caddyserver/certmagic"
)

// errNothing says that the directory has no certificate for a name.
var errNothing = errors.New("no certificate on disk")

// certificate is what there is for one name.
type certificate struct {
	name string
	pair atomic.Pointer[tls.Certificate] // nil for none yet
	miss misses
}

// due reports whether a certificate is to be replaced: a third of its life is
// left, or less.
func due(pair *tls.Certificate, now time.Time) bool {
	leaf := pair.Leaf
	return leaf.NotAfter.Sub(now) <= leaf.NotAfter.Sub(leaf.NotBefore)/3
}

// prepareDir makes the directory, which nobody but the user of this process may
// enter: it holds private keys.
func prepareDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("directory for certificates: %w; name one that is there or can be made", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("directory for certificates: %w", err)
	}
	if open := info.Mode().Perm() & 0o077; open != 0 {
		return fmt.Errorf("directory for certificates %s is open to other users (mode %04o) and would hold private keys: chmod 700 %s", dir, info.Mode().Perm(), dir)
	}
	return nil
}

// read reads the certificate and the key of a name from the directory. The error
// is errNothing if there is none.
func (m *Manager) read(name string) (*tls.Certificate, error) {
	certFile, keyFile := certmagic.StorageKeys.SiteCert(m.issuer, name), certmagic.StorageKeys.SitePrivateKey(m.issuer, name)
	certPEM, err := m.store.Load(context.Background(), certFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNothing
	}
	if err != nil {
		return nil, err
	}
	keyPEM, err := m.store.Load(context.Background(), keyFile)
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, fmt.Errorf("%s with its key: %w", m.store.Filename(certFile), err)
	}
	if err := pair.Leaf.VerifyHostname(name); err != nil {
		return nil, fmt.Errorf("%s: %w", m.store.Filename(certFile), err)
	}
	return &pair, nil
}

// take reads what is on disk, where another process may have renewed it, and
// serves it from now on. It reports whether there is a certificate that is not due.
func (m *Manager) take(c *certificate) (fresh bool, err error) {
	pair, err := m.read(c.name)
	if err != nil {
		return false, err
	}
	if old := c.pair.Load(); old == nil || !old.Leaf.Equal(pair.Leaf) {
		c.pair.Store(pair)
	}
	return !due(pair, m.config.Now()), nil
}
