package http1

import (
	"io"
	"sync"
)

// The sizes of buffers. Most heads fit into the first; what TLS gives at once, and
// a body of 16 KiB with its head, into the second; an answer of 64 KiB into the
// third.
const (
	smallBuffer  = 4 << 10
	mediumBuffer = 20 << 10
	largeBuffer  = 72 << 10
)

// Buffers are those that Readers share: each has one only while it has something
// to read. The zero value is ready to use, by many goroutines at once.
type Buffers struct{ small, medium, large sync.Pool }

// Reader reads from src.
func (b *Buffers) Reader(src io.Reader) Reader { return Reader{src: src, buffers: b} }

// LargeReader reads from src as much at once as an answer often is. Where src is a
// Waiter it has no buffer before something is there to be read.
func (b *Buffers) LargeReader(src io.Reader) *Reader {
	r := &Reader{src: src, buffers: b, size: mediumBuffer}
	if w, ok := src.(Waiter); ok {
		r.waiter, r.size = w, largeBuffer
	}
	return r
}

// take gives a buffer of at least n bytes. Without Buffers it is a new one.
func (b *Buffers) take(n int) []byte {
	switch {
	case b == nil || n > largeBuffer:
		return make([]byte, n)
	case n <= smallBuffer:
		if p, ok := b.small.Get().(*[smallBuffer]byte); ok {
			return p[:]
		}
		return make([]byte, smallBuffer)
	case n <= mediumBuffer:
		if p, ok := b.medium.Get().(*[mediumBuffer]byte); ok {
			return p[:]
		}
		return make([]byte, mediumBuffer)
	}
	if p, ok := b.large.Get().(*[largeBuffer]byte); ok {
		return p[:]
	}
	return make([]byte, largeBuffer)
}

// give takes one back that nobody looks at any more.
func (b *Buffers) give(buf []byte) {
	spoil(buf)
	if b == nil {
		return
	}
	switch len(buf) {
	case smallBuffer:
		b.small.Put((*[smallBuffer]byte)(buf))
	case mediumBuffer:
		b.medium.Put((*[mediumBuffer]byte)(buf))
	case largeBuffer:
		b.large.Put((*[largeBuffer]byte)(buf))
	}
}
