package cell_test

import (
	"errors"
	"math"
	"testing"

	"github.com/homeward/homeward/cell"
)

func TestParseName(t *testing.T) {
	for _, s := range []string{"na1", "eu12", "abcdef99", "ab0"} {
		n, err := cell.ParseName(s)
		if err != nil || n.String() != s || n.IsZero() || n.Key() == 0 {
			t.Errorf("ParseName(%q) = %v, %v", s, n, err)
		}
	}
	for _, s := range []string{"", "n1", "na", "NA1", "na123", "abcdefg1", "na1 ", "1na", "na1.evil.test", "n\x001", "eu１"} {
		if n, err := cell.ParseName(s); !errors.Is(err, cell.ErrName) || !n.IsZero() {
			t.Errorf("ParseName(%q) = %v, %v; want ErrName", s, n, err)
		}
	}
}

func TestScanNameStopsAtTheName(t *testing.T) {
	if n, l := cell.ScanName("eu1-bb0a"); l != 3 || n != cell.MustName("eu1") {
		t.Errorf("ScanName = %v, %d", n, l)
	}
	if n, l := cell.ScanName("eu123"); l != 4 || n.String() != "eu12" {
		t.Errorf("ScanName = %v, %d", n, l)
	}
}

func TestAccountSpellings(t *testing.T) {
	for _, a := range []cell.Account{0, 1, 61, 62, 1 << 40, math.MaxUint64} {
		if back, err := cell.ParseBase62(string(a.AppendBase62(nil))); err != nil || back != a {
			t.Errorf("base 62 of %d: %v, %v", a, back, err)
		}
		if back, err := cell.ParseAccount(a.String()); err != nil || back != a {
			t.Errorf("decimal of %d: %v, %v", a, back, err)
		}
	}
	for _, s := range []string{"", "00", "01", "zzzzzzzzzzz", "LygHa16AHYG", "a-b", "123456789012"} {
		if a, err := cell.ParseBase62(s); err == nil {
			t.Errorf("ParseBase62(%q) = %d, want an error", s, a)
		}
	}
	for _, s := range []string{"", "-1", "+1", "007", "18446744073709551616", "1e3"} {
		if a, err := cell.ParseAccount(s); err == nil {
			t.Errorf("ParseAccount(%q) = %d, want an error", s, a)
		}
	}
}

func FuzzParseName(f *testing.F) {
	f.Add("na1")
	f.Add("eu1.evil.test")
	f.Fuzz(func(t *testing.T, s string) {
		n, err := cell.ParseName(s)
		if err == nil && n.String() != s {
			t.Errorf("%q reads as %q", s, n)
		}
	})
}
