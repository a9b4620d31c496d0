package route

import (
	"strings"
	"testing"
)

// TestEqualFold holds the comparison by words against one by bytes, for every
// byte in every position.
func TestEqualFold(t *testing.T) {
	for _, lower := range []string{"host", "x-api-key", "authorization", "a_b@c`d{e|f}g~", "\x80\xc1abcdef"} {
		if !equalFold(lower, lower) || equalFold(lower+"x", lower) || equalFold(lower[1:], lower) {
			t.Errorf("%q is not equal to itself, or is to another length", lower)
		}
		for at := range len(lower) {
			for c := range 256 {
				s := lower[:at] + string([]byte{byte(c)}) + lower[at+1:]
				want := s == lower || 'A' <= c && c <= 'Z' && byte(c)|0x20 == lower[at]
				if strings.ContainsRune(lower, '\x80') || lower[0] >= 0x80 {
					want = want && s == lower // words beyond ASCII are compared byte for byte
				}
				if got := equalFold(s, lower); got != want {
					t.Errorf("equalFold(%q, %q) = %v, want %v", s, lower, got, want)
				}
			}
		}
	}
}
