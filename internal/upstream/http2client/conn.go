package http2client

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// Conn is a connection to a gateway that carries many streams.
//
// One goroutine reads frames and never writes; another writes the control
// frames that reading and cancelling give rise to. Requests are written by
// their callers, one frame at a time. writing is locked before mu.
type Conn struct {
	nc      net.Conn
	o       Options
	started time.Time
	heard   atomic.Int64  // when bytes last came, in nanoseconds from started
	ready   chan struct{} // closed when the gateway's first SETTINGS are applied
	wake    chan struct{} // has a value when there may be control frames to write
	closed  chan struct{} // closed when nc is, by the writer of control frames
	done    chan struct{} // closed when both goroutines have ended, but for Closed
	chunks  chunks

	reader *bufio.Reader
	framer *http2.Framer // reads for the reading goroutine, writes under writing
	canon  spellings     // of the reading goroutine: names of fields with canonical capitals

	writing   sync.Mutex
	writer    *bufio.Writer
	unflushed bool // a series of frames has begun and not ended
	encoder   *hpack.Encoder
	block     bytes.Buffer // what encoder writes
	lower     spellings    // names of fields in lower case
	spare     []control

	mu       sync.Mutex
	err      error // why the connection is at its end; nothing starts after it
	broken   error // why nothing more can be written; the end follows when all is read
	opened   bool
	retired  bool          // by Retire, or for what was abandoned
	goneAway bool          // by the gateway
	farewell http2.ErrCode // with which it went
	slots    int           // reserved ones and streams

	abandoned int // streams given up before their answers
	since     time.Time
	streams   map[uint32]*Stream // those that have not ended both ways
	nextID    uint32
	peer      settings
	window    int64 // what may be sent
	credit    receipt
	controls  []control
	last      *control // the GOAWAY to write before the end
	health    health
}

// Open starts HTTP/2 on a connection and waits, within ctx, until the gateway
// has answered. It owns nc from then on, and closes it when it fails.
func Open(ctx context.Context, nc net.Conn, o Options) (*Conn, error) {
	o = o.orDefault()
	c := &Conn{
		nc: nc, o: o, started: time.Now(), since: o.Now(),
		ready: make(chan struct{}), wake: make(chan struct{}, 1), closed: make(chan struct{}), done: make(chan struct{}),
		canon: spellings{}, lower: spellings{},
		writer:  bufio.NewWriter(nc),
		streams: map[uint32]*Stream{}, nextID: 1,
		peer: firstSettings(), window: 1<<16 - 1, credit: receipt{window: connWindow, left: connWindow},
	}
	c.reader = bufio.NewReaderSize(hearing{c}, minFrameSize)
	c.framer = http2.NewFramer(c.writer, c.reader)
	c.framer.SetReuseFrames()
	c.framer.SetMaxReadFrameSize(minFrameSize)
	c.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	c.framer.MaxHeaderListSize = uint32(4 * min(o.MaxHead, maxWindow/4)) // beyond, a head ends the connection and not its stream
	c.encoder = hpack.NewEncoder(&c.block)
	c.health.conn = c

	c.greet()
	c.notify()
	go c.read()
	go c.control()
	stop := context.AfterFunc(ctx, func() { c.fail(context.Cause(ctx), 0, false) })
	defer stop()
	select {
	case <-c.ready:
	case <-c.closed:
	}
	c.mu.Lock()
	c.opened = c.err == nil
	err := c.err
	c.mu.Unlock()
	if err != nil {
		<-c.done
		return nil, fmt.Errorf("start HTTP/2 with the gateway: %w", err)
	}
	return c, nil
}

// greet puts the preface (RFC 9113 section 3.4) before all that is written.
func (c *Conn) greet() {
	_, _ = c.writer.WriteString(http2.ClientPreface) // to the buffer, like the rest
	_ = c.framer.WriteSettings(
		http2.Setting{ID: http2.SettingEnablePush, Val: 0},
		http2.Setting{ID: http2.SettingInitialWindowSize, Val: uint32(c.o.Window)},
		http2.Setting{ID: http2.SettingMaxHeaderListSize, Val: uint32(c.o.MaxHead)},
	)
	_ = c.framer.WriteWindowUpdate(0, connWindow-(1<<16-1))
}

// ExtendedConnect reports whether the gateway lets a CONNECT name a protocol
// (RFC 8441 section 3).
func (c *Conn) ExtendedConnect() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.peer.connect
}

// Reserve takes a slot for one stream, if the connection takes another one.
func (c *Conn) Reserve() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	unused := uint32(c.slots - len(c.streams))
	if c.err != nil || c.broken != nil || c.retired || c.goneAway || c.slots >= min(int(c.peer.streams), c.o.MaxStreams) || c.nextID+2*unused > maxStreamID {
		return false
	}
	c.slots++
	return true
}

// Release gives back a slot that was reserved and not used.
func (c *Conn) Release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.free()
}

// free gives back a slot. mu is held.
func (c *Conn) free() {
	c.slots--
	c.o.Room()
	if c.slots > 0 {
		return
	}
	c.since = c.o.Now()
	if c.retired || c.goneAway {
		c.end(ErrClosed, http2.ErrCodeNo, true)
	}
}

// Active is the number of slots in use.
func (c *Conn) Active() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.slots
}

// Idle reports whether no slot is in use, and since when.
func (c *Conn) Idle() (since time.Time, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.since, c.slots == 0
}

// Retire takes no further reservations and closes the connection when its last
// slot is given back.
func (c *Conn) Retire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.retired = true
	if c.slots == 0 {
		c.end(ErrClosed, http2.ErrCodeNo, true)
	}
}

// Close ends the connection; calls on its streams fail. The gateway is told in
// the background, for a second at most.
func (c *Conn) Close() error {
	c.fail(ErrClosed, http2.ErrCodeNo, true)
	return nil
}

func (c *Conn) fail(err error, code http2.ErrCode, tell bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end(err, code, tell)
}

// end makes all calls fail with err and lets both goroutines end; the gateway
// is told code if tell is set. Only the first call counts. mu is held.
func (c *Conn) end(err error, code http2.ErrCode, tell bool) {
	if c.err != nil {
		return
	}
	if c.broken != nil {
		err = c.broken
	}
	if c.goneAway && c.farewell != http2.ErrCodeNo {
		err = fmt.Errorf("%w, after GOAWAY with %s", err, c.farewell)
	}
	c.err = err
	c.health.stop()
	for _, s := range c.streams {
		s.lose(err)
	}
	if tell {
		c.last = &control{frame: http2.FrameGoAway, value: uint32(code)}
		_ = c.nc.SetWriteDeadline(time.Now().Add(lastWords))
	} else {
		c.controls = nil
		_ = c.nc.SetDeadline(time.Unix(1, 0)) // a write under way ends now
	}
	c.notify()
}
