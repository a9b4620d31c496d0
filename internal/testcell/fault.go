package testcell

import (
	"io"
	"net"
	"net/http"

	"github.com/homeward/homeward/internal/proxy/http1"
)

// Fault is a way to fail. Over HTTP/2, where many requests share a connection, a
// reset is that of the stream; the others concern the whole connection.
type Fault uint8

// The faults.
const (
	NoFault         Fault = iota
	Reset                 // resets the connection instead of answering
	HangUp                // closes the connection instead of answering
	ResetAfterHead        // resets it after the head and a first piece of the body
	HangUpAfterHead       // closes it there: the body is shorter than declared
	Garbage               // answers with bytes that are not HTTP
	Silence               // never answers; ends when the client leaves
	CloseAnnounced        // answers with Connection: close, then closes
	CloseAfter            // answers as if the connection stayed, then closes it; over HTTP/2 as CloseAnnounced
)

const garbage = "220 this is no answer in HTTP\r\n\r\n"

// breaks reports whether the fault takes the place of the answer.
func (f Fault) breaks() bool { return f != NoFault && f != CloseAnnounced && f != CloseAfter }

// fail does what the fault says. The connection ends after it.
func (c *conn) fail(f Fault) {
	switch f {
	case Reset:
		c.resetOnClose()
	case ResetAfterHead, HangUpAfterHead:
		out := newAnswer(c.net, &http1.Request{Method: http.MethodGet, Minor: 1})
		out.head(http.StatusOK, 1<<20, field{"Content-Type", "application/octet-stream"})
		out.write([]byte(Alphabet))
		_ = out.flush()
		if f == ResetAfterHead {
			c.resetOnClose()
		}
	case Garbage:
		_, _ = io.WriteString(c.net, garbage)
	case Silence:
		_, _ = io.Copy(io.Discard, c.reader)
	}
}

// resetOnClose makes closing a TCP connection a reset.
func (c *conn) resetOnClose() {
	if tcp, ok := c.raw.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
}

// fail2 does what the fault says to a request in HTTP/2. The stream is to be
// reset after it.
func fail2(f Fault, w http.ResponseWriter, r *http.Request, below *handed) {
	switch f {
	case HangUp:
		_ = below.Close()
	case ResetAfterHead, HangUpAfterHead:
		out := &answer2{w: w, control: http.NewResponseController(w), method: r.Method}
		out.head(http.StatusOK, 1<<20, field{"Content-Type", "application/octet-stream"})
		out.write([]byte(Alphabet))
		_ = out.flush()
		if f == HangUpAfterHead {
			_ = below.Close()
		}
	case Garbage:
		_, _ = io.WriteString(below, garbage)
		_ = below.Close()
	case Silence:
		<-r.Context().Done()
	}
}
