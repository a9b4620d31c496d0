package credential

import (
	"strings"
	"testing"
)

// TestHexWord holds the eight-at-once check against the plain one, for every
// byte in every position.
func TestHexWord(t *testing.T) {
	for at := range 8 {
		for c := range 256 {
			b := []byte("09afAF5c")
			b[at] = byte(c)
			if got, want := hexWord(load64(string(b))), isHex(byte(c)); got != want {
				t.Errorf("byte %#02x at %d: hexWord is %v, want %v", c, at, got, want)
			}
		}
	}
}

func TestScanUUID(t *testing.T) {
	const good = "20b81d7f-8E9e-4bb8-b4a3-7b2b926271F2"
	if n := scanUUID(good + "-more"); n != len(good) {
		t.Errorf("scanUUID(%q) = %d, want %d", good, n, len(good))
	}
	if n := scanUUID(good[1:]); n != 0 {
		t.Errorf("a text that is too short: %d, want 0", n)
	}
	for at := range len(good) {
		for _, c := range "g-/:@G`0" {
			if good[at] == '-' == (c == '-') && (c == '-' || c == '0') {
				continue
			}
			bad := good[:at] + string(c) + good[at+1:]
			if n := scanUUID(bad); n != 0 {
				t.Errorf("scanUUID(%q) = %d, want 0", bad, n)
			}
		}
	}
}

func TestScanHex(t *testing.T) {
	digits := strings.Repeat("0aF9", 8)
	for n := 1; n <= len(digits); n++ {
		if got := scanHex(digits, n); got != n {
			t.Errorf("scanHex of %d digits = %d", n, got)
		}
		if got := scanHex(digits[:n-1]+"g", n); got != 0 {
			t.Errorf("scanHex of %d, the last no digit, = %d, want 0", n, got)
		}
		if got := scanHex(digits[:n-1], n); got != 0 {
			t.Errorf("scanHex of %d, one missing, = %d, want 0", n, got)
		}
	}
}
