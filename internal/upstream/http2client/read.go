package http2client

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"golang.org/x/net/http2"
)

// read reads frames until the connection ends, and says so.
func (c *Conn) read() {
	code, tell, err := readError(c.readFrames())
	c.fail(err, code, tell)
	<-c.closed
	close(c.done)
	c.mu.Lock()
	opened := c.opened
	c.mu.Unlock()
	if opened {
		c.o.Closed()
	}
}

func (c *Conn) readFrames() (err error) {
	defer c.survive(func() { err = errBug })
	if err := c.readFirst(); err != nil {
		return err
	}
	for {
		h, err := c.framer.ReadFrameHeader()
		if err != nil {
			return err
		}
		f, err := c.framer.ReadFrameForHeader(h)
		if err == nil {
			err = c.handle(f)
		} else {
			err = c.malformed(h, err)
		}
		if err != nil {
			return err
		}
		c.mu.Lock()
		waiting := len(c.controls)
		c.mu.Unlock()
		if waiting > maxControl {
			return connError{http2.ErrCodeEnhanceYourCalm, "it asks for more answers to its frames than it reads"}
		}
	}
}

// readFirst makes sure that the first frame is SETTINGS (RFC 9113 section 3.4)
// and the answer not one in HTTP/1.1, say, without taking it.
func (c *Conn) readFirst() error {
	start, err := c.reader.Peek(9)
	switch {
	case bytes.HasPrefix(start, []byte("HTTP/")):
		return fmt.Errorf("%w: it answers in HTTP/1", ErrNotHTTP2)
	case err != nil && len(start) == 0:
		return err
	case err != nil || start[3] != byte(http2.FrameSettings) || start[4]&byte(http2.FlagSettingsAck) != 0:
		return fmt.Errorf("%w: its first bytes are no SETTINGS frame", ErrNotHTTP2)
	}
	return nil
}

// malformed takes the error of a frame that could not be read. Only a frame that
// leaves the state of the connection whole may break its stream alone.
func (c *Conn) malformed(h http2.FrameHeader, err error) error {
	var of http2.StreamError
	if !errors.As(err, &of) {
		return err
	}
	if h.Type == http2.FrameHeaders && of.Cause == nil {
		return connError{http2.ErrCodeProtocol, "the padding of a HEADERS frame is longer than the frame"} // its block was not decoded
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s, err := c.find(h.StreamID)
	if s == nil || err != nil {
		return err
	}
	reason := "a frame on a stream is malformed"
	if h.Type == http2.FrameHeaders {
		reason = "a head has a name, a value or a pseudo-header field that may not be there"
	}
	s.reset(of.Code, ProtocolError{reason})
	return nil
}

// find is the stream that a frame is for: nil if it has ended, an error if
// there was none. mu is held.
func (c *Conn) find(id uint32) (*Stream, error) {
	if id%2 == 0 || id >= c.nextID {
		return nil, connError{http2.ErrCodeProtocol, "a frame is for a stream that was never opened"}
	}
	return c.streams[id], nil
}

func (c *Conn) handle(f http2.Frame) error {
	switch f := f.(type) {
	case *http2.DataFrame:
		return c.onData(f)
	case *http2.MetaHeadersFrame:
		return c.onHead(f)
	case *http2.SettingsFrame:
		return c.onSettings(f)
	case *http2.WindowUpdateFrame:
		return c.onWindow(f)
	case *http2.RSTStreamFrame:
		return c.onReset(f)
	case *http2.GoAwayFrame:
		c.onGoAway(f)
	case *http2.PingFrame:
		if !f.IsAck() {
			c.mu.Lock()
			c.post(control{frame: http2.FramePing, ack: true, data: f.Data})
			c.mu.Unlock()
		}
	case *http2.PushPromiseFrame:
		return connError{http2.ErrCodeProtocol, "it pushes, which was switched off"}
	}
	return nil // of an unknown type, or PRIORITY: to be ignored
}

func (c *Conn) onData(f *http2.DataFrame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	size, data := int64(f.Length), f.Data()
	if n := c.credit.give(size); n > 0 { // whoever it is for: no stream stalls the others
		c.post(control{frame: http2.FrameWindowUpdate, value: n})
	}
	s, err := c.find(f.StreamID)
	if s == nil || err != nil {
		return err
	}
	c.health.answered = true
	s.got += int64(len(data))
	switch {
	case s.readErr != nil:
		s.reset(http2.ErrCodeStreamClosed, ProtocolError{"DATA after the end of the answer"})
	case !s.answered:
		s.reset(http2.ErrCodeProtocol, ProtocolError{"DATA before the final head"})
	case !s.credit.take(size):
		s.reset(http2.ErrCodeFlowControl, ProtocolError{"more DATA than the window of the stream"})
	case s.bodyless && len(data) > 0:
		s.reset(http2.ErrCodeProtocol, ProtocolError{"DATA of an answer that has no body"})
	case s.declared >= 0 && s.got > s.declared:
		s.reset(http2.ErrCodeProtocol, ProtocolError{"the answer is longer than its Content-Length"})
	default:
		s.body.add(data, &c.chunks)
		s.give(int(size) - len(data)) // padding
		if f.StreamEnded() {
			s.endAnswer()
		}
		s.in.Broadcast()
	}
	return nil
}

func (c *Conn) onWindow(f *http2.WindowUpdateFrame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.StreamID == 0 {
		if c.window += int64(f.Increment); c.window > maxWindow {
			return connError{http2.ErrCodeFlowControl, "it makes the window of the connection too large"}
		}
		for _, s := range c.streams {
			s.out.Broadcast()
		}
		return nil
	}
	s, err := c.find(f.StreamID)
	if s == nil || err != nil {
		return err
	}
	if s.window += int64(f.Increment); s.window > maxWindow {
		s.reset(http2.ErrCodeFlowControl, ProtocolError{"it makes the window of a stream too large"})
	}
	s.out.Broadcast()
	return nil
}

func (c *Conn) onReset(f *http2.RSTStreamFrame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, err := c.find(f.StreamID)
	if s == nil || err != nil {
		return err
	}
	if f.ErrCode == http2.ErrCodeNo && s.readErr == nil && s.answered && !s.bodyless && s.got == s.declared {
		s.readErr = io.EOF // some servers lose the end, and say that nothing is wrong: by its length the answer is whole
	}
	if s.readErr != nil && f.ErrCode == http2.ErrCodeNo {
		s.lose(ErrNotWanted)
		return nil
	}
	s.lose(StreamError{Code: f.ErrCode, refused: f.ErrCode == http2.ErrCodeRefusedStream && !s.answered})
	return nil
}

// onGoAway fails the streams that the gateway did not process (RFC 9113
// section 6.8). The others go on, and the connection ends with the last.
func (c *Conn) onGoAway(f *http2.GoAwayFrame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.goneAway, c.farewell = true, f.ErrCode
	for id, s := range c.streams {
		if id > f.LastStreamID {
			s.lose(fmt.Errorf("%w: it is going away (%s)", ErrRefused, f.ErrCode))
		}
	}
	if c.slots == 0 {
		c.end(ErrClosed, http2.ErrCodeNo, true)
	}
}
