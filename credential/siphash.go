package credential

import (
	"encoding/binary"
	"math/bits"
)

// siphash is SipHash-2-4 with a 64-bit result, as in Aumasson and Bernstein,
// "SipHash: a fast short-input PRF" (2012). The state is in four variables, not
// in a struct, so that it stays in registers: every decision pays for one run.
func siphash(key [16]byte, s string) uint64 {
	k0 := binary.LittleEndian.Uint64(key[:8])
	k1 := binary.LittleEndian.Uint64(key[8:])
	v0, v1 := k0^0x736f6d6570736575, k1^0x646f72616e646f6d
	v2, v3 := k0^0x6c7967656e657261, k1^0x7465646279746573
	// The last word is what is left after the whole ones, and the length.
	last := uint64(len(s)) << 56
	if rest := len(s) & 7; len(s) >= 8 {
		last |= load64(s[len(s)-8:]) >> (64 - 8*rest) // a shift by 64 leaves 0
	} else {
		for i := range rest {
			last |= uint64(s[i]) << (8 * i)
		}
	}
	for i := 0; i <= len(s)-8; i += 8 {
		m := load64(s[i : i+8])
		v3 ^= m
		v0, v1, v2, v3 = sipRound(v0, v1, v2, v3)
		v0, v1, v2, v3 = sipRound(v0, v1, v2, v3)
		v0 ^= m
	}
	v3 ^= last
	v0, v1, v2, v3 = sipRound(v0, v1, v2, v3)
	v0, v1, v2, v3 = sipRound(v0, v1, v2, v3)
	v0 ^= last
	v2 ^= 0xff
	v0, v1, v2, v3 = sipRound(v0, v1, v2, v3)
	v0, v1, v2, v3 = sipRound(v0, v1, v2, v3)
	v0, v1, v2, v3 = sipRound(v0, v1, v2, v3)
	v0, v1, v2, v3 = sipRound(v0, v1, v2, v3)
	return v0 ^ v1 ^ v2 ^ v3
}

func sipRound(v0, v1, v2, v3 uint64) (uint64, uint64, uint64, uint64) {
	v0 += v1
	v1 = bits.RotateLeft64(v1, 13) ^ v0
	v0 = bits.RotateLeft64(v0, 32)
	v2 += v3
	v3 = bits.RotateLeft64(v3, 16) ^ v2
	v0 += v3
	v3 = bits.RotateLeft64(v3, 21) ^ v0
	v2 += v1
	v1 = bits.RotateLeft64(v1, 17) ^ v2
	v2 = bits.RotateLeft64(v2, 32)
	return v0, v1, v2, v3
}
