package http2client

import (
	"errors"
	"fmt"
)

// Begin opens a stream with a slot that was reserved, and sends the head of a
// request; end says that nothing follows it. The slot is used up in any case.
// An error that wraps ErrRefused means that the gateway did not see the
// request, or did nothing with it.
func (c *Conn) Begin(head *Head, end bool) (*Stream, error) {
	s, err := c.begin(head, end)
	switch {
	case err == nil:
		return s, nil
	case s == nil:
		c.Release()
		return nil, err
	}
	// What is left to be read before the connection ends may say that the
	// gateway had gone away before this stream.
	<-c.done
	c.mu.Lock()
	defer c.mu.Unlock()
	if errors.Is(s.readErr, ErrRefused) {
		err = s.readErr
	}
	return nil, err
}

// begin returns a stream together with an error when its head may have left in
// part; the connection ends then, and the slot is freed with the stream.
func (c *Conn) begin(head *Head, end bool) (*Stream, error) {
	if err := sendable(head.Fields); err != nil {
		return nil, err
	}
	if head.Protocol != "" && !c.ExtendedConnect() {
		return nil, fmt.Errorf("CONNECT for %s: the gateway does not allow extended CONNECT", head.Protocol)
	}
	c.writing.Lock()
	defer c.stopWriting()
	if err := c.startWriting(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	s, err := c.newStream(head, end)
	if err != nil {
		_ = c.flush() // control frames
		return nil, err
	}
	c.encodeHead(head)
	c.writeBlock(s.id, end)
	return s, c.flush()
}

// newStream gives a stream its id, in the order in which heads are written.
// writing is held.
func (c *Conn) newStream(head *Head, end bool) (*Stream, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.err != nil:
		return nil, fmt.Errorf("%w: %w", ErrRefused, c.err)
	case c.goneAway:
		return nil, fmt.Errorf("%w: it is going away", ErrRefused)
	case c.nextID > maxStreamID:
		return nil, fmt.Errorf("%w: the connection has no stream ids left", ErrRefused)
	case head.size() > int64(c.peer.head):
		return nil, fmt.Errorf("%w: %d bytes", ErrHeadTooLarge, c.peer.head)
	case len(c.streams) >= int(c.peer.streams): // since the slot was reserved
		return nil, fmt.Errorf("%w: it allows fewer streams by now", ErrRefused)
	}
	s := &Stream{
		conn: c, id: c.nextID, window: c.peer.window, declared: -1,
		credit:  receipt{window: int64(c.o.Window), left: int64(c.o.Window)},
		connect: head.Method == "CONNECT", bodyless: head.Method == "HEAD",
	}
	s.in.L, s.out.L = &c.mu, &c.mu
	if end {
		s.writeErr = errEnded
	}
	c.nextID += 2
	c.streams[s.id] = s
	if len(c.streams) == 1 {
		c.health.start()
	}
	return s, nil
}
