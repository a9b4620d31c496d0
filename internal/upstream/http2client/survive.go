package http2client

import (
	"fmt"
	"runtime/debug"
)

// survive keeps a bug that one gateway uncovers from ending all other exchanges:
// its connection ends, and the log says where the bug is, but not the value of the
// panic, which may hold what was sent.
func (c *Conn) survive(end func()) {
	if v := recover(); v != nil {
		end()
		c.o.Log.Error("panic", "type", fmt.Sprintf("%T", v), "stack", string(debug.Stack()))
	}
}
