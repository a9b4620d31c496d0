package proxy

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/homeward/homeward/internal/eventloop"
	"github.com/homeward/homeward/internal/upstream"
	"github.com/homeward/homeward/topology"
)

// timed is a connection that takes everything and knows until when it may be written.
type timed struct {
	net.Conn
	until   time.Time
	written int
	limited bool // all writes had a deadline
}

func (d *timed) SetWriteDeadline(t time.Time) error {
	d.until = t
	return nil
}

func (d *timed) Write(b []byte) (int, error) {
	d.limited = !d.until.IsZero() && (d.limited || d.written == 0)
	d.written += len(b)
	return len(b), nil
}

// piecewise is a client's side of a tunnel that looks at the gateway's connection
// whenever it is asked for the next piece.
type piecewise struct {
	*timed
	left    int
	between func()
}

func (p *piecewise) Ready() error { p.between(); return nil }
func (p *piecewise) Interrupt()   {}
func (p *piecewise) Read(b []byte) (int, error) {
	if p.left--; p.left < 0 {
		return 0, io.EOF
	}
	return copy(b, "piece"), nil
}

// TLS writes on its own when the peer asks for new keys (RFC 8446 section 4.6.3),
// and breaks if it cannot: the deadline of a write is over with it.
func TestNoDeadlineBetweenWrites(t *testing.T) {
	d := &timed{}
	out := &answer{conn: &conn{client: &tracked{Transport: eventloop.Blocking(d)}, net: d, tls: true}, timeout: time.Minute}
	_ = out.write([]byte("piece"))
	if !d.limited || d.written != 5 || !d.until.IsZero() {
		t.Errorf("to a client: %+v", d)
	}

	d = &timed{}
	in := &piecewise{timed: d, left: 3}
	in.between = func() {
		if !d.until.IsZero() {
			t.Errorf("to a gateway: nothing is written, and nothing may be after %v", d.until)
		}
	}
	p := New(nil, nil, nil, nil)
	x := &exchange{proxy: p, in: &Inbound{Tunnel: in}, state: &State{Timeouts: topology.Timeouts{Write: topology.Duration(time.Minute)}}}
	u := &upward{
		in: in, t: &transfer{x: x, hop: &http1Hop{conn: &upstream.Conn{Conn: d, Transport: eventloop.Blocking(d)}, x: x, tunnel: true}},
		idle: time.AfterFunc(time.Hour, func() {}), patience: time.Hour,
	}
	defer u.idle.Stop()
	if by := u.copy(); by != NotAborted || !d.limited || d.written != 15 {
		t.Errorf("to a gateway: %v, %+v", by, d)
	}
}
