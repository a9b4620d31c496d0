package proxy

import (
	"net/http"
	"net/textproto"
	"time"

	"github.com/homeward/homeward/route"
)

// streamAnswer writes the answer to one request on a stream, through a library.
type streamAnswer struct {
	w        http.ResponseWriter
	control  *http.ResponseController
	patience patience
	server   *Server
}

func newStreamAnswer(w http.ResponseWriter, s *Server, timeout time.Duration) *streamAnswer {
	a := &streamAnswer{w: w, control: http.NewResponseController(w), server: s}
	a.patience.limit = timeout
	a.patience.giveUp = func() { _ = a.control.SetWriteDeadline(time.Unix(1, 0)) } // resets the stream
	return a
}

// Interim implements Answer.
func (a *streamAnswer) Interim(status int, _ string, fields []route.Field) error {
	h := a.w.Header()
	add(h, owned(fields)) // the library remembers them, to send them shorter the next time
	a.patience.begin()
	defer a.patience.end()
	a.w.WriteHeader(status)
	clear(h)
	return nil
}

// add adds fields to a head. Trailer stands there in small letters, as it goes out,
// so that the libraries do not find it: they would take the fields that it names
// out of the head, or send them twice. End says by itself what the trailer is.
func add(h http.Header, fields []route.Field) {
	for _, f := range fields {
		name := textproto.CanonicalMIMEHeaderKey(f.Name)
		if name == "Trailer" {
			name = "trailer"
		}
		h[name] = append(h[name], f.Value)
	}
}

// Head implements Answer.
func (a *streamAnswer) Head(head *AnswerHead, more bool) error {
	h := a.w.Header()
	add(h, owned(head.Fields))
	for _, name := range []string{"Date", "Content-Type", "Content-Length"} {
		if _, ok := h[name]; !ok {
			h[name] = nil // the library must not make one up
		}
	}
	if a.server.draining.Load() {
		h.Set("Connection", "close") // the library sends GOAWAY and ends the connection after its streams
	}
	status := head.Status
	if status == http.StatusSwitchingProtocols {
		status = http.StatusOK // RFC 8441 section 5
	}
	a.w.WriteHeader(status)
	if more {
		return nil
	}
	a.patience.begin()
	defer a.patience.end()
	return a.control.Flush()
}

// Write implements Answer.
func (a *streamAnswer) Write(piece []byte, more bool) error {
	if len(piece) == 0 {
		return nil
	}
	a.patience.begin()
	defer a.patience.end()
	if _, err := a.w.Write(piece); err != nil || more {
		return err // with the end that follows, the library sends all that waits at once
	}
	return a.control.Flush()
}

// End implements Answer.
func (a *streamAnswer) End(trailer []route.Field) error {
	h := a.w.Header()
	for _, f := range owned(trailer) {
		name := http.TrailerPrefix + textproto.CanonicalMIMEHeaderKey(f.Name)
		h[name] = append(h[name], f.Value)
	}
	return nil
}
