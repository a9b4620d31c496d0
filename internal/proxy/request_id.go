package proxy

import (
	"crypto/rand"
	"encoding/hex"

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
