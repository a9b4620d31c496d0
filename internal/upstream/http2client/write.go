package http2client

import (
	"fmt"
	"strings"

	"golang.org/x/net/http/httpguts"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/homeward/homeward/route"
)

const (
	maxWrite = 32 << 10 // bytes of a frame's payload, if the gateway takes as much
	maxTurn  = 64 << 10 // bytes that one stream writes before others may
)

// Begin opens a stream with a slot that was reserved, and sends the head of a
// request; end says that nothing follows it. The slot is used up in any case,
// and an error that wraps ErrRefused means that nothing was sent.
func (c *Conn) Begin(head *Head, end bool) (*Stream, error) {
	s, err := c.begin(head, end)
	if err != nil && s == nil {
		c.Release()
		return nil, err
	}
	if err != nil {
		return nil, err // the connection has ended and freed the slot with the stream
	}
	return s, nil
}

// begin returns a stream together with an error when it had come to exist.
func (c *Conn) begin(head *Head, end bool) (*Stream, error) {
	if err := sendable(head.Fields); err != nil {
		return nil, err
	}
	if head.Protocol != "" && !c.ExtendedConnect() {
		return nil, fmt.Errorf("CONNECT for %s: the gateway does not allow extended CONNECT: %w", head.Protocol, ErrRefused)
	}
	c.writing.Lock()
	defer c.writing.Unlock()
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

// Write sends a part of the request's body as the gateway allows, and returns
// when it is on its way. The number says how much is, also with an error.
func (s *Stream) Write(p []byte) (int, error) {
	total := 0
	for {
		if err := s.awaitWindow(len(p) > total); err != nil {
			return total, err
		}
		if total == len(p) {
			return total, nil
		}
		n, err := s.writeTurn(p[total:])
		if total += n; err != nil {
			return total, err
		}
	}
}

// awaitWindow waits until something may be sent, if something is to be.
func (s *Stream) awaitWindow(some bool) error {
	c := s.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		if s.writeErr != nil {
			return s.writeErr
		}
		if err := s.out.expired(); err != nil {
			return err
		}
		if !some || min(s.window, c.window) > 0 {
			return nil
		}
		s.out.await()
	}
}

// writeTurn sends what the windows allow of p, which may be nothing.
func (s *Stream) writeTurn(p []byte) (int, error) {
	c := s.conn
	c.writing.Lock()
	defer c.writing.Unlock()
	if err := c.startWriting(); err != nil {
		return 0, s.failure(err)
	}
	c.mu.Lock()
	err := s.writeErr
	n := max(0, min(int64(len(p)), s.window, c.window, maxTurn))
	if err != nil {
		n = 0 // a frame after RST_STREAM would break the protocol
	}
	s.window -= n
	c.window -= n
	size := min(c.peer.frame, maxWrite)
	c.mu.Unlock()
	for rest := p[:n]; len(rest) > 0; {
		part := rest[:min(len(rest), size)]
		_ = c.framer.WriteData(s.id, false, part) // an error comes back from the flush
		rest = rest[len(part):]
	}
	if failed := c.flush(); failed != nil {
		return 0, s.failure(failed)
	}
	return int(n), err
}

// failure is the error of the stream, if it has one, or else err.
func (s *Stream) failure(err error) error {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	if s.writeErr != nil {
		return s.writeErr
	}
	return err
}

// End ends the request, with a trailer if there is one. A second End does nothing.
func (s *Stream) End(trailer []route.Field) error {
	if err := sendable(trailer); err != nil {
		return err
	}
	c := s.conn
	c.writing.Lock()
	defer c.writing.Unlock()
	if err := c.startWriting(); err != nil {
		return notEnded(s.failure(err))
	}
	c.mu.Lock()
	err := s.writeErr
	if err == nil {
		s.writeErr = errEnded
		s.settle()
	}
	c.mu.Unlock()
	switch {
	case err != nil:
	case len(trailer) == 0:
		_ = c.framer.WriteData(s.id, true, nil)
	default:
		c.startBlock()
		c.encodeFields(trailer)
		c.writeBlock(s.id, true)
	}
	if failed := c.flush(); err == nil {
		err = failed
	}
	return notEnded(err)
}

func notEnded(err error) error {
	if err == errEnded { //nolint:errorlint // never wrapped
		return nil
	}
	return err
}

// sendable refuses fields that would be malformed in HTTP/2.
func sendable(fields []route.Field) error {
	for i := range fields {
		if f := &fields[i]; !httpguts.ValidHeaderFieldName(f.Name) {
			return fmt.Errorf("the name of field %d cannot be sent in HTTP/2", i+1)
		} else if !httpguts.ValidHeaderFieldValue(f.Value) {
			return fmt.Errorf("the value of field %s cannot be sent in HTTP/2", f.Name)
		}
	}
	return nil
}

// encodeHead makes the block of a request. writing is held.
func (c *Conn) encodeHead(h *Head) {
	c.startBlock()
	c.encode(":method", h.Method, false)
	if h.Scheme != "" {
		c.encode(":scheme", h.Scheme, false)
	}
	if h.Authority != "" {
		c.encode(":authority", h.Authority, false)
	}
	if h.Path != "" {
		c.encode(":path", h.Path, strings.Contains(h.Path, "?")) // a query may hold a credential
	}
	if h.Protocol != "" {
		c.encode(":protocol", h.Protocol, false)
	}
	c.encodeFields(h.Fields)
}

// startBlock empties the block and takes over the size of the compression
// table that the gateway last set.
func (c *Conn) startBlock() {
	c.block.Reset()
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := &c.peer; p.resized {
		p.resized = false
		c.encoder.SetMaxDynamicTableSize(p.smallest)
		c.encoder.SetMaxDynamicTableSize(p.table)
	}
}

func (c *Conn) encodeFields(fields []route.Field) {
	for i := range fields {
		name := c.lowered(fields[i].Name)
		sensitive := false
		switch name {
		case "authorization", "proxy-authorization", "cookie", "set-cookie":
			sensitive = true
		default:
			sensitive = c.o.Sensitive(name)
		}
		c.encode(name, fields[i].Value, sensitive)
	}
}

func (c *Conn) encode(name, value string, sensitive bool) {
	_ = c.encoder.WriteField(hpack.HeaderField{Name: name, Value: value, Sensitive: sensitive}) // to memory: never fails
}

// lowered is a name in lower case. The names seen are kept, within bounds.
func (c *Conn) lowered(name string) string {
	lower, ok := c.lower[name]
	if !ok {
		lower = strings.ToLower(name)
		if len(c.lower) < maxNames && len(name) <= maxName {
			c.lower[name] = lower
		}
	}
	return lower
}

// writeBlock writes the block in frames that the gateway takes.
func (c *Conn) writeBlock(id uint32, end bool) {
	c.mu.Lock()
	size := min(c.peer.frame, maxWrite)
	c.mu.Unlock()
	part := c.block.Next(size)
	_ = c.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: part, EndStream: end, EndHeaders: c.block.Len() == 0})
	for c.block.Len() > 0 {
		part = c.block.Next(size)
		_ = c.framer.WriteContinuation(id, c.block.Len() == 0, part)
	}
}
