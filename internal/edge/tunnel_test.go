package edge_test

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/homeward/homeward/internal/proxy"
	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/topology"
)

// tunnelEnd is the cell's end of a tunnel.
type tunnelEnd struct {
	io.Reader
	io.Writer
	half  func() // ends the way back, and goes on reading; nil where a script cannot
	reset func() // breaks off
}

// tunnelWorld is a world whose eu1 takes every tunnel and hands it to a script,
// and ends it when the script returns. scheme is http or h2c.
func tunnelWorld(t *testing.T, scheme string, change func(*topology.Topology), script func(tunnelEnd)) *world {
	t.Helper()
	serve := serveTunnels1
	if scheme == "h2c" {
		serve = serveTunnels2
	}
	addr := serve(t, script)
	return newWorld(t, func(top *topology.Topology) {
		top.Cells[2].Gateways = []string{scheme + "://" + addr}
		if change != nil {
			change(top)
		}
	}, testcell.Options{})
}

// serveTunnels1 opens tunnels in HTTP/1.1.
func serveTunnels1(t *testing.T, script func(tunnelEnd)) string {
	return origin(t, func(c *net.TCPConn, r *bufio.Reader) {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		_, _ = io.WriteString(c, acceptedFor(req))
		script(tunnelEnd{Reader: r, Writer: c, half: func() { _ = c.CloseWrite() }, reset: func() { _ = c.SetLinger(0); c.Close() }})
	})
}

// acceptedFor opens a WebSocket for the key of the request (RFC 6455 section
// 4.2.2).
func acceptedFor(req *http.Request) string {
	return "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: " + acceptOf(req) + "\r\n\r\n"
}

func acceptOf(req *http.Request) string {
	sum := sha1.Sum([]byte(req.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// serveTunnels2 opens tunnels in HTTP/2.
func serveTunnels2(t *testing.T, script func(tunnelEnd)) string {
	l := listen(t)
	server := &http.Server{Protocols: new(http.Protocols), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		_ = control.Flush()
		broken := false
		script(tunnelEnd{Reader: r.Body, Writer: flushed{w, control}, reset: func() { broken = true }})
		if broken {
			panic(http.ErrAbortHandler)
		}
	})}
	server.Protocols.SetUnencryptedHTTP2(true)
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { server.Close() })
	return l.Addr().String()
}

type flushed struct {
	io.Writer
	control *http.ResponseController
}

func (f flushed) Write(p []byte) (int, error) {
	n, err := f.Writer.Write(p)
	return n, errors.Join(err, f.control.Flush())
}

// origin serves each of its connections with a script, and closes it behind that.
func origin(t *testing.T, script func(*net.TCPConn, *bufio.Reader)) string {
	t.Helper()
	l := listen(t)
	var running atomic.Int64
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.SetDeadline(time.Now().Add(2 * patience))
			running.Add(1)
			go func() {
				defer running.Add(-1)
				defer c.Close()
				script(c.(*net.TCPConn), bufio.NewReader(c))
			}()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		eventually(t, "the scripts have ended", func() bool { return running.Load() == 0 })
	})
	return l.Addr().String()
}

// eachTunnel runs a test between every client and both kinds of gateways.
func eachTunnel(t *testing.T, change func(*topology.Topology), script func(tunnelEnd), test func(t *testing.T, w *world, c way, s *socket)) {
	t.Helper()
	for _, scheme := range []string{"http", "h2c"} {
		w := tunnelWorld(t, scheme, change, script)
		for _, c := range w.ways() {
			t.Run(c.name+" to "+scheme, func(t *testing.T) {
				w.seen.forget()
				s, resp := c.socket(t, "/tunnel")
				if s == nil {
					t.Fatalf("refused with %d", resp.StatusCode)
				}
				test(t, w, c, s)
			})
		}
	}
}

// recorded waits for the record of the tunnel.
func (w *world) recorded(t *testing.T, by proxy.Abort) {
	t.Helper()
	rec := w.seen.await(t, func(r proxy.Record) bool { return r.Path == "/tunnel" })
	if rec.Type != proxy.WebSocket || rec.Aborted != by {
		t.Errorf("recorded as %q, broken off by %q, want %q", rec.Type, rec.Aborted, by)
	}
}

const farewell = 300_000 // bytes, more than fit into the buffers of a window

// A client that has said all still hears the rest.
func TestTunnelHalfClosedByTheClient(t *testing.T) {
	eachTunnel(t, nil, func(e tunnelEnd) {
		got, err := io.ReadAll(e)
		if err == nil {
			_, _ = e.Write(append(got, content(farewell)...))
		}
	}, func(t *testing.T, w *world, _ way, s *socket) {
		s.write([]byte("ask"))
		if err := s.half(); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(s.rw)
		if err != nil || !bytes.Equal(got, append([]byte("ask"), content(farewell)...)) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		_ = s.whole()
		w.recorded(t, proxy.NotAborted)
	})
}

// A cell that has said all still hears a client of HTTP/1.1. Over HTTP/2 the end
// of the answer ends the stream.
func TestTunnelHalfClosedByTheCell(t *testing.T) {
	heard := make(chan string, 1)
	w := tunnelWorld(t, "http", nil, func(e tunnelEnd) {
		_, _ = io.WriteString(e, "bye")
		e.half()
		got, err := io.ReadAll(e)
		heard <- fmt.Sprintf("%s %v", got, err)
	})
	for _, c := range w.ways() {
		w.seen.forget()
		s, _ := c.socket(t, "/tunnel")
		if got, err := io.ReadAll(s.rw); string(got) != "bye" || err != nil {
			t.Errorf("%s: %q, %v", c.name, got, err)
		}
		want := " <nil>"
		if c.name == "http1" {
			s.write([]byte("wait"))
			_ = s.half()
			want = "wait <nil>"
		}
		if got := <-heard; got != want {
			t.Errorf("%s: the cell heard %q", c.name, got)
		}
		w.recorded(t, proxy.NotAborted)
		_ = s.whole()
	}
}

func TestTunnelBrokenOffByTheClient(t *testing.T) {
	ended := make(chan error, 1)
	eachTunnel(t, nil, func(e tunnelEnd) {
		_, _ = io.WriteString(e, "go")
		_, err := io.Copy(io.Discard, e)
		ended <- err
	}, func(t *testing.T, w *world, _ way, s *socket) {
		_, _ = io.ReadFull(s.rw, make([]byte, 2))
		s.write([]byte("abc"))
		s.reset()
		<-ended
		w.recorded(t, proxy.ClientAborted)
	})
}

// reset breaks the client's end off.
func (s *socket) reset() {
	if rw, ok := s.rw.(readWriter); ok {
		if tcp, ok := rw.Writer.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
	}
	_ = s.whole()
}

func TestTunnelBrokenOffByTheCell(t *testing.T) {
	eachTunnel(t, nil, func(e tunnelEnd) {
		_, _ = io.ReadFull(e, make([]byte, 3))
		e.reset()
	}, func(t *testing.T, w *world, _ way, s *socket) {
		s.write([]byte("abc"))
		if got, err := io.ReadAll(s.rw); err == nil {
			t.Errorf("the client heard %q and a clean end", got)
		}
		w.recorded(t, proxy.UpstreamAborted)
		_ = s.whole()
	})
}

// What a cell sends with its 101, in one write, is the tunnel's.
func TestTunnelThatBeginsWithItsAnswer(t *testing.T) {
	addr := origin(t, func(c *net.TCPConn, r *bufio.Reader) {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		_, _ = c.Write(append([]byte(acceptedFor(req)), content(10000)...))
		_ = c.CloseWrite()
		_, _ = io.Copy(io.Discard, r)
	})
	w := newWorld(t, func(top *topology.Topology) { top.Cells[2].Gateways = []string{"http://" + addr} }, testcell.Options{})
	for _, c := range w.ways() {
		s, resp := c.socket(t, "/tunnel")
		if s == nil {
			t.Fatalf("%s: refused with %d", c.name, resp.StatusCode)
		}
		if got, err := io.ReadAll(s.rw); err != nil || !bytes.Equal(got, content(10000)) {
			t.Errorf("%s: %d bytes, %v", c.name, len(got), err)
		}
		_ = s.whole()
	}
}
