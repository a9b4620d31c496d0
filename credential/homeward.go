package credential

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strconv"
	"strings"
	"unsafe"

	"github.com/homeward/homeward/cell"
)

// Lengths, in characters, of the last part of a Homeward credential.
const (
	secretLen = 32
	checkLen  = 6 // 62^6 > 2^32
)

// ErrPrefix says that a text is not the prefix of a Homeward credential.
var ErrPrefix = errors.New("not a prefix: a small letter, then 1 to 9 small letters or digits, as in hw")

// Homeward is the Homeward credential with one prefix:
//
//	<prefix>_<cell>_<account>_<secret><check>
//
// The account is written in base 62, the secret is 32 base-62 characters, and
// the check is the CRC-32 (IEEE) of everything before it as 6 base-62
// characters. The check finds typing errors and helps scanners for leaked
// credentials; it proves nothing.
type Homeward struct{ prefix string } // with the underscore

var _ Format = (*Homeward)(nil)

// NewHomeward makes the format with a prefix, `^[a-z][a-z0-9]{1,9}$`. The
// error wraps ErrPrefix.
func NewHomeward(prefix string) (*Homeward, error) {
	ok := len(prefix) >= 2 && len(prefix) <= 10
	for i := 0; i < len(prefix) && ok; i++ {
		c := prefix[i]
		ok = 'a' <= c && c <= 'z' || i > 0 && isDigit(c)
	}
	if !ok {
		return nil, fmt.Errorf("%q: %w", prefix, ErrPrefix)
	}
	return &Homeward{prefix + "_"}, nil
}

// Read claims every text that starts with the prefix and an underscore.
func (h *Homeward) Read(text string) Claim {
	if !strings.HasPrefix(text, h.prefix) {
		return Claim{}
	}
	rest := text[len(h.prefix):]
	name, n := cell.ScanName(rest)
	if n == 0 || n == len(rest) || rest[n] != '_' {
		return malformed(BadCell)
	}
	rest = rest[n+1:]
	const tail = 1 + secretLen + checkLen
	n = len(rest) - tail
	if n < 0 || n > 11 {
		return malformed(BadLength)
	}
	if rest[n] != '_' || !isBase62(rest[n+1:]) {
		return malformed(BadShape)
	}
	account, err := cell.ParseBase62(rest[:n])
	if err != nil {
		return malformed(BadAccount)
	}
	body := text[:len(text)-checkLen]
	if check := base62Check(checksum(body)); string(check[:]) != text[len(body):] {
		return malformed(BadCheck)
	}
	return Claim{Verdict: Home, Cell: name, Account: account, HasAccount: true}
}

// Mint makes a new credential of an account in a cell. A nil random means
// crypto/rand; anything else is for tests. The error says that c is the zero
// Name or that random failed.
func (h *Homeward) Mint(random io.Reader, c cell.Name, a cell.Account) (string, error) {
	if c.IsZero() {
		return "", fmt.Errorf("mint a homeward credential: %w", ErrNeedsCell)
	}
	buf := make([]byte, 0, len(h.prefix)+cell.MaxNameLen+13+secretLen+checkLen)
	buf = append(buf, h.prefix...)
	buf = append(append(buf, c.String()...), '_')
	buf = append(a.AppendBase62(buf), '_')
	buf, err := newSource(random).appendBase62(buf, secretLen)
	if err != nil {
		return "", fmt.Errorf("mint a homeward credential: %w", err)
	}
	check := base62Check(crc32.ChecksumIEEE(buf))
	return string(append(buf, check[:]...)), nil
}

// Prefix is the prefix with its underscore.
func (h *Homeward) Prefix() string { return h.prefix }

// String describes the format: homeward prefix "hw".
func (h *Homeward) String() string {
	return "homeward prefix " + strconv.Quote(strings.TrimSuffix(h.prefix, "_"))
}

// base62Check is a checksum as 6 base-62 characters, padded with 0.
func base62Check(sum uint32) (check [checkLen]byte) {
	for i := checkLen - 1; i >= 0; i-- {
		check[i] = base62Digits[sum%62]
		sum /= 62
	}
	return check
}

// checksum is the CRC-32 (IEEE) of s. The bytes of s are only read, and only
// during the call: the conversion spares the copy that crc32 would force.
func checksum(s string) uint32 {
	return crc32.ChecksumIEEE(unsafe.Slice(unsafe.StringData(s), len(s)))
}
