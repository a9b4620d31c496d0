// Package http1 is the wire format of HTTP/1.1 (RFC 9112): it reads heads and
// bodies strictly, for both sides of an exchange, and writes them.
//
// What two readers could understand differently is refused, since an edge and
// an origin that disagree about where a request ends are how requests are
// smuggled: there are no lenient switches. What is accepted keeps its bytes:
// request-target, names, values, their order, case and repetition.
package http1

import (
	"errors"
	"io"
	"net"

	"github.com/homeward/homeward/route"
)

// Field is one header or trailer line.
type Field = route.Field

// Limits bound what is read of one message. Zero values mean the defaults.
type Limits struct {
	Head   int // bytes of start line and fields; 32 KiB
	Fields int // field lines; 100
}

const (
	defaultHead   = 32 << 10
	defaultFields = 100
)

func (l Limits) orDefault() Limits {
	if l.Head <= 0 {
		l.Head = defaultHead
	}
	if l.Fields <= 0 {
		l.Fields = defaultFields
	}
	return l
}

// ErrTooLarge says that a head or a trailer is over its limit.
var ErrTooLarge = errors.New("head over its limit")

// SyntaxError says which rule of the message format was broken. It holds no
// byte of the message, so it may be logged and answered.
type SyntaxError struct{ Rule string }

func (e *SyntaxError) Error() string { return e.Rule }

// IsTimeout reports whether a deadline of the connection passed.
func IsTimeout(err error) bool {
	if err == nil || err == io.EOF { //nolint:errorlint // the common ones, which need no memory to tell
		return false
	}
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

func syntax(rule string) error { return &SyntaxError{Rule: rule} }
