package http2client

import "sync"

// chunk is a piece of a body that waits to be read.
type chunk struct {
	next       *chunk
	start, end int
	data       [8 << 10]byte
}

// chunks makes and takes back chunks, for the streams of one connection.
type chunks struct{ pool sync.Pool }

func (c *chunks) get() *chunk {
	if k, ok := c.pool.Get().(*chunk); ok {
		return k
	}
	return new(chunk)
}

func (c *chunks) put(k *chunk) {
	k.next, k.start, k.end = nil, 0, 0
	c.pool.Put(k)
}

// queue is what has come of a body and was not read: bytes in order, in
// chunks that are full but for the last. It holds none when it is empty.
type queue struct{ first, last *chunk }

func (q *queue) empty() bool { return q.first == nil }

// add copies p to the end.
func (q *queue) add(p []byte, from *chunks) {
	for len(p) > 0 {
		if q.last == nil || q.last.end == len(q.last.data) {
			k := from.get()
			if q.last == nil {
				q.first = k
			} else {
				q.last.next = k
			}
			q.last = k
		}
		n := copy(q.last.data[q.last.end:], p)
		q.last.end += n
		p = p[n:]
	}
}

// read moves bytes from the front to p.
func (q *queue) read(p []byte, to *chunks) int {
	total := 0
	for q.first != nil && total < len(p) {
		k := q.first
		n := copy(p[total:], k.data[k.start:k.end])
		k.start += n
		total += n
		if k.start == k.end {
			q.pop(to)
		}
	}
	return total
}

func (q *queue) pop(to *chunks) {
	k := q.first
	q.first = k.next
	if q.first == nil {
		q.last = nil
	}
	to.put(k)
}

// drop forgets everything.
func (q *queue) drop(to *chunks) {
	for q.first != nil {
		q.pop(to)
	}
}
