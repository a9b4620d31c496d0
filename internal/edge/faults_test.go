package edge_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/homeward/homeward/internal/proxy"
	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/topology"
)

// always is a cell that fails each request in one way.
func always(f testcell.Fault) testcell.Options {
	return testcell.Options{Fault: func(*testcell.Request) testcell.Fault { return f }}
}

const get = "GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n"

func TestCellThatFailsBeforeItsAnswer(t *testing.T) {
	for _, c := range []struct {
		name   string
		fault  testcell.Fault
		status int
		kind   string
	}{
		{"reset", testcell.Reset, 502, "upstream-reset"},
		{"hang up", testcell.HangUp, 502, "upstream-reset"},
		{"garbage", testcell.Garbage, 502, "upstream-reset"},
		{"silence", testcell.Silence, 504, "upstream-timeout"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, func(top *topology.Topology) {
				if c.fault == testcell.Silence {
					top.Timeouts.ResponseHeader = topology.Duration(200 * time.Millisecond)
				}
			}, always(c.fault))
			for _, client := range w.clients() {
				req, _ := http.NewRequest("POST", client.base+"/x", strings.NewReader("body"))
				req.Host = "localhost"
				if r := client.do(t, req); r.StatusCode != c.status || r.kind() != c.kind {
					t.Errorf("%s: %d %q, want %d %q\n%s", client.name, r.StatusCode, r.kind(), c.status, c.kind, r.body)
				}
			}
			// A cell may read what it stays silent about after the edge has given up.
			eventually(t, "4 requests have reached the cell", func() bool { return w.cells["na1"].Requests() >= 4 })
			if n := w.cells["na1"].Requests(); n != 4 {
				t.Errorf("4 requests reached the cell %d times", n)
			}
		})
	}
}

// An answer that breaks off must never look whole to the client.
func TestCellThatFailsInItsAnswer(t *testing.T) {
	for _, fault := range []testcell.Fault{testcell.ResetAfterHead, testcell.HangUpAfterHead} {
		w := newWorld(t, nil, always(fault))
		for _, client := range w.clients() {
			req, _ := http.NewRequest("GET", client.base+"/x", nil)
			req.Host = "localhost"
			resp, err := client.http.Do(req)
			if err != nil {
				continue // a reset may overtake the head: broken all the same
			}
			if _, err = io.Copy(io.Discard, resp.Body); err == nil {
				t.Errorf("%s: the client took a part for the whole", client.name)
			}
			resp.Body.Close()
		}
		rec := w.seen.await(t, func(r proxy.Record) bool { return r.Aborted == proxy.UpstreamAborted })
		if rec.Status != 200 || rec.Kind != proxy.UpstreamReset {
			t.Errorf("recorded %+v", rec)
		}
	}
}

func TestCellThatIsDown(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{})
	w.cells["eu1"].Close()
	r := w.raw("GET /x HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + euToken + "\r\n\r\n")
	if r.StatusCode != 503 || r.kind() != "cell-unavailable" || r.Header.Get("Retry-After") == "" {
		t.Errorf("%d %q %v", r.StatusCode, r.kind(), r.Header)
	}
	if r := w.raw(get); r.StatusCode != 200 {
		t.Errorf("the other cells answer %d", r.StatusCode)
	}
}

// A connection that the cell closes while it is idle costs no request.
func TestKeptConnectionsThatGoStale(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{})
	for range 5 {
		if r := w.raw(get); r.StatusCode != 200 {
			t.Fatalf("GET: %d", r.StatusCode)
		}
		w.cells["na1"].Drop()
		if r := w.raw("POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi"); r.StatusCode != 200 || r.report.BodyBytes != 2 {
			t.Fatalf("POST: %d %s", r.StatusCode, r.body)
		}
		w.cells["na1"].Drop()
	}
}

// A kept connection that dies with the request in flight is retried for
// requests that may be made twice, and for no other.
func TestRetryOnlyWhatIsSafe(t *testing.T) {
	var failing atomic.Bool
	w := newWorld(t, nil, testcell.Options{Fault: func(r *testcell.Request) testcell.Fault {
		if failing.Load() && r.Number > 1 {
			return testcell.HangUp
		}
		return testcell.NoFault
	}})
	failing.Store(true)
	for _, c := range []struct {
		request string
		status  int
	}{
		{get, 200},
		{"DELETE /x HTTP/1.1\r\nHost: localhost\r\n\r\n", 200},
		{"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi", 502},
		{"POST /x HTTP/1.1\r\nHost: localhost\r\n\r\n", 502},
	} {
		w.raw(get) // leaves a connection on which the next request fails
		before := w.cells["na1"].Requests()
		r := w.raw(c.request)
		tries := w.cells["na1"].Requests() - before
		if r.StatusCode != c.status || c.status == 502 && tries != 1 {
			t.Errorf("%.12q: %d after %d tries, want %d", c.request, r.StatusCode, tries, c.status)
		}
	}
}

func TestClientThatLeavesFreesTheCell(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{})
	for _, request := range []string{
		"GET /slow?ms=60000 HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"POST /slow?ms=60000 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi",
		"GET /sse?n=1000&ms=1000 HTTP/1.1\r\nHost: localhost\r\n\r\n",
	} {
		before := w.cells["na1"].Requests()
		c := w.dial()
		if _, err := io.WriteString(c, request); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the cell has the request", func() bool { return w.cells["na1"].Requests() > before })
		c.Close()
		eventually(t, "the cell is free", func() bool { return w.cells["na1"].Open() == 0 })
	}
	w.seen.await(t, func(r proxy.Record) bool { return r.Aborted == proxy.ClientAborted })
}

// eventually waits for a state that another process brings about.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

func TestSlowClients(t *testing.T) {
	w := newWorld(t, func(top *topology.Topology) {
		top.Timeouts.Header = topology.Duration(150 * time.Millisecond)
		top.Timeouts.Body = topology.Duration(150 * time.Millisecond)
	}, testcell.Options{})
	for name, wire := range map[string]string{
		"head":           "GET / HTTP/1.1\r\nHost: loc",
		"body":           "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nab",
		"chunked body":   "POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
		"looked-at body": "POST /oauth/v1/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 5\r\n\r\nab",
	} {
		if r := w.raw(wire); r.StatusCode != 408 || r.kind() != "request-timeout" {
			t.Errorf("%s: %d %q", name, r.StatusCode, r.kind())
		}
	}
}

// A connection on which nothing comes ends, from its start on and after a request.
func TestIdleClients(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(top *topology.Topology) {
		top.Timeouts.Header = topology.Duration(brief)
		top.Timeouts.Idle = topology.Duration(brief)
	}, testcell.Options{})
	silent, after := w.dial(), w.dial()
	_, _ = io.WriteString(after, get)
	r := bufio.NewReader(after)
	if got := w.read(r, "GET"); got.StatusCode != 200 {
		t.Errorf("the request: %d", got.StatusCode)
	}
	for name, r := range map[string]io.Reader{"silent from the start": silent, "after a request": r} {
		if _, err := r.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("%s: %v, want the end", name, err)
		}
	}
}

// The time that a cell has to take a piece begins with the piece, not with the
// one before it.
func TestUploadThatPauses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(top *topology.Topology) { top.Timeouts.Write = topology.Duration(brief) }, testcell.Options{})
	c := w.dial()
	_, _ = io.WriteString(c, "POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n")
	time.Sleep(2 * brief) // what is tested is that this pause does no harm
	_, _ = io.WriteString(c, "0\r\n\r\n")
	if r := w.read(bufio.NewReader(c), "POST"); r.StatusCode != 200 || r.report.BodyBytes != 2 {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
}

// A client that does not take its answer does not hold the cell for ever.
func TestClientThatDoesNotRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(top *topology.Topology) { top.Timeouts.Write = topology.Duration(brief) }, testcell.Options{})
	c := w.dial()
	_ = c.(*net.TCPConn).SetReadBuffer(4 << 10)
	_, _ = io.WriteString(c, "GET /bytes/1000000000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
	rec := w.seen.await(t, func(r proxy.Record) bool { return r.Method == "GET" })
	if rec.Aborted != proxy.ClientAborted {
		t.Errorf("recorded %+v", rec)
	}
	eventually(t, "the cell is free", func() bool { return w.cells["na1"].Open() == 0 })
}

// Neither side's early end of an upload hurts the process or leaves a
// connection behind.
func TestUploadsThatEndEarly(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{})
	c := w.dial()
	_, _ = io.WriteString(c, "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nabc")
	eventually(t, "the cell has the request", func() bool { return w.cells["na1"].Requests() == 1 })
	_ = c.(*net.TCPConn).SetLinger(0)
	c.Close()
	rec := w.seen.await(t, func(r proxy.Record) bool { return r.Method == "POST" })
	if rec.Aborted != proxy.ClientAborted || rec.BytesIn != 3 {
		t.Errorf("recorded %+v", rec)
	}
	eventually(t, "the cell is free", func() bool { return w.cells["na1"].Open() == 0 })
}
