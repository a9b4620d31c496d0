package proxy

import (
	"context"
	"net/http"
	"net/textproto"
	"time"

	"github.com/homeward/homeward/route"
)

// http2Answer writes the answer to one HTTP/2 request.
type http2Answer struct {
	w        http.ResponseWriter
	control  *http.ResponseController
	patience patience
	server   *Server
	buf      []byte
	pooled   *[]byte
}

func newHTTP2Answer(w http.ResponseWriter, s *Server, timeout time.Duration) *http2Answer {
	a := &http2Answer{w: w, control: http.NewResponseController(w), server: s}
	a.patience.limit = timeout
	a.patience.giveUp = func() { _ = a.control.SetWriteDeadline(time.Unix(1, 0)) } // resets the stream
	return a
}

// Interim implements Answer.
func (a *http2Answer) Interim(status int, _ string, fields []route.Field) error {
	h := a.w.Header()
	add(h, fields)
	a.patience.begin()
	defer a.patience.end()
	a.w.WriteHeader(status)
	clear(h)
	return nil
}

func add(h http.Header, fields []route.Field) {
	for _, f := range fields {
		name := textproto.CanonicalMIMEHeaderKey(f.Name)
		h[name] = append(h[name], f.Value)
	}
}

// Head implements Answer.
func (a *http2Answer) Head(head *AnswerHead, more bool) error {
	h := a.w.Header()
	add(h, head.Fields)
	for _, name := range []string{"Date", "Content-Type"} {
		if _, ok := h[name]; !ok {
			h[name] = nil // the library must not make one up
		}
	}
	if a.server.draining.Load() {
		h.Set("Connection", "close") // the library sends GOAWAY and ends the connection after its streams
	}
	a.w.WriteHeader(head.Status)
	if more {
		return nil
	}
	a.patience.begin()
	defer a.patience.end()
	return a.control.Flush()
}

// Space implements Answer.
func (a *http2Answer) Space() []byte {
	if a.buf == nil {
		a.pooled = a.server.proxy.pieces.Get().(*[]byte)
		a.buf = *a.pooled
	}
	return a.buf
}

// Commit implements Answer.
func (a *http2Answer) Commit(n int) error {
	a.patience.begin()
	defer a.patience.end()
	if _, err := a.w.Write(a.buf[:n]); err != nil {
		return err
	}
	return a.control.Flush()
}

// End implements Answer.
func (a *http2Answer) End(trailer []route.Field) error {
	if a.pooled != nil {
		a.server.proxy.pieces.Put(a.pooled)
		a.pooled, a.buf = nil, nil
	}
	h := a.w.Header()
	for _, f := range trailer {
		name := http.TrailerPrefix + textproto.CanonicalMIMEHeaderKey(f.Name)
		h[name] = append(h[name], f.Value)
	}
	return nil
}

// watch2 watches the client of an HTTP/2 request: the library ends ctx when the
// stream or the connection ends.
func watch2(ctx context.Context, gone func()) (stop func()) {
	done := make(chan struct{})
	cancel := context.AfterFunc(ctx, func() {
		defer close(done)
		gone()
	})
	return func() {
		if !cancel() {
			<-done
		}
	}
}
