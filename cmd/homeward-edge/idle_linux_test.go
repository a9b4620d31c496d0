package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/homeward/homeward/internal/testcell"
)

// held is how many connections are held open at once.
const held = 2000

// cost is what one connection may take, in bytes: of the process, the garbage that
// it left included, and of the heap in use.
type cost struct{ resident, heap int64 }

// A slow one has its buffer of 4 KiB, an idle one has none.
func mostPlain() cost { return cost{raceFactor * 8 << 10, 1 << 10} }
func mostTLS() cost   { return cost{raceFactor * 40 << 10, 12 << 10} }
func mostSlow() cost  { return cost{raceFactor * (8 + 4) << 10, 8 << 10} }

// Connections that wait for their next request cost next to nothing: no buffer, and
// no goroutine.
func TestMemoryOfIdleConnections(t *testing.T) {
	for _, test := range []struct {
		name   string
		secure bool
		most   cost
	}{{"plain", false, mostPlain()}, {"TLS", true, mostTLS()}} {
		t.Run(test.name, func(t *testing.T) {
			e := startEdge(t, "http://"+cell(t, "na1", testcell.Options{}), waitLong)
			open := func() net.Conn {
				c := e.dial(t, test.secure)
				complete(t, c, small)
				return c
			}
			before := e.warmed(t, open)
			conns := make([]net.Conn, held)
			for i := range conns {
				conns[i] = open()
			}
			after := e.rest(t, func(u use) bool { return u.clients == held && u.goroutines <= before.goroutines+moreGoroutines })
			perConnection(t, before, after, test.most)
			for _, c := range conns {
				complete(t, c, small)
			}
		})
	}
}

// Clients that send a part of a head and then nothing cost the memory of what they
// sent, and one goroutine each, until their time is over.
func TestMemoryOfSlowConnections(t *testing.T) {
	e := startEdge(t, "http://"+cell(t, "na1", testcell.Options{}), waitLong)
	part := small[:len(small)-10]
	open := func() net.Conn {
		c := e.dial(t, false)
		if _, err := io.WriteString(c, part); err != nil {
			t.Fatal(err)
		}
		return c
	}
	before := e.warmed(t, open)
	conns := make([]net.Conn, held)
	for i := range conns {
		conns[i] = open()
	}
	eventually(t, "all that was sent has been read", func() bool { return e.unread(t) == 0 })
	after := e.rest(t, func(u use) bool { return u.clients == held && u.goroutines <= before.goroutines+held+moreGoroutines })
	perConnection(t, before, after, mostSlow())
	for _, c := range conns {
		complete(t, c, small[len(part):])
	}
}

// waitLong has nothing end while it is measured.
const waitLong = "timeouts: {header: 10m, idle: 10m}"

// warmed is what the edge holds at rest after some connections have come and gone.
func (e *edgeProcess) warmed(t *testing.T, open func() net.Conn) use {
	t.Helper()
	for range held / 20 {
		_ = open().Close()
	}
	return e.rest(t, func(u use) bool { return u.clients == 0 })
}

func perConnection(t *testing.T, before, after use, most cost) {
	t.Helper()
	each := cost{(after.memory - before.memory) / held, (after.heap - before.heap) / held}
	t.Logf("each: %d bytes resident, %d in the heap; %d goroutines and %d descriptors more for %d connections",
		each.resident, each.heap, after.goroutines-before.goroutines, after.descriptors-before.descriptors, held)
	if each.resident > most.resident || each.heap > most.heap {
		t.Errorf("a connection takes %+v bytes, more than %+v", each, most)
	}
}

// dial connects to the edge.
func (e *edgeProcess) dial(t *testing.T, secure bool) net.Conn {
	t.Helper()
	if !secure {
		return dial(t, e.plain)
	}
	c := tls.Client(dial(t, e.secure), &tls.Config{RootCAs: e.roots, ServerName: "localhost", MinVersion: tls.VersionTLS13})
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	return c
}

// complete sends the rest of a request and reads the answer.
func complete(t *testing.T, c net.Conn, rest string) {
	t.Helper()
	if _, err := io.WriteString(c, rest); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReaderSize(c, 1<<10), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status, err)
	}
}

// unread is how many bytes wait at the edge's plain port that it has not read
// (proc_net_tcp in the documentation of Linux).
func (e *edgeProcess) unread(t *testing.T) (sum int) {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/tcp", e.pid))
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(e.plain)
	number, _ := strconv.Atoi(port)
	local := ":" + strings.ToUpper(hex.EncodeToString([]byte{byte(number >> 8), byte(number)}))
	for line := range bytes.Lines(b) {
		fields := strings.Fields(string(line))
		if len(fields) < 5 || !strings.HasSuffix(fields[1], local) || fields[3] != "01" {
			continue
		}
		_, queue, _ := strings.Cut(fields[4], ":")
		n, err := strconv.ParseInt(queue, 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += int(n)
	}
	return sum
}
