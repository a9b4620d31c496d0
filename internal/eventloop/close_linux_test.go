package eventloop_test

import (
	"errors"
	"net"
	"testing"

	"github.com/homeward/homeward/internal/eventloop"
)

// uses is all that can be done with a connection.
var uses = map[string]func(c *eventloop.Conn) error{
	"read":       func(c *eventloop.Conn) error { _, err := c.Read(make([]byte, 1)); return err },
	"await":      func(c *eventloop.Conn) error { return c.AwaitRead() },
	"write":      func(c *eventloop.Conn) error { _, err := c.Write([]byte("x")); return err },
	"writev":     func(c *eventloop.Conn) error { _, err := c.Writev([]byte("x"), []byte("y")); return err },
	"half close": func(c *eventloop.Conn) error { return c.CloseWrite() },
	"linger":     func(c *eventloop.Conn) error { return c.SetLinger(0) },
	"close":      func(c *eventloop.Conn) error { return c.Close() },
}

// A number of a descriptor is another connection's as soon as it is free.
func TestUseAfterClose(t *testing.T) {
	for name, use := range uses {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			old, _ := s.connect(t)
			if err := old.Close(); err != nil {
				t.Fatal(err)
			}
			c, peer := s.connect(t)
			if err := use(old); !errors.Is(err, net.ErrClosed) {
				t.Errorf("%v, want %v", err, net.ErrClosed)
			}
			if old.Quiet() {
				t.Error("a closed connection could be used")
			}
			echo(t, c, peer)
		})
	}
}
