package edge_test

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"testing"

	"github.com/homeward/homeward/internal/proxy"
	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/topology"
)

// uploadHead declares a body of n bytes.
func uploadHead(n int) string {
	return fmt.Sprintf("POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n", n)
}

// Bodies that are large enough to pass within the kernel arrive whole, however they
// come, and nothing of the request behind them goes along.
func TestLargeUploads(t *testing.T) {
	onBothPaths(t, func(t *testing.T, goroutines bool) {
		w := newWorldOn(t, goroutines, nil, testcell.Options{})
		random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same bodies each time
		c := w.dial()
		r := bufio.NewReader(c)
		for _, n := range []int{256<<10 - 1, 256 << 10, 256<<10 + 1, 300_001, 1 << 20, 5_000_000} {
			body := make([]byte, n)
			for i := range body {
				body[i] = byte(random.Uint32())
			}
			// The next request stands right behind the body, and is written with its end.
			stream := append([]byte(uploadHead(n)), body...)
			stream = append(stream, "GET /next HTTP/1.1\r\nHost: localhost\r\n\r\n"...)
			go func() {
				for len(stream) > 0 {
					piece := min(len(stream), 1+random.IntN(200_000))
					_, _ = c.Write(stream[:piece])
					stream = stream[piece:]
				}
			}()
			sum := sha256.Sum256(body)
			if got := w.read(r, "POST"); got.StatusCode != 200 || got.report.BodyBytes != int64(n) || got.report.BodySHA256 != hex.EncodeToString(sum[:]) {
				t.Fatalf("%d bytes: %d, %d bytes came, %s", n, got.StatusCode, got.report.BodyBytes, got.body)
			}
			if got := w.read(r, "GET"); got.StatusCode != 200 || got.report.Target != "/next" || got.report.BodyBytes != 0 {
				t.Fatalf("behind %d bytes: %d %s", n, got.StatusCode, got.body)
			}
			rec := w.seen.await(t, func(r proxy.Record) bool { return r.BytesIn == int64(n) })
			if rec.Aborted != proxy.NotAborted {
				t.Errorf("%d bytes: recorded %+v", n, rec)
			}
		}
		if got := w.cells["na1"].Connections(); got != 1 {
			t.Errorf("%d connections to the cell, want 1: each upload leaves it usable", got)
		}
	})
}

// A client that stops in the middle of a large body, or ends there, has sent a
// part: the cell must not take it for the whole, and is free again.
func TestLargeUploadsThatEndEarly(t *testing.T) {
	onBothPaths(t, func(t *testing.T, goroutines bool) {
		t.Parallel()
		w := newWorldOn(t, goroutines, func(top *topology.Topology) { top.Timeouts.Body = topology.Duration(brief) }, testcell.Options{})
		part := make([]byte, 3<<20)
		for name, end := range map[string]func(*net.TCPConn) error{
			"ended":  func(c *net.TCPConn) error { return c.CloseWrite() },
			"closed": func(c *net.TCPConn) error { return c.Close() },
			"reset": func(c *net.TCPConn) error {
				_ = c.SetLinger(0)
				return c.Close()
			},
			"stopped": func(*net.TCPConn) error { return nil },
		} {
			c := w.dial().(*net.TCPConn)
			if _, err := c.Write(append([]byte(uploadHead(10<<20)), part...)); err != nil {
				t.Fatal(err)
			}
			w.seen.forget()
			if err := end(c); err != nil {
				t.Fatal(err)
			}
			rec := w.seen.await(t, func(r proxy.Record) bool { return r.Method == "POST" })
			if rec.Aborted != proxy.ClientAborted || rec.BytesIn > int64(len(part)) {
				t.Errorf("%s: recorded %+v", name, rec)
			}
			if name == "ended" || name == "stopped" {
				want := map[string]int{"ended": 400, "stopped": 408}[name]
				if got := w.read(bufio.NewReader(c), "POST"); got.StatusCode != want {
					t.Errorf("%s: %d %s, want %d", name, got.StatusCode, got.body, want)
				}
			}
			eventually(t, name+": the cell is free", func() bool { return w.cells["na1"].Open() == 0 })
		}
		if n := w.cells["na1"].Requests(); n > 4 { // or fewer: a reset can overtake a head
			t.Errorf("the cell had %d requests, want none twice", n)
		}
	})
}

// A cell that answers without reading a large body, and ends its connection, has
// its answer passed on.
func TestLargeUploadsRefusedEarly(t *testing.T) {
	onBothPaths(t, func(t *testing.T, goroutines bool) {
		change := gatewayOf(t, func(_ int, c *net.TCPConn) {
			_, _ = io.ReadFull(c, make([]byte, 1<<20))
			_, _ = io.WriteString(c, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\nConnection: close\r\n\r\nmuch")
			_ = c.CloseWrite()
			_, _ = io.Copy(io.Discard, c)
		})
		w := newWorldOn(t, goroutines, change, testcell.Options{})
		c := w.dial()
		go func() { // the answer comes while the body is still on its way
			_, _ = io.WriteString(c, uploadHead(1<<30))
			for piece := make([]byte, 1<<20); ; {
				if _, err := c.Write(piece); err != nil {
					return
				}
			}
		}()
		got := w.read(bufio.NewReader(c), "POST")
		if got.StatusCode != 413 || string(got.body) != "much" || !got.Close {
			t.Errorf("%d %q, close %v; want the cell's 413, and the end of the connection", got.StatusCode, got.body, got.Close)
		}
	})
}
