package http1

import (
	"bytes"
	"errors"
	"io"
)

const firstBuffer = 4 << 10

// Reader reads one connection. What is left in its buffer after a message is
// the start of the next. It belongs to one goroutine at a time.
type Reader struct {
	src  io.Reader
	buf  []byte
	r, w int // buf[r:w] is read and not yet consumed
}

// NewReader reads from src.
func NewReader(src io.Reader) *Reader { return &Reader{src: src} }

// Buffered is the number of bytes read and not yet consumed.
func (r *Reader) Buffered() int { return r.w - r.r }

// Await blocks until at least one byte is there to be consumed.
func (r *Reader) Await() error {
	if r.Buffered() > 0 {
		return nil
	}
	return r.AwaitMore()
}

// AwaitMore blocks until more has come than is there to be consumed already. It
// returns ErrTooLarge when that is as much as a head may be.
func (r *Reader) AwaitMore() error { return r.fill(defaultHead) }

// Peek returns the first n bytes without consuming them.
func (r *Reader) Peek(n int) ([]byte, error) {
	for r.Buffered() < n {
		if err := r.fill(max(n, firstBuffer)); err != nil {
			return nil, err
		}
	}
	return r.buf[r.r : r.r+n], nil
}

// fill reads more, growing the buffer up to limit bytes. It returns
// ErrTooLarge when limit unconsumed bytes are there already.
func (r *Reader) fill(limit int) error {
	if r.r == r.w {
		r.r, r.w = 0, 0
	}
	switch {
	case r.Buffered() >= limit:
		return ErrTooLarge
	case r.buf == nil:
		r.buf = make([]byte, min(firstBuffer, limit))
	case r.w == len(r.buf) && r.r > 0:
		r.w = copy(r.buf, r.buf[r.r:r.w])
		r.r = 0
	case r.w == len(r.buf):
		grown := make([]byte, min(2*len(r.buf), max(limit, len(r.buf)+1)))
		r.w = copy(grown, r.buf[:r.w])
		r.buf = grown
	}
	n, err := r.src.Read(r.buf[r.w:])
	r.w += n
	if n > 0 {
		return nil // an error that came along comes again
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

// Read takes buffered bytes first, then reads past the buffer.
func (r *Reader) Read(p []byte) (int, error) {
	if r.Buffered() == 0 {
		return r.src.Read(p)
	}
	n := copy(p, r.buf[r.r:r.w])
	r.r += n
	return n, nil
}

// TakeBuffered hands over what is buffered, to a new reader of the connection.
func (r *Reader) TakeBuffered() []byte {
	b := bytes.Clone(r.buf[r.r:r.w])
	r.r, r.w, r.buf = 0, 0, nil
	return b
}

// Release gives the buffer back when it holds nothing.
func (r *Reader) Release() {
	if r.Buffered() == 0 && len(r.buf) > firstBuffer {
		r.buf, r.r, r.w = nil, 0, 0
	}
}

// block consumes lines up to and including the first empty one and returns
// them with their line ends; the empty line alone when skip is false and there
// is no other. A line end is CRLF; a bare LF is refused at once, so that a
// lenient client gets an answer and not a timeout.
func (r *Reader) block(limit int) (string, error) {
	scanned, line := 0, 0 // offsets from r.r: bytes looked at, start of the current line
	for {
		chunk := r.buf[r.r+scanned : r.w]
		i := bytes.IndexByte(chunk, '\n')
		if i < 0 {
			scanned += len(chunk)
			if err := r.fill(limit); err != nil {
				return "", r.broken(err)
			}
			continue
		}
		end := scanned + i
		if end == line || r.buf[r.r+end-1] != '\r' {
			return "", syntax("a line ends with a bare LF")
		}
		scanned = end + 1
		if end-1 == line {
			if scanned > limit {
				return "", ErrTooLarge
			}
			s := string(r.buf[r.r : r.r+scanned])
			r.r += scanned
			return s, nil
		}
		line = scanned
	}
}

// broken tells an end in the middle of a message from one before it.
func (r *Reader) broken(err error) error {
	if errors.Is(err, io.EOF) && r.Buffered() > 0 {
		return io.ErrUnexpectedEOF
	}
	return err
}

// skipEmptyLines consumes empty lines before a request line (RFC 9112
// section 2.2), a few of them.
func (r *Reader) skipEmptyLines() error {
	for range 8 {
		if err := r.Await(); err != nil {
			return err
		}
		if r.buf[r.r] != '\r' {
			return nil
		}
		b, err := r.Peek(2)
		if err != nil {
			return r.broken(err)
		}
		if b[1] != '\n' {
			return syntax("a CR is not followed by LF")
		}
		r.r += 2
	}
	return syntax("too many empty lines before the request line")
}
