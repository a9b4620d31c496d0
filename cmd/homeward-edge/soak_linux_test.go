package main

import (
	"bufio"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/homeward/homeward/internal/testcell"
)

var soakTime = flag.Duration("soak.time", 2*time.Second, "how long requests are made while growth is looked for, after a quarter of it to warm up")

// soakers is how many clients make requests, one at a time each.
const soakers = 8

// What an edge may hold more at rest after the whole soak than after its warm-up,
// however long the soak is.
const (
	moreMemory      = raceFactor * 12 << 20 // bytes; the garbage collector's leeway
	moreHeap        = raceFactor * 1 << 20  // bytes in use
	moreGoroutines  = 10                    // workers and idle connections to the cell
	moreDescriptors = 2 * soakers           // idle connections to the cell
)

// Requests of all kinds, whole and broken ones, leave nothing behind: the edge at
// rest after them holds what it held after the first of them.
func TestSoak(t *testing.T) {
	failing := cell(t, "na2", testcell.Options{Fault: faultByPath})
	e := startEdge(t, "http://"+cell(t, "na1", testcell.Options{}),
		"- {name: na2, region: here, jurisdiction: us, hosts: ["+failingHost+"], gateways: [\"http://"+failing+"\"]}")
	warm := e.soak(t, *soakTime/4)
	before := e.rest(t, func(u use) bool { return u.clients == 0 })
	t.Logf("after %d requests: %+v", warm, before)
	made := e.soak(t, *soakTime)
	var after use
	defer func() { t.Logf("after %d more: %+v", made, after) }()
	after = e.rest(t, func(u use) bool {
		after = u
		return u.clients == 0 && u.memory <= before.memory+moreMemory && u.heap <= before.heap+moreHeap &&
			u.goroutines <= before.goroutines+moreGoroutines && u.descriptors <= before.descriptors+moreDescriptors
	})
}

// rest waits for an edge to come to rest.
func (e *edgeProcess) rest(t *testing.T, ok func(use) bool) (u use) {
	t.Helper()
	eventually(t, "the edge is at rest and holds no more than before", func() bool {
		u = e.use(t)
		return ok(u)
	})
	return u
}

// failingHost is that of a cell that fails so often that the edge at times asks it
// for nothing.
const failingHost = "na2.homeward.test"

// faultByPath has the cell fail where a client asks for it.
func faultByPath(r *testcell.Request) testcell.Fault {
	switch r.Head.Target {
	case "/reset":
		return testcell.Reset
	case "/break":
		return testcell.ResetAfterHead
	case "/garbage":
		return testcell.Garbage
	case "/after":
		return testcell.CloseAfter
	}
	return testcell.NoFault
}

// soak makes requests for some time, and tells how many.
func (e *edgeProcess) soak(t *testing.T, long time.Duration) int64 {
	t.Helper()
	var made atomic.Int64
	var all sync.WaitGroup
	end := time.Now().Add(long)
	for range soakers {
		all.Go(func() {
			s := newSoaker(e)
			defer s.close()
			for i := 0; i == 0 || time.Now().Before(end); i++ {
				n, err := s.round()
				made.Add(int64(n))
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	return made.Load()
}

// soaker is one client, of all protocols.
type soaker struct {
	edge          *edgeProcess
	plain, h1, h2 *http.Client
}

func newSoaker(e *edgeProcess) *soaker {
	client := func(http2 bool) *http.Client {
		p := new(http.Protocols)
		p.SetHTTP1(!http2)
		p.SetHTTP2(http2)
		return &http.Client{Timeout: patience, Transport: &http.Transport{
			Protocols: p, DisableCompression: true, TLSClientConfig: &tls.Config{RootCAs: e.roots, ServerName: "localhost"},
		}}
	}
	return &soaker{e, client(false), client(false), client(true)}
}

func (s *soaker) close() {
	for _, c := range []*http.Client{s.plain, s.h1, s.h2} {
		c.CloseIdleConnections()
	}
}

// round makes requests of each kind, and tells how many.
func (s *soaker) round() (made int, err error) {
	for _, c := range []struct {
		client *http.Client
		base   string
	}{{s.plain, "http://" + s.edge.plain}, {s.h1, "https://" + s.edge.secure}, {s.h2, "https://" + s.edge.secure}} {
		n, err := exchanges(c.client, c.base)
		if made += n; err != nil {
			return made, err
		}
	}
	for _, f := range []func(string) (int, error){pipelined, leaves, leavesHalfway, oneRequest} {
		n, err := f(s.edge.plain)
		if made += n; err != nil {
			return made, err
		}
	}
	s.h1.CloseIdleConnections() // the next round shakes hands again
	return made, nil
}

// exchanges are requests of a client of the library.
func exchanges(c *http.Client, base string) (made int, err error) {
	for _, r := range []struct {
		method, path string
		body         int64 // of the request; negative without a declared length
		answer       int64 // least bytes of it
	}{
		{"GET", "/x", 0, 1},
		{"GET", "/bytes/65536", 0, 65536},
		{"POST", "/x", 16 << 10, 1},
		{"POST", "/x", -16 << 10, 1},
		{"GET", "/x", 0, 1},
		{"GET", "/bytes/1048576", 0, 1 << 20},
	} {
		resp, n, err := ask(c, r.method, base+r.path, "", r.body)
		if err != nil || resp.StatusCode != http.StatusOK || n < r.answer {
			return made, fmt.Errorf("%s %s%s: %v, %d bytes, %w", r.method, base, r.path, resp, n, err)
		}
		made++
	}
	for _, path := range []string{"/reset", "/garbage", "/break", "/after"} {
		resp, _, err := ask(c, "GET", base+path, failingHost, 0)
		if whole := err == nil; resp == nil || whole != (path == "/after" || resp.StatusCode >= 500) {
			return made, fmt.Errorf("GET %s%s: %v, %w", base, path, resp, err)
		}
		made++
	}
	return made, nil
}

// ask makes one request and reads the answer. resp is nil if there is none; err may
// be one of its body.
func ask(c *http.Client, method, url, host string, size int64) (resp *http.Response, n int64, err error) {
	var body io.Reader
	if size != 0 {
		body = io.LimitReader(zeros{}, max(size, -size))
	}
	req, err := http.NewRequest(method, url, body) //nolint:noctx // the client has a timeout
	if err != nil {
		return nil, 0, err
	}
	req.Host, req.ContentLength = host, max(size, -1)
	if resp, err = c.Do(req); err != nil {
		return nil, 0, err
	}
	defer resp.Body.Close()
	n, err = io.Copy(io.Discard, resp.Body)
	return resp, n, err
}

const small = "GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n"

// pipelined makes requests before their answers are there.
func pipelined(edge string) (made int, err error) {
	c, err := net.DialTimeout("tcp", edge, patience)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	const many = 5
	if _, err := io.WriteString(c, strings.Repeat(small, many)); err != nil {
		return 0, err
	}
	for r := bufio.NewReader(c); made < many; made++ {
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			return made, err
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
			return made, errors.Join(err, errors.New("pipelined: "+resp.Status))
		}
	}
	return made, nil
}

// oneRequest makes one on a connection of its own.
func oneRequest(edge string) (made int, err error) {
	return 1, send(edge, strings.Replace(small, "\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1), 1<<20)
}

// leaves asks for much and goes when it begins to come.
func leaves(edge string) (made int, err error) {
	return 1, send(edge, strings.Replace(small, "/x", "/bytes/104857600", 1), 1000)
}

// leavesHalfway goes in the midst of a head, of a body, and of waiting.
func leavesHalfway(edge string) (made int, err error) {
	for _, part := range []string{
		small[:20],
		"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\nab",
		"POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
		strings.Replace(small, "/x", "/slow?ms=60000", 1),
	} {
		if err := send(edge, part, 0); err != nil {
			return made, err
		}
		made++
	}
	return made, nil
}

// send writes to a connection of its own, reads up to so much, and resets it.
func send(edge, text string, most int64) error {
	c, err := net.DialTimeout("tcp", edge, patience)
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.(*net.TCPConn).SetLinger(0)
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(c, text); err != nil {
		return err
	}
	_, err = io.CopyN(io.Discard, c, most)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return err
}
