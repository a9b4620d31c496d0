package credential

import (
	"encoding/hex"
	"errors"
	"strconv"
)

// Fingerprint stands for a credential in logs, metrics and the override table:
// the keyed SipHash-2-4 of its whole text. It does not lead back to the
// credential. Fingerprints compare only under the same key.
type Fingerprint uint64

// FingerprintKey is the 128-bit key of fingerprints. The zero key is the
// default: it serves as long as nobody profits from finding two texts with one
// fingerprint; a key of one's own also keeps fingerprints private.
type FingerprintKey [16]byte

// Errors of the parsers.
var (
	ErrFingerprint    = errors.New("not a fingerprint: 16 small hex digits, as homeward token inspect prints")
	ErrFingerprintKey = errors.New("not a fingerprint key: 32 small hex digits")
)

const hexDigits = "0123456789abcdef"

// Fingerprint is the fingerprint of a credential's text under the key. It does
// not allocate.
func (k FingerprintKey) Fingerprint(text string) Fingerprint {
	return Fingerprint(siphash(k, text))
}

// String hides the key: whoever knows it can search for the credential of a
// fingerprint.
func (FingerprintKey) String() string { return "fingerprint key" }

// GoString hides the key from %#v.
func (FingerprintKey) GoString() string { return "credential.FingerprintKey{}" }

// String is the fingerprint as 16 small hex digits.
func (f Fingerprint) String() string {
	var buf [16]byte
	return string(f.AppendTo(buf[:0]))
}

// AppendTo appends the 16 hex digits of the fingerprint.
func (f Fingerprint) AppendTo(dst []byte) []byte {
	for shift := 60; shift >= 0; shift -= 4 {
		dst = append(dst, hexDigits[f>>shift&15])
	}
	return dst
}

// ParseFingerprint reads what String wrote. The error is ErrFingerprint.
func ParseFingerprint(s string) (Fingerprint, error) {
	if len(s) != 16 || !smallHex(s) {
		return 0, ErrFingerprint
	}
	n, err := strconv.ParseUint(s, 16, 64)
	if err != nil {
		return 0, ErrFingerprint
	}
	return Fingerprint(n), nil
}

// ParseFingerprintKey reads 32 small hex digits; the empty text is the zero
// key. The error is ErrFingerprintKey and does not repeat the text.
func ParseFingerprintKey(s string) (FingerprintKey, error) {
	var k FingerprintKey
	if s == "" {
		return k, nil
	}
	if len(s) != 32 || !smallHex(s) {
		return FingerprintKey{}, ErrFingerprintKey
	}
	if _, err := hex.Decode(k[:], []byte(s)); err != nil {
		return FingerprintKey{}, ErrFingerprintKey
	}
	return k, nil
}

func smallHex(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
