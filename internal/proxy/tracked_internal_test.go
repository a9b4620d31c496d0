package proxy

import (
	"testing"

	"github.com/homeward/homeward/internal/eventloop"
)

// counting tells how many connections its server counts while it is being closed.
type counting struct {
	eventloop.Transport
	server *Server
	open   []int64
}

func (c *counting) Close() error {
	c.open = append(c.open, c.server.Open())
	return nil
}

// Shutdown may end the event loop as soon as no connection counts.
func TestConnectionCountsUntilItIsClosed(t *testing.T) {
	s := &Server{}
	s.open.Add(1)
	s.serving.Add(1)
	transport := &counting{server: s}
	c := &tracked{Transport: transport, server: s}
	for range 2 {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s.serving.Wait()
	if transport.open[0] != 1 || s.Open() != 0 {
		t.Errorf("%d connections counted as it was closed, %d afterwards", transport.open[0], s.Open())
	}
}
