package credential

import "math"

const base36Digits = "0123456789abcdefghijklmnopqrstuvwxyz"

// parseBase36 reads a number of 64 bits in base 36 with small letters. Leading
// zeros are allowed.
func parseBase36(s string) (uint64, bool) {
	var n uint64
	for i := 0; i < len(s); i++ {
		d, ok := base36Digit(s[i])
		if !ok || n > (math.MaxUint64-d)/36 {
			return 0, false
		}
		n = n*36 + d
	}
	return n, s != ""
}

// base36At is parseBase36 of the bytes from i to end. A Reason other than 0 says
// that they are no such number, or one of more than 64 bits, which no map has.
func base36At(b base64url, i, end int) (n uint64, why Reason) {
	if i == end {
		return 0, BadRouting
	}
	for ; i < end; i++ {
		d, ok := base36Digit(b.at(i))
		if !ok {
			return 0, BadRouting
		}
		if n > (math.MaxUint64-d)/36 {
			why = UnmappedID
		}
		n = n*36 + d
	}
	return n, why
}

func base36Digit(c byte) (uint64, bool) {
	switch {
	case isDigit(c):
		return uint64(c - '0'), true
	case 'a' <= c && c <= 'z':
		return uint64(c-'a') + 10, true
	}
	return 0, false
}

// base36Check is a checksum as 7 base-36 characters, padded with 0.
func base36Check(sum uint32) (check [gitlabChecksum]byte) {
	for i := gitlabChecksum - 1; i >= 0; i-- {
		check[i] = base36Digits[sum%36]
		sum /= 36
	}
	return check
}
