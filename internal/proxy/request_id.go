package proxy

import (
	"encoding/binary"
	"math/rand/v2"
	"unsafe"

	"github.com/homeward/homeward/route"
)

// Ids are of math/rand/v2's global source: ChaCha8, which the system seeds
// and each thread has to itself. They tell requests apart and guard nothing,
// so that a cipher nobody can foresee is enough; the system's own source costs a
// request ten times as much.

// idSpace is room for an id of the edge's own: 16 random bytes in hexadecimal.
type idSpace [32]byte

// requestID is the id that the client gave, if it can stand in a log line, else
// a new one, which lies in space: it is valid until space is used again.
func requestID(fields []route.Field, space *idSpace) (id string, given bool) {
	if id := first(fields, "X-Request-Id"); id != "" && wellFormedID(id) {
		return id, true
	}
	appendRandom(space[:0], len(space)/2)
	return unsafe.String(&space[0], len(space)), false
}

// maxID is the longest id that is taken from a client, in bytes.
const maxID = 128

func wellFormedID(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.' || c == ':') {
			return false
		}
	}
	return s != "" && len(s) <= maxID
}

// newTraceparent is appendTraceparent as a text of its own.
func newTraceparent() string {
	var space [64]byte
	return string(appendTraceparent(space[:0]))
}

// appendTraceparent appends the value that starts a trace which is not sampled
// (W3C Trace Context, version 00).
func appendTraceparent(dst []byte) []byte {
	dst = append(dst, "00-"...)
	dst = append(appendRandom(dst, 16), '-')
	return append(appendRandom(dst, 8), "-00"...)
}

// appendRandom appends n random bytes, a multiple of 8, in hexadecimal.
func appendRandom(dst []byte, n int) []byte {
	for ; n > 0; n -= 8 {
		r := rand.Uint64() //nolint:gosec // guards nothing, see above
		dst = binary.LittleEndian.AppendUint64(dst, hexadecimal(uint32(r)))
		dst = binary.LittleEndian.AppendUint64(dst, hexadecimal(uint32(r>>32)))
	}
	return dst
}

// hexadecimal is the eight digits of v, one in each byte, the last four bits of v
// in the lowest.
func hexadecimal(v uint32) uint64 {
	const each = 0x0101010101010101
	d := uint64(v)
	d = (d | d<<16) & 0x0000FFFF0000FFFF
	d = (d | d<<8) & 0x00FF00FF00FF00FF
	d = (d | d<<4) & 0x0F0F0F0F0F0F0F0F
	letters := (d + each*6) >> 4 & each // 1 in each byte from 10 on
	return d + each*'0' + letters*('a'-'0'-10)
}
