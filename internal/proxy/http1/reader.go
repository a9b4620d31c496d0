package http1

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"unsafe"
)

const firstBuffer = 4 << 10

// Reader reads one connection. What is left in its buffer after a message is
// the start of the next. Heads are not copied out of it: what was read of a message
// is valid until Release. The zero value reads nothing; a Reader belongs to one
// goroutine at a time.
type Reader struct {
	src  io.Reader
	buf  []byte
	held int // buf[:held] is of the message in progress, and stays where it is
	r, w int // buf[r:w] is read and not yet consumed
}

// NewReader reads from src.
func NewReader(src io.Reader) *Reader { return &Reader{src: src} }

// Reset makes it read from src, and forget what it has.
func (r *Reader) Reset(src io.Reader) {
	r.giveBack()
	*r = Reader{src: src}
}

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

// fill reads more, growing the buffer up to limit bytes that are not consumed. It
// returns ErrTooLarge when they are there already.
func (r *Reader) fill(limit int) error {
	if r.Buffered() >= limit {
		return ErrTooLarge
	}
	if r.w == len(r.buf) {
		r.makeRoom(limit)
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

// makeRoom is for a full buffer, or none. What is held stays: strings may be views
// of it, which keep a buffer alive that is replaced.
func (r *Reader) makeRoom(limit int) {
	switch unread := r.Buffered(); {
	case r.buf == nil:
		r.buf = buffers.Get().(*[firstBuffer]byte)[:]
	case r.r > r.held && r.r-r.held >= unread:
		r.w = r.held + copy(r.buf[r.held:], r.buf[r.r:r.w])
		r.r = r.held
	default:
		grown := make([]byte, min(max(2*unread, firstBuffer), max(limit, unread+1)))
		r.w = copy(grown, r.buf[r.r:r.w])
		r.buf, r.r, r.held = grown, 0, 0
	}
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
	r.r = r.w
	r.Release()
	return b
}

// Release ends the message in progress: what was read of it is no longer valid. A
// Reader that has nothing unread holds no buffer then.
func (r *Reader) Release() {
	r.held = 0
	if r.Buffered() == 0 {
		r.giveBack()
		r.buf, r.r, r.w = nil, 0, 0
		return
	}
	spoil(r.buf[:r.r])
}

// giveBack gives the buffer to the next Reader that needs one.
func (r *Reader) giveBack() {
	spoil(r.buf[:r.w])
	if len(r.buf) == firstBuffer {
		buffers.Put((*[firstBuffer]byte)(r.buf))
	}
}

// buffers are those of Readers that have nothing to read.
var buffers = sync.Pool{New: func() any { return new([firstBuffer]byte) }}

// view is a part of the buffer as a string, valid until Release.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// line consumes one line and returns it without its CRLF, valid until more is read.
// It must end within limit bytes from here on, its end included. A bare LF is
// refused at once, so that a lenient client gets an answer and not a timeout.
func (r *Reader) line(limit int) (string, error) {
	for scanned := 0; ; {
		at := r.buf[r.r+scanned : r.w]
		i := bytes.IndexByte(at, '\n')
		if i < 0 {
			scanned += len(at)
			if err := r.fill(limit); err != nil {
				return "", r.broken(err)
			}
			continue
		}
		end := r.r + scanned + i
		if end == r.r || r.buf[end-1] != '\r' {
			return "", syntax("a line ends with a bare LF")
		}
		if end+1-r.r > limit {
			return "", ErrTooLarge
		}
		s := view(r.buf[r.r : end-1])
		r.r = end + 1
		return s, nil
	}
}

// heldLine is line, of which the result is valid until Release.
func (r *Reader) heldLine(limit int) (string, error) {
	s, err := r.line(limit)
	r.held = r.r
	return s, err
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
