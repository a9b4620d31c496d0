package cell

import (
	"errors"
	"math"
	"strconv"
)

// ErrAccount says that a text is not the id of an account.
var ErrAccount = errors.New("not an account id: a number from 0 to 18446744073709551615")

// Account is the id of a tenant. People and configuration write it as a
// decimal number; the Homeward credential carries it in base 62.
type Account uint64

// ParseAccount reads a decimal account id: digits only, no sign and no
// leading zero, so that each account has one spelling.
func ParseAccount(s string) (Account, error) {
	if len(s) > 1 && s[0] == '0' {
		return 0, ErrAccount
	}
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, ErrAccount
		}
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0, ErrAccount
	}
	return Account(n), nil
}

// String is the id in decimal.
func (a Account) String() string { return strconv.FormatUint(uint64(a), 10) }

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// AppendBase62 appends the id in base 62 (digits, capitals, small letters)
// without leading zeros, 1 to 11 characters.
func (a Account) AppendBase62(dst []byte) []byte {
	var buf [11]byte
	i := len(buf)
	for n := uint64(a); ; n /= 62 {
		i--
		buf[i] = base62[n%62]
		if n < 62 {
			break
		}
	}
	return append(dst, buf[i:]...)
}

// ParseBase62 reads what AppendBase62 wrote, and no other spelling of it.
func ParseBase62(s string) (Account, error) {
	if s == "" || len(s) > 11 || (len(s) > 1 && s[0] == '0') {
		return 0, ErrAccount
	}
	var n uint64
	for i := 0; i < len(s); i++ {
		d, ok := base62Digit(s[i])
		if !ok || n > (math.MaxUint64-d)/62 {
			return 0, ErrAccount
		}
		n = n*62 + d
	}
	return Account(n), nil
}

func base62Digit(c byte) (uint64, bool) {
	switch {
	case '0' <= c && c <= '9':
		return uint64(c - '0'), true
	case 'A' <= c && c <= 'Z':
		return uint64(c-'A') + 10, true
	case 'a' <= c && c <= 'z':
		return uint64(c-'a') + 36, true
	}
	return 0, false
}
