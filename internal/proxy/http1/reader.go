package http1

import (
	"bytes"
	"errors"
	"io"
	"unsafe"
)

// Reader reads one connection. What is left in its buffer after a message is
// the start of the next. Heads are not copied out of it: what was read of a message
// is valid until Release. The zero value reads nothing; a Reader belongs to one
// goroutine at a time.
type Reader struct {
	src     io.Reader
	buffers *Buffers // nil for none that are shared
	waiter  Waiter   // of a large Reader: src, if it is one
	size    int      // of the first buffer of a message; 0 for smallBuffer
	buf     []byte
	old     []byte // that buf took the place of, while a part of it was held
	held    int    // buf[:held] is of the message in progress, and stays where it is
	r, w    int    // buf[r:w] is read and not yet consumed
}

// Waiter is a source that can wait without reading.
type Waiter interface {
	// AwaitRead blocks until Read would not. An error is what Read would return.
	AwaitRead() error
}

// NewReader reads from src, with buffers of its own.
func NewReader(src io.Reader) *Reader { return &Reader{src: src} }

// Reset makes it read from src, and forget what it has.
func (r *Reader) Reset(src io.Reader) {
	r.r = r.w
	r.Release()
	*r = Reader{src: src, buffers: r.buffers}
}

// Buffered is the number of bytes read and not yet consumed.
func (r *Reader) Buffered() int { return r.w - r.r }

// Begun reports whether anything was read since Release.
func (r *Reader) Begun() bool { return r.w > 0 || r.old != nil }

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
		if err := r.fill(max(n, smallBuffer)); err != nil {
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
	if r.buf == nil && r.waiter != nil {
		if err := r.waiter.AwaitRead(); err != nil {
			return err
		}
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

// makeRoom is for a full buffer, or none. What is held stays where it is: strings
// are views of it.
func (r *Reader) makeRoom(limit int) {
	switch unread := r.Buffered(); {
	case r.buf == nil:
		r.buf = r.buffers.take(max(r.size, smallBuffer))
	case r.r > r.held && r.r-r.held >= unread:
		r.w = r.held + copy(r.buf[r.held:], r.buf[r.r:r.w])
		r.r = r.held
	default:
		grown := r.buffers.take(min(max(2*unread, smallBuffer), max(limit, unread+1)))
		r.w = copy(grown, r.buf[r.r:r.w])
		r.r = 0
		if r.held == 0 {
			r.buffers.give(r.buf)
		} else if r.old == nil {
			r.old = r.buf // a third one is left to the garbage collector
		}
		r.buf, r.held = grown, 0
	}
}

// next consumes up to most bytes and returns them, waiting if there are none; they
// are valid until more is read. Nothing that was read before stays valid.
func (r *Reader) next(most int64) ([]byte, error) {
	if err := r.Rest(); err != nil {
		return nil, err
	}
	n := int(min(int64(r.Buffered()), most))
	b := r.buf[r.r : r.r+n]
	r.r += n
	return b, nil
}

// Next consumes what is there and returns it, waiting if there is nothing; it is
// valid until more is read. Nothing that was read before stays valid.
func (r *Reader) Next() ([]byte, error) { return r.next(int64(largeBuffer)) }

// Rest waits until there is something to be consumed, if it can without a buffer.
// Nothing that was read before stays valid.
func (r *Reader) Rest() error {
	if r.Buffered() > 0 {
		return nil
	}
	r.Release()
	return r.AwaitMore()
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
	r.buffers.give(r.old)
	r.old, r.held = nil, 0
	if r.Buffered() == 0 {
		r.buffers.give(r.buf)
		r.buf, r.r, r.w = nil, 0, 0
		return
	}
	spoil(r.buf[:r.r])
}

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
