package cell_test

import (
	"regexp"
	"testing"

	"github.com/homeward/homeward/cell"
)

// FuzzScanName holds the scan by words against the grammar of names, for texts
// and bytes alike.
func FuzzScanName(f *testing.F) {
	grammar := regexp.MustCompile(`^[a-z]{2,6}[0-9]{1,2}`)
	for _, s := range []string{"", "n1", "na1", "na1-x", "abcdef99x", "abcdefg1", "abcdef", "ab\x801", "na1\xff2345", "na\xb1\xb1", "12345678", "{{1", "``1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want := grammar.FindString(s)
		n, length := cell.ScanName(s)
		if length != len(want) || n.String() != want {
			t.Errorf("ScanName(%q) = %v, %d; want %q", s, n, length, want)
		}
		if m, same := cell.ScanName([]byte(s)); m != n || same != length {
			t.Errorf("ScanName of the bytes of %q = %v, %d; of the text %v, %d", s, m, same, n, length)
		}
	})
}
