package serve

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// Loopback reports whether a listen address, host:port, is reached from this
// machine only. An address without a host is not: it listens everywhere.
func Loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	return err == nil && loopbackHost(host)
}

// loopbackHost reports whether host, without a port, is localhost (RFC 6761
// section 6.3) or a loopback address.
func loopbackHost(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// AdminWait is how long the admin port waits for its clients: more than the usual
// time between two looks at the metrics.
const AdminWait = 30 * time.Second

// adminHead is how long at most a head on the admin port may take.
const adminHead = 10 * time.Second

// AdminServer serves handler on the admin port. A client that sends nothing more is
// waited for as long as wait says: for a body, which nothing there has a use for,
// between two requests, and for a head, though no longer than 10 seconds. Answers
// have no such limit: a profile takes the time that was asked for. log gets what the
// library has to say.
func AdminServer(handler http.Handler, wait time.Duration, log slog.Handler) *http.Server {
	return &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.ContentLength != 0 {
				_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(wait))
			}
			handler.ServeHTTP(w, r)
		}),
		ReadHeaderTimeout: min(wait, adminHead), IdleTimeout: wait, ErrorLog: slog.NewLogLogger(log, slog.LevelDebug),
	}
}

// RequireToken lets a request through to next if it bears the token (RFC 6750
// section 2.1) and answers 401 otherwise. The comparison takes the same time
// whatever is offered. The empty token lets nothing through.
func RequireToken(token string, next http.Handler) http.Handler {
	want := sha256.Sum256([]byte(token))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		offered, ok := bearer(r.Header)
		got := sha256.Sum256([]byte(offered))
		if subtle.ConstantTimeCompare(got[:], want[:]) != 1 || !ok || token == "" {
			w.Header().Set("WWW-Authenticate", `Bearer realm="homeward-admin"`)
			refuse(w, http.StatusUnauthorized, "admin-token", "The admin port needs its token: send Authorization: Bearer <token>.")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// bearer is the token of the one Authorization header.
func bearer(h http.Header) (string, bool) {
	lines := h.Values("Authorization")
	if len(lines) != 1 {
		return "", false
	}
	scheme, token, ok := strings.Cut(lines[0], " ")
	return token, ok && strings.EqualFold(scheme, "Bearer")
}

// RequireLocalHost lets a request through to next if its Host is localhost or
// a loopback address, on any port, and answers 421 otherwise. A page that
// rebinds its own name to 127.0.0.1 still sends that name, so that a browser on
// this machine cannot be made to read an admin port that asks for no token.
func RequireLocalHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !loopbackHost(hostname(r.Host)) {
			refuse(w, http.StatusMisdirectedRequest, "admin-host", "The admin port answers as localhost or 127.0.0.1 only. For any other name start the edge with an admin token.")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hostname is a Host header without its port and brackets.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	if inner, ok := strings.CutPrefix(host, "["); ok {
		return strings.TrimSuffix(inner, "]")
	}
	return host
}

// refuse answers with a problem (RFC 9457) of the admin port's own.
func refuse(w http.ResponseWriter, status int, kind, detail string) {
	body, _ := json.Marshal(struct { // strings and a number: cannot fail
		Type   string `json:"type"`
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail"`
		Kind   string `json:"kind"`
	}{"urn:homeward:problem:" + kind, http.StatusText(status), status, detail, kind})
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Homeward-Error", kind)
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // the client may be gone
}
