package http2client

import (
	"cmp"
	"time"

	"golang.org/x/net/http2"
)

// control is a frame that a goroutine asks for without writing it itself.
type control struct {
	frame  http2.FrameType
	ack    bool
	stream uint32
	value  uint32 // of WINDOW_UPDATE, its increment; of RST_STREAM and GOAWAY, the code
	data   [8]byte
}

// post has a control frame written soon. mu is held.
func (c *Conn) post(f control) {
	if c.err == nil {
		c.controls = append(c.controls, f)
		c.notify()
	}
}

func (c *Conn) notify() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// control writes control frames until the connection is at its end, and closes it.
func (c *Conn) control() {
	defer close(c.closed)
	defer c.nc.Close()
	defer c.survive(func() { c.fail(errBug, 0, false) })
	for range c.wake {
		if c.writeWaiting() {
			return
		}
	}
}

// writeWaiting writes the control frames that wait, the last of them if the
// connection is at its end.
func (c *Conn) writeWaiting() (ended bool) {
	c.writing.Lock()
	defer c.stopWriting()
	if c.startWriting() == nil {
		_ = c.flush()
	}
	c.mu.Lock()
	ended, rest, last := c.err != nil, c.controls, c.last
	c.mu.Unlock()
	if last != nil {
		c.writeControls(append(rest, *last))
		_ = c.writer.Flush() // under the deadline that end has set
	}
	return ended
}

// startWriting begins a series of frames that a flush ends: it sets the
// deadline and writes the control frames that wait, so that what a caller
// writes follows the acknowledgement of the settings it was made under.
// writing is held.
func (c *Conn) startWriting() error {
	c.mu.Lock()
	if err := cmp.Or(c.err, c.broken); err != nil {
		c.mu.Unlock()
		return err
	}
	_ = c.nc.SetWriteDeadline(time.Now().Add(c.o.Write)) // fails on a closed connection, as the write will
	waiting := c.controls
	c.controls, c.spare = c.spare[:0], nil
	c.mu.Unlock()
	c.unflushed = true
	c.writeControls(waiting)
	if cap(waiting) <= 256 {
		c.spare = waiting
	}
	return nil
}

// stopWriting unlocks writing. A series that a panic has left without a flush ends
// the connection: half a frame may have been written, and the compression table may
// no longer be the gateway's.
func (c *Conn) stopWriting() {
	if c.unflushed {
		c.fail(errBug, 0, false)
	}
	c.writing.Unlock()
}

// writeControls writes frames to the buffer; an error stays there for the
// flush. writing is held.
func (c *Conn) writeControls(frames []control) {
	for i := range frames {
		switch f := &frames[i]; f.frame {
		case http2.FrameSettings:
			_ = c.framer.WriteSettingsAck()
		case http2.FramePing:
			_ = c.framer.WritePing(f.ack, f.data)
		case http2.FrameWindowUpdate:
			_ = c.framer.WriteWindowUpdate(f.stream, f.value)
		case http2.FrameRSTStream:
			_ = c.framer.WriteRSTStream(f.stream, http2.ErrCode(f.value))
		case http2.FrameGoAway:
			_ = c.framer.WriteGoAway(0, http2.ErrCode(f.value), nil) // the gateway has opened no stream
		}
	}
}

// flush ends a series of frames. Half a frame may have left when it fails, so
// that nothing more is written; what the gateway has sent until now, perhaps
// why it left, is still read. writing is held.
func (c *Conn) flush() error {
	err := c.writer.Flush()
	c.unflushed = false
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err == nil:
		if c.err == nil { // else the deadline is that of the last words
			_ = c.nc.SetWriteDeadline(time.Time{}) // or it would cut what TLS writes while it reads: new keys
		}
		return nil
	case c.err != nil:
		return c.err
	case timedOut(err):
		c.end(lost(err), 0, false)
		return c.err
	case c.broken == nil:
		c.broken = lost(err)
		_ = c.nc.SetReadDeadline(time.Now().Add(lastWords))
	}
	return c.broken
}
