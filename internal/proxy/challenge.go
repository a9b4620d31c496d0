package proxy

import (
	"crypto/tls"
	"strings"
)

// challengePath is where a certificate authority asks whether this edge speaks
// for a name (RFC 8555 section 8.3).
const challengePath = "/.well-known/acme-challenge/"

// challengeProtocol is what such an authority offers instead, alone, in a TLS
// handshake (RFC 8737 section 3).
const challengeProtocol = "acme-tls/1"

// Challenges answers the HTTP challenges that this edge has under way. It gets
// the host and the path as the client sent them, and says ok for its own only:
// every other one is a request like any other, for a cell may prove names too.
// It is called by many goroutines and must return at once.
type Challenges func(host, path string) (body string, ok bool)

// AnswerChallenges sets what answers challenges on plain connections. It is
// called before the proxy serves, or never.
func (p *Proxy) AnswerChallenges(c Challenges) { p.challenges = c }

// challenge is the answer to a challenge of the edge's own.
func (x *exchange) challenge() (body string, ok bool) {
	in := x.in
	if x.proxy.challenges == nil || in.TLS || in.Method != "GET" || !strings.HasPrefix(in.Origin, challengePath) {
		return "", false
	}
	return x.proxy.challenges(in.Host, in.Origin)
}

// protocols are what a TLS listener of the edge offers: HTTP, and the protocol of
// challenges if the caller's configuration answers them. Clients of HTTP/1.0 name
// it, and a handshake ends that finds no name in common (RFC 7301 section 3.2).
func protocols(configured []string) []string {
	offered := []string{"h2", "http/1.1", "http/1.0"}
	for _, p := range configured {
		if p == challengeProtocol {
			return append(offered, p)
		}
	}
	return offered
}

// challenged reports whether a handshake was a challenge. The certificate that it
// showed was the answer: nothing may follow.
func challenged(s tls.ConnectionState) bool { return s.NegotiatedProtocol == challengeProtocol }
