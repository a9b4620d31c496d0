package edge

import "github.com/homeward/homeward/internal/proxy"

// Server is what engines that the edge does not have itself hand their requests
// to: HTTP/3, which is linked only where it is wanted.
func (e *Edge) Server() *proxy.Server { return e.server }
