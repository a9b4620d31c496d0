package http3

import (
	"net/http"
	"time"
)

// answer is the library's way of answering, less what differs from that of
// HTTP/2.
type answer struct {
	http.ResponseWriter
	gaveUp bool // the core set a deadline that has passed
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// WriteHeader implements http.ResponseWriter. The core ends connections with a
// field that HTTP/3 does not have.
func (a *answer) WriteHeader(status int) {
	a.Header().Del("Connection")
	a.ResponseWriter.WriteHeader(status)
}

// SetWriteDeadline is for http.ResponseController.
func (a *answer) SetWriteDeadline(t time.Time) error {
	a.gaveUp = true
	return http.NewResponseController(a.ResponseWriter).SetWriteDeadline(t)
}

// finish sends what the library still holds, with a limit of time that is also
// that of the trailer. Left to itself, the library would add a Content-Length
// that the cell did not send, even to the answer to a HEAD.
func (a *answer) finish(timeout time.Duration) {
	control := http.NewResponseController(a.ResponseWriter)
	if !a.gaveUp {
		_ = control.SetWriteDeadline(time.Now().Add(timeout))
	}
	if control.Flush() != nil {
		panic(http.ErrAbortHandler)
	}
}
