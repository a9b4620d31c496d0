package edge_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/topology"
)

// A lane that has all the connections that it may have refuses what comes, and says
// why; another lane of the same cell does not notice.
func TestLaneWithoutConnections(t *testing.T) {
	w := newWorld(t, func(top *topology.Topology) {
		top.Lanes = []topology.Lane{{Name: "batch", Match: topology.LaneMatch{Headers: []string{"X-Batch"}}}}
		top.Limits.UpstreamConnections, top.Timeouts.PoolWait = 1, topology.Duration(10*time.Millisecond)
	}, testcell.Options{})
	const batch = "GET /slow?ms=60000 HTTP/1.1\r\nHost: localhost\r\nX-Batch: 1\r\n\r\n"
	stuck := w.dial()
	if _, err := io.WriteString(stuck, batch); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the cell has the request", func() bool { return w.cells["na1"].Requests() == 1 })
	r := w.raw(batch)
	if r.StatusCode != 503 || r.kind() != "overloaded" || r.Header.Get("Retry-After") == "" || !strings.Contains(string(r.body), "lane batch") {
		t.Errorf("%d %s: %s", r.StatusCode, r.kind(), r.body)
	}
	if r := w.raw(get); r.StatusCode != 200 {
		t.Errorf("another lane: %d %s", r.StatusCode, r.kind())
	}
	stuck.Close()
	eventually(t, "the lane is free", func() bool {
		return w.raw("GET /x HTTP/1.1\r\nHost: localhost\r\nX-Batch: 1\r\n\r\n").StatusCode == 200
	})
	metrics := w.admin("/metrics")
	for _, line := range []string{
		`homeward_upstream_addresses{cell="na1",gateway="` + w.top.Cells[0].Gateways[0] + `",state="up"} 1`,
		`homeward_upstream_addresses{cell="na1",gateway="` + w.top.Cells[0].Gateways[0] + `",state="down"} 0`,
	} {
		if !strings.Contains(metrics, line) {
			t.Errorf("no metric %s", line)
		}
	}
}

// staleGateway answers the first request on a connection; of the second it
// reads the head, writes what it is told to and ends the connection.
func staleGateway(t *testing.T, last string) (address string, seen *atomic.Int64) {
	l, seen := listen(t), new(atomic.Int64)
	t.Cleanup(func() { l.Close() })
	serve := func(c net.Conn) {
		defer c.Close()
		r := bufio.NewReader(c)
		for n := range 2 {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			seen.Add(1)
			if n > 0 {
				_, _ = io.WriteString(c, last)
				return
			}
			_, _ = io.Copy(io.Discard, req.Body)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serve(c)
		}
	}()
	return "http://" + l.Addr().String(), seen
}

// A request goes out again only if nothing of it was lost: a kept connection ended
// under it, no byte of an answer came, and it may be made twice.
func TestWhatGoesOutAgain(t *testing.T) {
	const head = " /x HTTP/1.1\r\nHost: localhost\r\n"
	for name, c := range map[string]struct {
		request, last string
		status, times int
	}{
		"nothing came":              {"GET" + head + "\r\n", "", 200, 2},
		"nothing came to a DELETE":  {"DELETE" + head + "\r\n", "", 200, 2},
		"nothing came to a POST":    {"POST" + head + "Content-Length: 2\r\n\r\nhi", "", 502, 1},
		"nor to one without body":   {"POST" + head + "Content-Length: 0\r\n\r\n", "", 502, 1},
		"a part of a body has gone": {"PUT" + head + "Content-Length: 5\r\n\r\nhi", "", 502, 1},
		"one byte came":             {"GET" + head + "\r\n", "H", 502, 1},
		"a part of a head came":     {"GET" + head + "\r\n", "HTTP/1.1 200 OK\r\nContent-Len", 502, 1},
		"an interim answer came":    {"GET" + head + "\r\n", "HTTP/1.1 103 Early Hints\r\n\r\n", 103, 1}, // which the client has
		"what came is no HTTP":      {"GET" + head + "\r\n", "hello\r\n\r\n", 502, 1},
		"an unknown method":         {"FETCH" + head + "\r\n", "", 502, 1},
	} {
		t.Run(name, func(t *testing.T) {
			gateway, seen := staleGateway(t, c.last)
			w := newWorld(t, func(top *topology.Topology) { top.Cells[0].Gateways = []string{gateway} }, testcell.Options{})
			if r := w.raw(get); r.StatusCode != 200 {
				t.Fatalf("the first request: %d", r.StatusCode)
			}
			before := seen.Load()
			r := w.raw(c.request)
			if times := seen.Load() - before; r.StatusCode != c.status || times != int64(c.times) {
				t.Errorf("%d after going out %d times, want %d after %d", r.StatusCode, times, c.status, c.times)
			}
		})
	}
}
