package edge_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/topology"
)

// gatewayOf is a gateway that does with each connection what serve does; they are
// numbered from 1.
func gatewayOf(t *testing.T, serve func(n int, c *net.TCPConn)) func(*topology.Topology) {
	t.Helper()
	l := listen(t)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for n := 1; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(n, c.(*net.TCPConn))
			}()
		}
	}()
	return func(top *topology.Topology) {
		for i := range top.Cells {
			top.Cells[i].Gateways = []string{"http://" + l.Addr().String()}
		}
	}
}

// A cell that has begun to answer, if only with a line, has taken the request: it
// goes to nobody else, though its method may be repeated and the connection was a
// kept one.
func TestNoRetryOnceAnAnswerHasBegun(t *testing.T) {
	onBothPaths(t, func(t *testing.T, goroutines bool) {
		for _, began := range []string{"H", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nX-Began: yes\r\n", "HTTP/1.1 200 OK\r\nX-Began: " + strings.Repeat("y", 5000) + "\r\n"} {
			var deletes atomic.Int32
			change := gatewayOf(t, func(_ int, c *net.TCPConn) {
				for r := bufio.NewReader(c); ; {
					req, err := http.ReadRequest(r)
					if err != nil {
						return
					}
					if req.Method == "DELETE" {
						deletes.Add(1)
						_, _ = io.WriteString(c, began)
						_ = c.SetLinger(0) // a reset, behind what was written
						return
					}
					_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
				}
			})
			w := newWorldOn(t, goroutines, change, testcell.Options{})
			w.raw(get) // leaves a connection
			if r := w.raw("DELETE /x HTTP/1.1\r\nHost: localhost\r\n\r\n"); r.StatusCode < 500 {
				t.Errorf("%.30q, and then nothing: %d %s", began, r.StatusCode, r.body)
			}
			if n := deletes.Load(); n != 1 {
				t.Errorf("%.30q: the gateway got %d requests, want 1", began, n)
			}
		}
	})
}

// An edge that gives up what is left ends an upload of which the cell takes nothing.
func TestShutdownWhileACellTakesNothing(t *testing.T) {
	onBothPaths(t, func(t *testing.T, goroutines bool) {
		stuck := make(chan struct{})
		defer close(stuck)
		change := gatewayOf(t, func(int, *net.TCPConn) { <-stuck })
		w := newWorldOn(t, goroutines, func(top *topology.Topology) {
			change(top)
			top.Timeouts.Write, top.Timeouts.ResponseHeader = topology.Duration(time.Hour), topology.Duration(time.Hour)
		}, testcell.Options{})
		c := w.dial()
		_, _ = io.WriteString(c, uploadHead(1<<30))
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			for piece := make([]byte, 1<<20); ; {
				if _, err := c.Write(piece); err != nil {
					return
				}
			}
		}()
		eventually(t, "the upload is under way", func() bool { return strings.Contains(w.metrics(), `homeward_requests_open{type="short"} 1`) })
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = w.edge.Shutdown(ctx, 0)
		}()
		select {
		case <-ended:
		case <-time.After(patience):
			t.Error("the edge waits for the cell")
		}
		_ = c.Close()
		<-sent
	})
}

// A cell that takes nothing of a body for as long as it may, and has not answered,
// is given up: not only after the time that it has to answer a whole request.
func TestACellThatTakesNothingIsGivenUp(t *testing.T) {
	onBothPaths(t, func(t *testing.T, goroutines bool) {
		t.Parallel()
		stuck := make(chan struct{})
		defer close(stuck)
		change := gatewayOf(t, func(int, *net.TCPConn) { <-stuck })
		w := newWorldOn(t, goroutines, func(top *topology.Topology) {
			change(top)
			top.Timeouts.Write, top.Timeouts.ResponseHeader = topology.Duration(100*time.Millisecond), topology.Duration(time.Hour)
		}, testcell.Options{})
		c := w.dial()
		_, _ = io.WriteString(c, uploadHead(1<<30))
		go func() {
			for piece := make([]byte, 1<<20); ; {
				if _, err := c.Write(piece); err != nil {
					return
				}
			}
		}()
		if r := w.read(bufio.NewReader(c), "POST"); r.StatusCode != 504 || r.kind() != "upstream-timeout" {
			t.Errorf("%d %s, want 504", r.StatusCode, r.body)
		}
	})
}

// An answer that the edge ends the connection with, as it came before the body was
// at hand, arrives whole, though the client has sent its next request already.
func TestAnswersThatEndTheConnectionArriveWhole(t *testing.T) {
	onBothPaths(t, func(t *testing.T, goroutines bool) {
		const answer, upload = 2_000_000, 1_500_000
		change := gatewayOf(t, func(_ int, c *net.TCPConn) {
			whole := append([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n"), make([]byte, answer)...)
			for r := bufio.NewReader(c); ; {
				req, err := http.ReadRequest(r)
				if err != nil {
					return
				}
				var answered sync.WaitGroup
				answered.Go(func() { _, _ = c.Write(whole) }) // while the body is on its way
				_, _ = io.Copy(io.Discard, req.Body)
				answered.Wait()
			}
		})
		w := newWorldOn(t, goroutines, change, testcell.Options{})
		stream := append([]byte(uploadHead(upload)), make([]byte, upload)...)
		stream = append(stream, get...)
		var clients sync.WaitGroup
		for range 40 {
			clients.Go(func() {
				c := w.dial()
				defer c.Close()
				_, _ = c.Write(stream[:len(stream)/2])
				resp, err := http.ReadResponse(bufio.NewReader(c), nil)
				if err != nil || !resp.Close {
					t.Errorf("the answer came before the end of the body: %+v, %v", resp, err)
					return
				}
				go func() { _, _ = c.Write(stream[len(stream)/2:]) }()
				if n, err := io.Copy(io.Discard, resp.Body); n != answer || err != nil {
					t.Errorf("%d bytes of the answer came: %v", n, err)
				}
			})
		}
		clients.Wait()
	})
}
