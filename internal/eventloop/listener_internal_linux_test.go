package eventloop

import (
	"net"
	"testing"

	"golang.org/x/sys/unix"
)

// What is written leaves at once, also to a client that was there before the loop
// took the listener.
func TestAcceptedBeforeAndAfterListen(t *testing.T) {
	loop, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	defer loop.Close()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	dial := func() net.Conn {
		c, err := net.Dial("tcp", tcp.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	defer dial().Close()
	ln, err := loop.Listen(tcp.(*net.TCPListener))
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	for _, when := range []string{"before", "after"} {
		if when == "after" {
			defer dial().Close()
		}
		c, err := ln.AcceptConn()
		if err != nil {
			t.Fatal(err)
		}
		for name, option := range map[string][2]int{
			"TCP_NODELAY":  {unix.IPPROTO_TCP, unix.TCP_NODELAY},
			"SO_KEEPALIVE": {unix.SOL_SOCKET, unix.SO_KEEPALIVE},
		} {
			if v, err := unix.GetsockoptInt(int(c.fd), option[0], option[1]); err != nil || v == 0 {
				t.Errorf("made %s Listen: %s is %d, %v", when, name, v, err)
			}
		}
		c.Close()
	}
}
