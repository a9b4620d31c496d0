package edge_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/homeward/homeward/internal/proxy"
	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/topology"
)

// A client that ends its side after its request still gets the answer, if it comes
// before the client counts as gone.
func TestHalfClosedClients(t *testing.T) {
	for _, c := range []struct {
		patience time.Duration
		delay    string
		answered bool
	}{{time.Hour, "300", true}, {time.Millisecond, "3600000", false}} {
		w := newWorld(t, func(top *topology.Topology) { top.Timeouts.HalfClosed = topology.Duration(c.patience) }, testcell.Options{})
		nc := w.dial()
		fmt.Fprintf(nc, "GET /slow?ms=%s HTTP/1.1\r\nHost: localhost\r\n\r\n", c.delay)
		if err := nc.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(nc), nil)
		if answered := err == nil && resp.StatusCode == 200; answered != c.answered {
			t.Errorf("half closed for %v: answered %v, %v", c.patience, answered, err)
		}
		rec := w.seen.await(t, func(r proxy.Record) bool { return r.Path == "/slow" })
		if gone := rec.Aborted == proxy.ClientAborted; gone == c.answered {
			t.Errorf("half closed for %v: recorded as broken off by %q", c.patience, rec.Aborted)
		}
	}
}

// A client that resets its connection has gone: nobody waits for the answer, whatever
// the client sent before it went.
func TestClientsThatReset(t *testing.T) {
	for name, behind := range map[string]string{"nothing behind": "", "a request behind": get, "requests behind": strings.Repeat(get, 100)} {
		w := newWorld(t, func(top *topology.Topology) { top.Timeouts.HalfClosed = topology.Duration(time.Hour) }, testcell.Options{})
		nc := w.dial()
		_, _ = io.WriteString(nc, "GET /slow?ms=3600000 HTTP/1.1\r\nHost: localhost\r\n\r\n"+behind)
		for w.cells["na1"].Requests() == 0 { // until it has arrived
			time.Sleep(time.Millisecond)
		}
		_ = nc.(*net.TCPConn).SetLinger(0)
		_ = nc.Close()
		if rec := w.seen.await(t, func(r proxy.Record) bool { return r.Path == "/slow" }); rec.Aborted != proxy.ClientAborted {
			t.Errorf("%s: recorded as broken off by %q", name, rec.Aborted)
		}
	}
}

// A gateway that takes the request and is then never heard of again does not hold
// the client for longer than the topology says.
func TestHalfOpenGateways(t *testing.T) {
	silent := listen(t)
	defer silent.Close()
	go func() {
		for {
			c, err := silent.Accept()
			if err != nil {
				return
			}
			defer c.Close()
		}
	}()
	w := newWorld(t, func(top *topology.Topology) {
		top.Cells[0].Gateways, top.Cells[0].GRPCGateways = []string{"http://" + silent.Addr().String()}, nil
		top.Timeouts.ResponseHeader = topology.Duration(50 * time.Millisecond)
	}, testcell.Options{})
	for _, c := range w.clients() {
		req, _ := http.NewRequest("GET", c.base+"/", nil)
		req.Host = "localhost"
		if r := c.do(t, req); r.StatusCode != 504 || r.Header.Get("Homeward-Error") != "upstream-timeout" {
			t.Errorf("%s: %d %s", c.name, r.StatusCode, r.body)
		}
	}
}

// What a cell makes of ranges and encodings is between it and the client.
func TestRangesAndEncodingsPass(t *testing.T) {
	content := bytes.Repeat([]byte{0x1f, 0x8b, 0, 0xff, '\r', '\n'}, 1000)
	origin := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip, homeward-test")
		w.Header().Set("Accept-Ranges", "bytes")
		if got := r.Header.Get("Accept-Encoding") + "|" + r.Header.Get("Content-Encoding"); got != "br;q=0.5, gzip|zstd" {
			w.Header().Set("Wrong", got)
		}
		http.ServeContent(w, r, "", time.Unix(1e9, 0), bytes.NewReader(content))
	})}
	l := listen(t)
	go func() { _ = origin.Serve(l) }()
	defer origin.Close()
	w := newWorld(t, func(top *topology.Topology) {
		top.Cells[0].Gateways, top.Cells[0].GRPCGateways = []string{"http://" + l.Addr().String()}, nil
	}, testcell.Options{})
	for _, c := range w.ways() {
		for _, tc := range []struct {
			name, value, wantRange string
			status                 int
			want                   []byte
		}{
			{"Range", "bytes=2-11", "bytes 2-11/6000", 206, content[2:12]},
			{"Range", "bytes=-5", "bytes 5995-5999/6000", 206, content[5995:]},
			{"Range", "bytes=7000-", "bytes */6000", 416, nil},
			{"If-Modified-Since", time.Unix(2e9, 0).UTC().Format(http.TimeFormat), "", 304, nil},
			{"If-Range", "\"x\"", "", 200, content},
		} {
			req := c.request(t, "GET", "/", nil, 0)
			req.Header = http.Header{tc.name: {tc.value}, "Accept-Encoding": {"br;q=0.5, gzip"}, "Content-Encoding": {"zstd"}}
			r := c.do(t, req)
			if r.StatusCode != tc.status || r.Header.Get("Content-Range") != tc.wantRange || tc.want != nil && !bytes.Equal(r.body, tc.want) {
				t.Errorf("%s: %s: %s: %d, %q, %d bytes", c.name, tc.name, tc.value, r.StatusCode, r.Header.Get("Content-Range"), len(r.body))
			}
			if wrong := r.Header.Get("Wrong"); wrong != "" {
				t.Errorf("%s: the cell got %s", c.name, wrong)
			}
			if got := r.Header.Get("Content-Encoding"); got != "gzip, homeward-test" && r.StatusCode < 300 {
				t.Errorf("%s: Content-Encoding %q", c.name, got)
			}
		}
		req := c.request(t, "GET", "/", nil, 0)
		req.Header = http.Header{"Range": {"bytes=0-1,4-5"}, "Accept-Encoding": {"br;q=0.5, gzip"}, "Content-Encoding": {"zstd"}}
		if r := c.do(t, req); r.StatusCode != 206 || !strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/byteranges; boundary=") {
			t.Errorf("%s: two ranges: %d %v", c.name, r.StatusCode, r.Header)
		}
	}
}
