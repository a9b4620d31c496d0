package edge_test

import (
	"bufio"
	"io"
	"net"
	"os"
	"testing"

	"github.com/homeward/homeward/internal/testcell"
)

// interrupted is a listener whose connections run out of time once, after the
// bytes that each client sent first.
type interrupted struct{ net.Listener }

func (l interrupted) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return &interruptedConn{Conn: c}, err
}

type interruptedConn struct {
	net.Conn
	reads int
}

func (c *interruptedConn) Read(b []byte) (int, error) {
	if c.reads++; c.reads == 2 {
		return 0, os.ErrDeadlineExceeded
	}
	return c.Conn.Read(b)
}

// A client that stops within the bytes that tell the protocol had its time: it
// gets no second one for the rest of its head.
func TestFirstBytesCountTowardsTheHead(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{})
	l := listen(t)
	go func() { _ = w.edge.Serve(interrupted{l}, nil) }()
	w.addr = l.Addr().String()
	for _, begin := range []string{"PRI * HT", "PRO", "PROXY TC", "PROXY U", signature2[:5]} {
		c := w.dial()
		if _, err := io.WriteString(c, begin); err != nil {
			t.Fatal(err)
		}
		if r := w.read(bufio.NewReader(c), "GET"); r.StatusCode != 408 || r.kind() != "request-timeout" {
			t.Errorf("%q: %d %q", begin, r.StatusCode, r.kind())
		}
		c.Close()
	}
}
