// Package cell holds the vocabulary every other package speaks: the names of
// cells, the jurisdictions and states they have, and the ids of the accounts
// that live in them.
//
// All types are plain values: comparable, safe for concurrent use, and read
// from text without allocating.
package cell

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
)

// MaxNameLen is the length in bytes of the longest cell name.
const MaxNameLen = 8

// ErrName says that a text is not the name of a cell.
var ErrName = errors.New("not a cell name: 2 to 6 small letters, then 1 or 2 digits, as in na1")

// Name is the name of a cell, such as na1 or eu12, held in one machine word so
// that a name found inside a credential is compared and looked up without an
// allocation. The zero Name names no cell.
type Name struct{ w uint64 } // the letters and digits, the first lowest, then zeros

// ParseName reads a whole text as a cell name, `^[a-z]{2,6}[0-9]{1,2}$`.
// The error wraps ErrName.
func ParseName[T ~string | ~[]byte](s T) (Name, error) {
	n, length := ScanName(s)
	if length == 0 || length != len(s) {
		return Name{}, fmt.Errorf("%q: %w", clip(string(s)), ErrName)
	}
	return n, nil
}

// MustName is ParseName for names that the program itself holds.
// It panics on any other text.
func MustName(s string) Name {
	n, err := ParseName(s)
	if err != nil {
		panic(err)
	}
	return n
}

// ScanName reads the longest cell name at the start of s and tells its length
// in bytes; 0 says that s starts with none.
func ScanName[T ~string | ~[]byte](s T) (Name, int) {
	w := firstWord(s)
	if odd := w & highBits; odd != 0 {
		w &= (odd&-odd)>>7 - 1 // only what stands before the first byte beyond ASCII
	}
	return scanWord(w)
}

// Key is the name as one number: equal for equal names, 0 for the zero Name.
func (n Name) Key() uint64 { return n.w }

// IsZero reports whether n names no cell.
func (n Name) IsZero() bool { return n == Name{} }

// String is the name as it is written, "" for the zero Name.
func (n Name) String() string {
	var b [MaxNameLen]byte
	binary.LittleEndian.PutUint64(b[:], n.w)
	return string(b[:(bits.Len64(n.w)+7)/8])
}

// clip bounds what an error repeats of its input.
func clip(s string) string {
	if len(s) > 32 {
		return s[:32] + "..."
	}
	return s
}
