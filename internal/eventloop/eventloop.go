// Package eventloop waits for many TCP connections at once, and costs a
// connection that waits no goroutine and no buffer.
//
// A Loop keeps one epoll instance, edge-triggered, in which a descriptor is
// entered once and then never touched again. A Conn knows by it whether it can be
// read: a Read that would only find nothing is not made. A Conn is a net.Conn, so
// that TLS and HTTP/2 run on it as on any other; a goroutine that must wait in it
// is parked by the loop. One that has nothing to do at all before more comes parks
// the connection instead (Conn.Park) and goes.
//
// It exists on Linux. Elsewhere Open returns ErrUnsupported, and callers stay with
// package net.
package eventloop

import "errors"

// ErrUnsupported says that there is no loop on this system.
var ErrUnsupported = errors.New("event loop: not on this system")

// WouldWait reports whether an error is what a Read returned in place of waiting,
// see Conn.Impatient.
func WouldWait(err error) bool { return errors.Is(err, wouldWait{}) }

// wouldWait is a net.Error and temporary, so that crypto/tls goes on after it.
type wouldWait struct{}

func (wouldWait) Error() string   { return "event loop: read would wait" }
func (wouldWait) Timeout() bool   { return false }
func (wouldWait) Temporary() bool { return true }

// Resumer goes on with a connection that was parked.
type Resumer interface {
	// Resume is called in a goroutine of the loop's once the connection can be
	// read, its time is over, or it was closed: reading tells which.
	Resume()
}
