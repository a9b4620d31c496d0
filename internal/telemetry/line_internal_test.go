package telemetry

import (
	"strings"
	"testing"
)

// What is written without a look at its characters has none that must be escaped.
func TestPlain(t *testing.T) {
	for n := range 18 {
		for at := range n {
			for c := range 256 {
				b := []byte(strings.Repeat("a", n))
				b[at] = byte(c)
				want := c >= ' ' && c < 0x7f && c != '"' && c != '\\'
				if got := plain(string(b)); got != want {
					t.Fatalf("byte %#x at %d of %d is plain: %v", c, at, n, got)
				}
			}
		}
	}
	if !plain("") {
		t.Error("nothing is not plain")
	}
}
