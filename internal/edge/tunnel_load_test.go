package edge_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/internal/testleak"
	"github.com/homeward/homeward/topology"
)

// A drain ends tunnels that never rest, and leaves nothing of them.
func TestTunnelsEndWithTheEdge(t *testing.T) {
	others := goleak.IgnoreCurrent()
	t.Cleanup(func() { testleak.Check(t, others) }) // when the world is gone
	for _, scheme := range []string{"http", "h2c"} {
		w := tunnelWorld(t, scheme, nil, func(e tunnelEnd) { _, _ = io.Copy(e, e) })
		var chatting sync.WaitGroup
		for _, c := range w.ways() {
			if c.name == "http3" {
				continue // whose connections are another server's to end
			}
			for range 10 {
				s, resp := c.socket(t, "/tunnel")
				if s == nil {
					t.Fatalf("%s: refused with %d", c.name, resp.StatusCode)
				}
				s.write(make([]byte, 1000))
				chatting.Go(func() {
					_, _ = io.Copy(s.rw, s.rw) // until its end
					_ = s.whole()
				})
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		if err := w.edge.Shutdown(ctx, 100*time.Millisecond); err != nil {
			t.Errorf("%s: broken off: %v", scheme, err)
		}
		cancel()
		chatting.Wait()
		eventually(t, scheme+": no tunnel is open", w.quiet)
	}
}

// A tunnel in which nothing moves holds no buffers beyond those of its connections.
func TestMemoryOfIdleTunnels(t *testing.T) {
	const tunnels, each = 2000, raceFactor * 48 << 10 // bytes, the ends in the test included
	addr := quietOrigin(t)
	w := newWorld(t, func(top *topology.Topology) { top.Cells[2].Gateways = []string{"http://" + addr} }, testcell.Options{})
	before := held()
	for range tunnels {
		c := w.dial()
		fmt.Fprintf(c, "GET /tunnel HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n", euToken, socketKey)
		if _, err := io.ReadFull(c, make([]byte, len("HTTP/1.1 101"))); err != nil {
			t.Fatal(err)
		}
	}
	if open := fmt.Sprintf(`homeward_requests_open{type="websocket"} %d`, tunnels); !strings.Contains(w.metrics(), open) {
		t.Errorf("the metrics do not say %s", open)
	}
	eventually(t, fmt.Sprintf("each of %d tunnels holds no more than %d bytes", tunnels, each), func() bool { return held()-before <= tunnels*each })
}

// An event stream that is silent holds none either, though the end of its last
// chunk lies there to be read.
func TestMemoryOfSilentEvents(t *testing.T) {
	const streams, each = 500, raceFactor * 44 << 10 // bytes, the ends in the test included
	addr := origin(t, func(c *net.TCPConn, r *bufio.Reader) {
		if _, err := http.ReadRequest(r); err != nil {
			return
		}
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: x\n\n\r\n")
		_, _ = r.ReadByte() // until the edge leaves
	})
	w := newWorld(t, func(top *topology.Topology) { top.Cells[2].Gateways = []string{"http://" + addr} }, testcell.Options{})
	before := held()
	for range streams {
		c := w.dial()
		fmt.Fprintf(c, "GET /sse HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n", euToken)
		var got []byte
		for !strings.HasSuffix(string(got), "data: x\n\n\r\n") {
			var b [1]byte
			if _, err := c.Read(b[:]); err != nil {
				t.Fatal(err)
			}
			got = append(got, b[0])
		}
	}
	eventually(t, "the memory is given back", func() bool { return held()-before <= streams*each })
}

// held is the memory in use by the heap and by stacks, in bytes.
func held() int64 {
	runtime.GC()
	runtime.GC() // what was pooled goes with the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

// quietOrigin opens every tunnel and keeps it, without a goroutine for it.
func quietOrigin(t *testing.T) string {
	t.Helper()
	l := listen(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		var kept []net.Conn
		defer func() {
			for _, c := range kept {
				c.Close()
			}
		}()
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			kept = append(kept, c)
			if req, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
				_, _ = io.WriteString(c, acceptedFor(req))
			}
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return l.Addr().String()
}
