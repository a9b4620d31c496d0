package edge_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/topology"
)

// answeringHTTP2 is a world whose eu1 speaks HTTP/2, allows WebSockets and two
// streams on a connection, and answers every request with these fields, names and
// values, and not a frame more.
func answeringHTTP2(t *testing.T, end bool, fields ...string) (w *world, connections *atomic.Int64) {
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
			go answerAll(c, end, fields)
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return newWorld(t, func(top *topology.Topology) { top.Cells[2].Gateways = []string{"h2c://" + l.Addr().String()} }, testcell.Options{}), connections
}

func answerAll(c net.Conn, end bool, fields []string) {
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
			for i := 0; i < len(fields); i += 2 {
				_ = enc.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
			}
			err = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: f.StreamID, BlockFragment: block.Bytes(), EndStream: end, EndHeaders: true})
		}
	}
}

// A WebSocket that a cell refuses over HTTP/2 leaves the request's own side open. It
// must not hold its place on the connection for that.
func TestRefusedTunnelsLeaveNoStreams(t *testing.T) {
	w, connections := answeringHTTP2(t, true, ":status", "403")
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

// What accepts the key of a WebSocket is of one hop: what a gateway of HTTP/2 sends
// as that reaches nobody.
func TestAcceptIsTheEdges(t *testing.T) {
	w, _ := answeringHTTP2(t, false, ":status", "200", "sec-websocket-accept", "made up", "sec_websocket_accept", "made up")
	nc := w.dial()
	_, _ = io.WriteString(nc, "GET /socket HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "+euToken+"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "+socketKey+"\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(nc), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := resp.Header["Sec-Websocket-Accept"]; resp.StatusCode != 101 || len(got) != 1 || got[0] == "made up" || len(resp.Header["Sec_websocket_accept"]) != 0 {
		t.Errorf("HTTP/1.1: %d %v", resp.StatusCode, resp.Header)
	}
	nc.Close()
}
