package acme

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Protocol is what a TLS listener must offer besides its own protocols, so that
// the challenge over TLS arrives (RFC 8737 section 3). Such a connection carries
// nothing further.
const Protocol = "acme-tls/1"

// missNotice is the time between two log lines about handshakes without a
// certificate, for one name.
const missNotice = time.Minute

// GetCertificate is the function of that name in a tls.Config. It waits for
// nothing. A client that names no host gets the fallback, or else the
// certificate of the first name. Without a certificate for the name the handshake
// is refused as unrecognized_name (RFC 6066 section 3).
func (m *Manager) GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	c := m.byName[normal(hello.ServerName)]
	if len(hello.SupportedProtos) == 1 && hello.SupportedProtos[0] == Protocol {
		return m.proof(c, hello), nil
	}
	if c == nil && hello.ServerName == "" && m.config.Fallback == nil {
		c = m.order[0]
	}
	if c != nil {
		if pair := c.pair.Load(); pair != nil {
			return pair, nil
		}
	}
	if m.config.Fallback != nil {
		return m.config.Fallback(hello)
	}
	if c != nil {
		if n := c.miss.count(m.config.Now()); n > 0 {
			m.config.Log.Warn("handshakes refused: there is no certificate for this name yet", "name", c.name, "handshakes", n)
		}
	}
	return nil, nil
}

// proof is the certificate that answers a challenge under way, nil if there is
// none for this name.
func (m *Manager) proof(c *certificate, hello *tls.ClientHelloInfo) *tls.Certificate {
	a := m.authority.Load()
	if c == nil || a == nil {
		return nil
	}
	pair, err := a.config.GetCertificate(hello)
	if err != nil { // none under way
		return nil
	}
	return pair
}

// Answer answers a challenge over plain HTTP (RFC 8555 section 8.3): for a
// declared name, by this process or one that shares its directory, under way.
// Everything else is somebody else's to answer. host may have a port; path is as
// the client sent it.
func (m *Manager) Answer(host, path string) (body string, ok bool) {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	a := m.authority.Load()
	if a == nil || m.byName[normal(host)] == nil || len(path) > 256 || strings.ContainsAny(path, "?%") {
		return "", false
	}
	var w answer
	r := &http.Request{Method: http.MethodGet, Host: normal(host), URL: &url.URL{Path: path}, RequestURI: path, Header: http.Header{}}
	handled := a.issuer.HandleHTTPChallenge(&w, r)
	return w.String(), handled && w.Len() > 0
}

// answer takes the text that certmagic answers with.
type answer struct {
	strings.Builder
	header http.Header
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header {
	if a.header == nil {
		a.header = http.Header{}
	}
	return a.header
}

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(int) {}

// misses counts handshakes for which there was no certificate.
type misses struct {
	mu    sync.Mutex
	n     int
	since time.Time // of the last notice
}

// count counts one more. It returns how many there were since the last notice
// when one is due, else 0.
func (m *misses) count(now time.Time) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.n++
	if !m.since.IsZero() && now.Sub(m.since) < missNotice {
		return 0
	}
	n := m.n
	m.n, m.since = 0, now
	return n
}
