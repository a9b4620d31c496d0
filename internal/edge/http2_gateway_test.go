package edge_test

import (
	"bytes"
	"io"
	"net"
	"sync/atomic"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/topology"
)

// refusing is a world whose eu1 speaks HTTP/2, allows WebSockets and two streams on
// a connection, and answers every request with a 403 and not a frame more.
func refusing(t *testing.T) (w *world, connections *atomic.Int64) {
	t.Helper()
	connections = new(atomic.Int64)
	l := listen(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			go refuseAll(c)
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return newWorld(t, func(top *topology.Topology) { top.Cells[2].Gateways = []string{"h2c://" + l.Addr().String()} }, testcell.Options{}), connections
}

func refuseAll(c net.Conn) {
	defer c.Close()
	if _, err := io.ReadFull(c, make([]byte, len(http2.ClientPreface))); err != nil {
		return
	}
	var block bytes.Buffer
	enc, fr := hpack.NewEncoder(&block), http2.NewFramer(c, c)
	err := fr.WriteSettings(http2.Setting{ID: http2.SettingEnableConnectProtocol, Val: 1}, http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 2})
	for err == nil {
		var f http2.Frame
		if f, err = fr.ReadFrame(); err != nil {
			return
		}
		switch f := f.(type) {
		case *http2.SettingsFrame:
			if !f.IsAck() {
				err = fr.WriteSettingsAck()
			}
		case *http2.HeadersFrame:
			block.Reset()
			_ = enc.WriteField(hpack.HeaderField{Name: ":status", Value: "403"})
			err = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: f.StreamID, BlockFragment: block.Bytes(), EndStream: true, EndHeaders: true})
		}
	}
}

// A WebSocket that a cell refuses over HTTP/2 leaves the request's own side open. It
// must not hold its place on the connection for that.
func TestRefusedTunnelsLeaveNoStreams(t *testing.T) {
	w, connections := refusing(t)
	ways := w.ways()
	for i := range 3 * len(ways) {
		c := ways[i%len(ways)]
		if s, resp := c.socket(t, "/tunnel"); s != nil || resp.StatusCode != 403 {
			t.Fatalf("%s: not refused by the cell", c.name)
		}
		eventually(t, "the request is over", func() bool { return w.seen.count() > i })
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections for refusals one after the other", n)
	}
}
