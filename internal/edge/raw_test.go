package edge_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/homeward/homeward/internal/proxy"
	"github.com/homeward/homeward/internal/testcell"
)

// patience bounds waiting for what must happen; no test is decided by it.
const patience = time.Minute

// brief is a timeout that passes in a test in which something else must come
// before it: longer than a busy machine keeps a goroutine waiting. Tests that wait
// for it run in parallel.
const brief = 3 * time.Second

// records collects what the edge observed.
type records struct {
	mu   sync.Mutex
	list []proxy.Record
	wake chan struct{}
}

func (r *records) Done(rec *proxy.Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, rec.Clone())
	if r.wake != nil {
		close(r.wake)
		r.wake = nil
	}
}

// forget drops what was observed so far.
func (r *records) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = nil
}

// count is the number of requests that are over.
func (r *records) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.list)
}

// all are the records of the requests that are over.
func (r *records) all() []proxy.Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.list)
}

// await returns the record that ok accepts, once there is one.
func (r *records) await(t *testing.T, ok func(proxy.Record) bool) proxy.Record {
	t.Helper()
	deadline := time.After(patience)
	for {
		r.mu.Lock()
		for _, rec := range r.list {
			if ok(rec) {
				r.mu.Unlock()
				return rec
			}
		}
		if r.wake == nil {
			r.wake = make(chan struct{})
		}
		wake := r.wake
		r.mu.Unlock()
		select {
		case <-wake:
		case <-deadline:
			t.Fatal("the edge did not record the request")
		}
	}
}

// reply is one answer as a raw client sees it.
type reply struct {
	*http.Response
	body   []byte
	err    error           // reading the body
	report testcell.Report // when a cell answered with one
}

// dial opens a raw connection to the edge.
func (w *world) dial() net.Conn {
	w.t.Helper()
	c, err := net.Dial("tcp", w.addr)
	if err != nil {
		w.t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(patience))
	w.t.Cleanup(func() { _ = c.Close() })
	return c
}

// raw sends bytes and reads one answer.
func (w *world) raw(wire string) reply {
	w.t.Helper()
	c := w.dial()
	before := w.seen.count()
	go func() { _, _ = io.WriteString(c, wire) }()
	r := w.read(bufio.NewReader(c), strings.SplitN(wire, " ", 2)[0])
	// The answer comes before the connection to the cell is back in its pool.
	eventually(w.t, "the request is over", func() bool { return w.seen.count() > before })
	return r
}

// read reads one answer to a request with this method.
func (w *world) read(r *bufio.Reader, method string) reply {
	w.t.Helper()
	resp, err := http.ReadResponse(r, &http.Request{Method: method})
	if err != nil {
		w.t.Fatalf("read the answer: %v", err)
	}
	out := reply{Response: resp}
	out.body, out.err = io.ReadAll(resp.Body)
	_ = json.Unmarshal(out.body, &out.report)
	return out
}

// kind is the kind of the edge's own answer.
func (r reply) kind() string { return r.Header.Get("Homeward-Error") }
