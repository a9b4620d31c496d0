package eventloop_test

import (
	"testing"

	"golang.org/x/sys/unix"
)

// Reading stops before urgent data, although more is there: no further news tell
// of that (RFC 9293 section 3.8.5).
func TestUrgentData(t *testing.T) {
	s := open(t)
	c, peer := s.connect(t)
	other, otherPeer := s.connect(t)
	raw, err := peer.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []struct {
		text  string
		flags int
	}{{"before", 0}, {"!", unix.MSG_OOB}, {"after", 0}} {
		_ = raw.Control(func(fd uintptr) { err = unix.Sendto(int(fd), []byte(part.text), part.flags, nil) })
		if err != nil {
			t.Fatal(err)
		}
	}
	echo(t, other, otherPeer) // the loop has told of all by then
	got := make([]byte, 0, 100)
	for len(got) < len("beforeafter") {
		n, err := c.Read(got[len(got):cap(got)])
		if err != nil {
			t.Fatal(err)
		}
		got = got[:len(got)+n]
	}
	if string(got) != "beforeafter" {
		t.Errorf("%q", got)
	}
}
