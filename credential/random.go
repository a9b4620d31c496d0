package credential

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
)

// ErrNeedsCell says that a credential was to be minted without a cell.
var ErrNeedsCell = errors.New("a cell is needed: one that is routed must name its home")

const base62Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// source hands out random bytes and reads them in blocks, since most of the
// characters of a credential need less than one byte's worth.
type source struct {
	r    io.Reader
	buf  [64]byte
	left []byte // not yet used, in buf
}

// newSource reads from r, or from crypto/rand when r is nil.
func newSource(r io.Reader) *source {
	if r == nil {
		r = rand.Reader
	}
	return &source{r: r}
}

func (s *source) next() (byte, error) {
	if len(s.left) == 0 {
		if _, err := io.ReadFull(s.r, s.buf[:]); err != nil {
			return 0, fmt.Errorf("read random bytes: %w", err)
		}
		s.left = s.buf[:]
	}
	b := s.left[0]
	s.left = s.left[1:]
	return b, nil
}

// appendBase62 appends n base-62 characters, each equally likely: a byte of 248
// or more would favour the first digits and is thrown away.
func (s *source) appendBase62(dst []byte, n int) ([]byte, error) {
	for n > 0 {
		b, err := s.next()
		if err != nil {
			return nil, err
		}
		if b < 4*62 {
			dst = append(dst, base62Digits[b%62])
			n--
		}
	}
	return dst, nil
}

// appendBytes appends n bytes.
func (s *source) appendBytes(dst []byte, n int) ([]byte, error) {
	for range n {
		b, err := s.next()
		if err != nil {
			return nil, err
		}
		dst = append(dst, b)
	}
	return dst, nil
}

// appendHex appends n small hex digits.
func (s *source) appendHex(dst []byte, n int) ([]byte, error) {
	for range n {
		b, err := s.next()
		if err != nil {
			return nil, err
		}
		dst = append(dst, hexDigits[b&15])
	}
	return dst, nil
}

// appendUUID appends a random UUID, version 4 of RFC 9562 section 5.4.
func (s *source) appendUUID(dst []byte) ([]byte, error) {
	b, err := s.appendBytes(make([]byte, 0, 16), 16)
	if err != nil {
		return nil, err
	}
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Appendf(dst, "%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]), nil
}
