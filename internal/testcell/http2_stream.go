package testcell

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/homeward/homeward/internal/proxy/http1"
)

// body2 is the body of a request in HTTP/2.
type body2 struct {
	*http.Request
	whole bool
}

func (b *body2) Read(p []byte) (int, error) {
	n, err := b.Request.Body.Read(p)
	b.whole = errors.Is(err, io.EOF)
	return n, err
}

func (b *body2) Whole() bool { return b.whole }

// Trailer holds what was announced; the library drops the rest.
func (b *body2) Trailer() []http1.Field {
	var fields []http1.Field
	for _, name := range slices.Sorted(maps.Keys(b.Request.Trailer)) {
		for _, v := range b.Request.Trailer[name] {
			fields = append(fields, http1.Field{Name: strings.ToLower(name), Value: v})
		}
	}
	return fields
}

// answer2 writes one answer in HTTP/2.
type answer2 struct {
	w       http.ResponseWriter
	control *http.ResponseController
	method  string
	noBody  bool
	err     error
}

func (a *answer2) inform(status int, fields ...field) {
	for _, f := range fields {
		a.w.Header().Add(f.name, f.value)
	}
	a.w.WriteHeader(status)
	for _, f := range fields {
		a.w.Header().Del(f.name)
	}
}

func (a *answer2) head(status int, length int64, fields ...field) {
	a.noBody = !http1.BodyAllowed(a.method, status)
	for _, f := range fields {
		a.w.Header().Add(f.name, f.value)
	}
	if length >= 0 && status != http.StatusNoContent && status != http.StatusNotModified {
		a.w.Header().Set("Content-Length", strconv.FormatInt(length, 10))
	}
	a.w.WriteHeader(status)
}

func (a *answer2) write(p []byte) {
	if a.noBody || len(p) == 0 || a.err != nil {
		return
	}
	_, a.err = a.w.Write(p)
}

func (a *answer2) flush() error {
	if a.err == nil {
		a.err = a.control.Flush()
	}
	return a.err
}

func (a *answer2) end(trailer []http1.Field) error {
	if len(trailer) > 0 {
		_ = a.flush() // or the library tells a length
	}
	for _, f := range trailer {
		a.w.Header().Add(http.TrailerPrefix+f.Name, f.Value)
	}
	return a.err
}

// wire2 is one stream of HTTP/2.
type wire2 struct {
	w http.ResponseWriter
	r *http.Request
}

// proceed does nothing: the library tells the client when the body is read, and
// does not tell the cell that it will. So /duplex, which sends its head first, is
// nothing for a client of HTTP/2 that waits to be told.
func (w *wire2) proceed() error { return nil }

func (w *wire2) watch() (ctx context.Context, stop func()) { return w.r.Context(), func() {} }

// upgrade answers an extended CONNECT (RFC 8441 section 5).
func (w *wire2) upgrade(_ string, fields ...field) (io.ReadWriter, error) {
	for _, f := range fields {
		w.w.Header().Add(f.name, f.value)
	}
	w.w.WriteHeader(http.StatusOK)
	control := http.NewResponseController(w.w)
	return struct {
		io.Reader
		io.Writer
	}{w.r.Body, prompt{w.w, control}}, control.Flush()
}

func (w *wire2) leave() {}

// prompt sends each piece at once.
type prompt struct {
	w       io.Writer
	control *http.ResponseController
}

func (p prompt) Write(b []byte) (int, error) {
	n, err := p.w.Write(b)
	if err == nil {
		err = p.control.Flush()
	}
	return n, err
}
