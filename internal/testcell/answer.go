package testcell

import (
	"bufio"
	"io"
	"net/http"
	"strconv"

	"github.com/homeward/homeward/internal/proxy/http1"
)

// field is one header line of an answer.
type field struct{ name, value string }

// outgoing is an answer on its way, over one protocol. Errors are sticky and
// told by flush and end.
type outgoing interface {
	// inform sends an interim answer at once. HTTP/1.0 knows none.
	inform(status int, fields ...field)
	// head starts the answer. length is that of the body in bytes; -1 when only
	// its end shows it.
	head(status int, length int64, fields ...field)
	// write adds a piece of the body. It leaves with flush or end at the latest.
	write(p []byte)
	// flush sends what was written.
	flush() error
	// end ends the body, with a trailer where the length was not told.
	end(trailer []http1.Field) error
}

// answer writes one answer in HTTP/1.1.
type answer struct {
	w         *bufio.Writer
	method    string
	minor     int
	keepAlive bool
	chunked   bool
	noBody    bool
}

func newAnswer(w io.Writer, req *http1.Request) *answer {
	return &answer{w: bufio.NewWriterSize(w, pieceSize), method: req.Method, minor: req.Minor, keepAlive: !req.Close}
}

func (a *answer) inform(status int, fields ...field) {
	if a.minor == 0 {
		return
	}
	b := http1.AppendStatusLine(a.w.AvailableBuffer(), status, http.StatusText(status))
	for _, f := range fields {
		b = http1.AppendField(b, f.name, f.value)
	}
	_, _ = a.w.Write(append(b, "\r\n"...))
	_ = a.w.Flush()
}

func (a *answer) head(status int, length int64, fields ...field) {
	a.noBody = !http1.BodyAllowed(a.method, status)
	b := http1.AppendStatusLine(a.w.AvailableBuffer(), status, http.StatusText(status))
	for _, f := range fields {
		b = http1.AppendField(b, f.name, f.value)
	}
	switch {
	case status == http.StatusNoContent || status == http.StatusNotModified:
	case length >= 0:
		b = http1.AppendField(b, "Content-Length", strconv.FormatInt(length, 10))
	case a.minor == 0:
		a.keepAlive = false // only the end of the connection shows that of the body
	default:
		a.chunked = true
		b = http1.AppendField(b, "Transfer-Encoding", "chunked")
	}
	switch {
	case !a.keepAlive:
		b = http1.AppendField(b, "Connection", "close")
	case a.minor == 0:
		b = http1.AppendField(b, "Connection", "keep-alive")
	}
	_, _ = a.w.Write(append(b, "\r\n"...))
}

func (a *answer) write(p []byte) {
	if a.noBody || len(p) == 0 {
		return
	}
	if a.chunked {
		b := strconv.AppendInt(a.w.AvailableBuffer(), int64(len(p)), 16)
		_, _ = a.w.Write(append(b, "\r\n"...))
	}
	_, _ = a.w.Write(p)
	if a.chunked {
		_, _ = a.w.WriteString("\r\n")
	}
}

func (a *answer) flush() error { return a.w.Flush() }

func (a *answer) end(trailer []http1.Field) error {
	if a.chunked && !a.noBody {
		_, _ = a.w.Write(http1.AppendLastChunk(nil, trailer))
	}
	return a.w.Flush()
}
