package eventloop

import "sync/atomic"

// Descriptors are small numbers, handed out lowest first: a table of tables finds
// a connection without a lock or a hash.
const (
	tableSize = 4096
	maxTables = 1024
)

// table finds connections by their descriptor. What the kernel reports carries a
// number and no pointer, so that a late report of a descriptor that was closed
// meets nothing, or a connection of another generation.
type table struct {
	parts [maxTables]atomic.Pointer[[tableSize]atomic.Pointer[Conn]]
}

// put reports whether there was room for the descriptor's number.
func (t *table) put(c *Conn) bool {
	if int(c.fd) >= tableSize*maxTables {
		return false
	}
	at := &t.parts[c.fd/tableSize]
	if at.Load() == nil {
		at.CompareAndSwap(nil, new([tableSize]atomic.Pointer[Conn]))
	}
	at.Load()[c.fd%tableSize].Store(c)
	return true
}

func (t *table) get(fd int32) *Conn {
	part := t.parts[fd/tableSize].Load()
	if part == nil {
		return nil
	}
	return part[fd%tableSize].Load()
}

// drop must be called before the descriptor is closed and may be another's.
func (t *table) drop(fd int32) { t.parts[fd/tableSize].Load()[fd%tableSize].Store(nil) }
