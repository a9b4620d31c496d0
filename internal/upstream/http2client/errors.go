package http2client

import (
	"errors"
	"fmt"
	"io"
	"net"

	"golang.org/x/net/http2"
)

var (
	// ErrRefused is wrapped by the errors of requests that the gateway did not
	// process, by its own word or because nothing of them was sent: one may be
	// sent again elsewhere, if its body is still at hand.
	ErrRefused = errors.New("the gateway did not process the request")
	// ErrHeadTooLarge is wrapped when a head or a trailer was not sent, because the
	// gateway says that it takes none of its size (RFC 9113 section 10.5.1). Some end
	// the connection at one, and with it the streams of others.
	ErrHeadTooLarge = errors.New("the head is larger than the gateway takes")
	// ErrNotHTTP2 is wrapped when what answers does not speak HTTP/2.
	ErrNotHTTP2 = errors.New("the gateway does not answer in HTTP/2")
	// ErrNotWanted is what Write and End return after the gateway has answered
	// in full and asked for no more of the request's body (RFC 9113 section 8.1).
	ErrNotWanted = errors.New("the gateway wants no more of the request's body")
	// ErrCanceled is what calls on a stream return after Cancel.
	ErrCanceled = errors.New("the stream was cancelled")
	// ErrClosed is wrapped when the connection was closed or retired by this side.
	ErrClosed = errors.New("the HTTP/2 connection is closed")
	// ErrUnresponsive is wrapped when the gateway gave no sign of life, or took
	// no bytes, for too long.
	ErrUnresponsive = errors.New("the gateway does not respond")

	errBug   = errors.New("a bug of this side ended the HTTP/2 connection")
	errEnded = errors.New("the request has ended already")
)

// StreamError says that the gateway reset a stream.
type StreamError struct {
	Code    http2.ErrCode
	refused bool // before it had answered
}

func (e StreamError) Error() string { return "the gateway reset the stream: " + e.Code.String() }

// Unwrap gives ErrRefused for a request that the gateway did not process.
func (e StreamError) Unwrap() error {
	if e.refused {
		return ErrRefused
	}
	return nil
}

// ProtocolError says that the gateway broke the rules of HTTP/2, on one stream
// or for the whole connection.
type ProtocolError struct{ Reason string }

func (e ProtocolError) Error() string { return "the gateway does not keep to HTTP/2: " + e.Reason }

// connError ends the connection, with a reason for the gateway (RFC 9113
// section 5.4.1).
type connError struct {
	code   http2.ErrCode
	reason string
}

func (e connError) Error() string { return e.reason }

// readError says what ended the reading, for the streams, and the code to tell
// the gateway, if any.
func readError(err error) (code http2.ErrCode, tell bool, _ error) {
	var own connError
	var broken http2.ConnectionError
	switch {
	case errors.As(err, &own):
		return own.code, true, ProtocolError{own.reason}
	case errors.As(err, &broken):
		return http2.ErrCode(broken), true, ProtocolError{"a frame or a head that no stream survives: " + http2.ErrCode(broken).String()}
	case errors.Is(err, http2.ErrFrameTooLarge):
		return http2.ErrCodeFrameSize, true, ProtocolError{"a frame is larger than was allowed"}
	case errors.Is(err, ErrNotHTTP2):
		return 0, false, err
	case errors.Is(err, errBug):
		return http2.ErrCodeInternal, true, err
	}
	return 0, false, lost(err)
}

// lost says that reading or writing failed, without what callers of a stream
// would take for its own end or deadline.
func lost(err error) error {
	switch {
	case errors.Is(err, io.EOF):
		err = io.ErrUnexpectedEOF
	case timedOut(err):
		err = ErrUnresponsive
	}
	return fmt.Errorf("the connection to the gateway ended: %w", err)
}

func timedOut(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
