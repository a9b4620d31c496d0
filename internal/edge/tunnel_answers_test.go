package edge_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/topology"
)

// answering is a world whose eu1 gives one raw answer to every request, on
// connections that it keeps and counts. KEY in it is what accepts the request's key.
func answering(t *testing.T, answer string) (w *world, connections *atomic.Int64) {
	t.Helper()
	connections = new(atomic.Int64)
	addr := origin(t, func(c *net.TCPConn, r *bufio.Reader) {
		connections.Add(1)
		for {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			if _, err := io.WriteString(c, strings.ReplaceAll(answer, "KEY", acceptOf(req))); err != nil {
				return
			}
		}
	})
	return newWorld(t, func(top *topology.Topology) { top.Cells[2].Gateways = []string{"http://" + addr} }, testcell.Options{}), connections
}

// A 101 that does not open the WebSocket that was asked for opens nothing.
func TestTunnelsThatAreNotOpenedRight(t *testing.T) {
	const switching = "HTTP/1.1 101 Switching Protocols\r\n"
	for name, answer := range map[string]string{
		"another accept":        switching + "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n",
		"no accept":             switching + "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
		"an accept for nothing": switching + "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: Kfh9QIsMVZcl6xEPYxPHzW8SZ8w=\r\n\r\n",
		"another protocol":      switching + "Connection: Upgrade\r\nUpgrade: h2c\r\nSec-WebSocket-Accept: KEY\r\n\r\n",
		"no protocol":           switching + "Connection: Upgrade\r\nSec-WebSocket-Accept: KEY\r\n\r\n",
		"nothing":               switching + "\r\n",
	} {
		w, _ := answering(t, answer)
		for _, c := range w.ways() {
			s, resp := c.socket(t, "/tunnel")
			if s != nil {
				t.Errorf("%s: %s: opened", name, c.name)
				_ = s.whole()
				continue
			}
			if resp.StatusCode != 502 || resp.Header.Get("Homeward-Error") != "upstream-reset" {
				t.Errorf("%s: %s: %d %v", name, c.name, resp.StatusCode, resp.Header)
			}
		}
	}
}

// A 101 to a request that asked for no WebSocket opens nothing either.
func TestTunnelThatNobodyAskedFor(t *testing.T) {
	w, _ := answering(t, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: KEY\r\n\r\n")
	for _, c := range w.ways() {
		r := c.do(t, c.request(t, "GET", "/x", nil, 0))
		if r.StatusCode != 502 || r.kind() != "upstream-reset" {
			t.Errorf("%s: %d %q", c.name, r.StatusCode, r.kind())
		}
	}
	for _, upgrade := range []string{"h2c", "TLS/1.0", "websocket2"} {
		r := w.raw("GET /x HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + euToken + "\r\nConnection: Upgrade\r\nUpgrade: " + upgrade +
			"\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + socketKey + "\r\n\r\n")
		if r.StatusCode != 502 || r.kind() != "upstream-reset" {
			t.Errorf("upgrade to %s: %d %q", upgrade, r.StatusCode, r.kind())
		}
	}
}

// A cell that refuses a WebSocket says why, and its connection goes on.
func TestTunnelsThatTheCellRefuses(t *testing.T) {
	for _, status := range []int{302, 400, 401, 403, 404, 426, 503} {
		w, connections := answering(t, fmt.Sprintf("HTTP/1.1 %d %s\r\nContent-Length: 3\r\nSec-WebSocket-Version: 13, 8\r\nX-Why: because\r\n\r\nno\n", status, http.StatusText(status)))
		ways := w.ways()
		for i, c := range ways {
			s, resp := c.socket(t, "/tunnel")
			if s != nil {
				t.Fatalf("%d: %s: opened", status, c.name)
			}
			body, err := io.ReadAll(resp.Body)
			if resp.StatusCode != status || string(body) != "no\n" || err != nil || resp.Header.Get("Homeward-Error") != "" {
				t.Errorf("%d: %s: %d %q, %v", status, c.name, resp.StatusCode, body, err)
			}
			if resp.Header.Get("Sec-WebSocket-Version") != "13, 8" || resp.Header.Get("X-Why") != "because" {
				t.Errorf("%d: %s: %v", status, c.name, resp.Header)
			}
			eventually(t, "the request is over", func() bool { return w.seen.count() > i })
		}
		if n := connections.Load(); n != 1 {
			t.Errorf("%d: %d connections for refusals one after the other", status, n)
		}
	}
}

// A cell that answers a request for a WebSocket with a page: a client of HTTP/1.1
// gets the page. Over HTTP/2 a 200 would open the WebSocket (RFC 8441 section 5).
func TestTunnelAnsweredAsAPage(t *testing.T) {
	for _, status := range []int{200, 201, 204, 206} {
		body := "<p>\n"
		if status == 204 {
			body = ""
		}
		w, _ := answering(t, fmt.Sprintf("HTTP/1.1 %d %s\r\nContent-Length: %d\r\n\r\n%s", status, http.StatusText(status), len(body), body))
		for _, c := range w.ways() {
			s, resp := c.socket(t, "/tunnel")
			switch {
			case s != nil:
				t.Errorf("%d: %s: opened", status, c.name)
			case c.name == "http1":
				got, err := io.ReadAll(resp.Body)
				if resp.StatusCode != status || string(got) != body || err != nil {
					t.Errorf("%d: %s: %d %q, %v", status, c.name, resp.StatusCode, got, err)
				}
			case resp.StatusCode != 502 || resp.Header.Get("Homeward-Error") != "upstream-reset":
				t.Errorf("%d: %s: %d %v", status, c.name, resp.StatusCode, resp.Header)
			}
		}
	}
}
