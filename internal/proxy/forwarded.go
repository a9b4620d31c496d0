package proxy

import (
	"crypto/rand"
	"encoding/hex"
	"strings"

	"github.com/homeward/homeward/route"
)

// requestID is the id that the client gave, if it can stand in a log line, else
// a new one.
func requestID(fields []route.Field) (id string, given bool) {
	if id := first(fields, "X-Request-Id"); wellFormedID(id) {
		return id, true
	}
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:]), false
}

func wellFormedID(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.' || c == ':') {
			return false
		}
	}
	return s != "" && len(s) <= 128
}

// newTraceparent starts a trace that is not sampled (W3C Trace Context, version 00).
func newTraceparent() string {
	var b [24]byte
	_, _ = rand.Read(b[:])
	return "00-" + hex.EncodeToString(b[:16]) + "-" + hex.EncodeToString(b[16:]) + "-00"
}

// hopByHop reports whether a field ends at the edge (RFC 9110 section 7.6.1).
// Transfer-Encoding is among them: the next hop gets one of its own.
func hopByHop(name string) bool {
	for _, h := range hopByHopNames {
		if len(name) == len(h) && strings.EqualFold(name, h) {
			return true
		}
	}
	return false
}

var hopByHopNames = [...]string{
	"Connection", "Transfer-Encoding", "Keep-Alive", "TE", "Upgrade",
	"Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization",
}

// ours reports whether a field speaks for Homeward. Such a field is taken from
// nobody; the underscore form is what CGI-like origins make of the other.
func ours(name string) bool {
	const prefix = len("Homeward-")
	return len(name) >= prefix && strings.EqualFold(name[:prefix-1], "homeward") && (name[prefix-1] == '-' || name[prefix-1] == '_')
}

// forwarding reports whether a field tells of the way the request took, which
// is believed from declared proxies only.
func forwarding(name string) bool {
	const prefix = len("X-Forwarded-")
	return strings.EqualFold(name, "Forwarded") || sameName(name, "X-Real-IP") ||
		len(name) >= prefix && sameName(name[:prefix], "X-Forwarded-")
}

// sameName compares names as CGI-like origins do, to which _ and - are one.
func sameName(a, b string) bool {
	return len(a) == len(b) && strings.EqualFold(strings.ReplaceAll(a, "_", "-"), b)
}
