// Package upstream keeps the connections to the gateways of the cells.
//
// A Fleet is the gateways of one cell. Each gateway is one address, or as many as
// its name has, which is looked up again and again in the background. What is known
// of the health of an address, all lanes share. Connections they do not: each lane
// has a Pool of its own, made when its first request comes, so that requests which
// are stuck in one lane hold no connection that another needs.
//
// A request goes to the address with fewer exchanges under way of two: one whose
// turn it is and one by chance. That is nearly as even as looking at all, costs the
// same however many there are, and moves load away from an address that has become
// slow, which taking turns does not. At the address it takes the idle connection that
// was used last, so that those a quiet hour does not need grow old and go.
//
// Pools live as long as their cell, or their lane, is declared. A topology that
// changes a timeout or a limit re-opens no connection; one that changes gateways
// re-opens those of the gateways that it changes.
package upstream

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"time"

	"github.com/homeward/homeward/internal/eventloop"
	"github.com/homeward/homeward/internal/proxy/http1"
	"github.com/homeward/homeward/internal/upstream/http2client"
)

// Why a Pool has no connection to give.
var (
	// ErrUnavailable says that no gateway of a cell took a connection.
	ErrUnavailable = errors.New("no gateway of the cell takes connections")
	// ErrBusy says that all connections that a lane may have to the gateways of a
	// cell were in use, for as long as a request may wait for one.
	ErrBusy = errors.New("all connections to the gateways of the cell are in use")
)

// Conn is one HTTP/1.1 connection to a gateway. It belongs to one exchange at a
// time.
type Conn struct {
	net.Conn                      // with TLS, if there is any
	Transport eventloop.Transport // Conn itself, or below TLS
	Reader    *http1.Reader

	endpoint *endpoint
	since    time.Time // when it became idle
}

// Release gives the connection back: for reuse when the exchange on it ended
// cleanly, else to be closed.
func (c *Conn) Release(reusable bool) {
	if !reusable || c.Reader.Buffered() > 0 {
		c.discard()
		return
	}
	c.AllowRead(0)
	c.AllowWrite(0)
	c.Reader.Release()
	c.endpoint.pool.keep(c)
}

// discard closes the connection and makes room for another.
func (c *Conn) discard() {
	c.close()
	c.endpoint.pool.vacate(c.endpoint)
}

// close ends the connection; its place in the pool stays taken.
func (c *Conn) close() {
	c.endpoint.pool.open.Add(-1)
	_ = c.Conn.Close()
}

// usable reports whether an idle connection can carry another exchange.
func (c *Conn) usable(now time.Time, keepFor time.Duration) bool {
	return now.Sub(c.since) < keepFor && c.silent()
}

// AllowRead limits how long reading may wait from now on, 0 for no limit.
func (c *Conn) AllowRead(d time.Duration) { c.Transport.AllowRead(d) }

// AllowWrite is AllowRead for writing.
func (c *Conn) AllowWrite(d time.Duration) { c.Transport.AllowWrite(d) }

// silentSocket is silent for a connection of package net.
func (c *Conn) silentSocket() bool {
	if !quiet(c.Transport) {
		return false
	}
	if _, ok := c.Conn.(*tls.Conn); !ok {
		return true
	}
	if c.SetReadDeadline(time.Unix(1, 0)) != nil { // what is there is read, nothing is waited for
		return false
	}
	return errors.Is(c.Reader.Await(), os.ErrDeadlineExceeded) && c.SetReadDeadline(time.Time{}) == nil
}

// Lease is the right to one exchange with a gateway: over HTTP/1.1 on a
// connection of its own, over HTTP/2 as a stream of a shared one. Exactly one of
// Conn and HTTP2 is set.
type Lease struct {
	Conn   *Conn
	HTTP2  *http2client.Conn // with a slot reserved, for one Begin or Release
	TLS    bool
	Reused bool // the connection carried a request before

	target *target
	taken  time.Time
}

// Gateway is the address that the connection was made to.
func (l *Lease) Gateway() string { return l.target.address }

// Answered tells that the gateway gave the head of an answer.
func (l *Lease) Answered() { l.target.answered() }

// Broke tells that the gateway gave none: it ended the connection, or sent what is
// no HTTP. On a connection that was kept that says nothing of its health.
func (l *Lease) Broke() {
	if !l.Reused {
		l.target.broke()
	}
}
