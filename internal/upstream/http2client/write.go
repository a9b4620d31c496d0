package http2client

import (
	"fmt"

	"golang.org/x/net/http2"

	"github.com/homeward/homeward/route"
)

const (
	maxWrite = 32 << 10 // bytes of a frame's payload, if the gateway takes as much
	maxTurn  = 64 << 10 // bytes that one stream writes before others may
)

// Write sends a part of the request's body as the gateway allows, and returns
// when it is on its way. The number says how much is, also with an error.
func (s *Stream) Write(p []byte) (int, error) {
	total := 0
	for {
		if err := s.awaitWindow(len(p) > total); err != nil {
			return total, err
		}
		n, err := s.writeTurn(p[total:])
		// What comes after the last byte is not what became of it.
		if total += n; err != nil || total == len(p) {
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
	defer c.stopWriting()
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
	defer c.stopWriting()
	if err := c.startWriting(); err != nil {
		return notEnded(s.failure(err))
	}
	c.mu.Lock()
	if s.writeErr == nil && fieldsSize(trailer) > int64(c.peer.head) {
		s.reset(http2.ErrCodeCancel, fmt.Errorf("trailer: %w", ErrHeadTooLarge))
	}
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
