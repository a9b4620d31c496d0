package edge_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/homeward/homeward/conformance"
	"github.com/homeward/homeward/internal/edge"
	"github.com/homeward/homeward/internal/proxy/http1"
	"github.com/homeward/homeward/topology"
)

// duplex is a connection in memory of which each side can end on its own.
type duplex struct{ in, out net.Conn }

// newDuplex returns both ends.
func newDuplex() (client, server *duplex) {
	a, b := net.Pipe()
	c, d := net.Pipe()
	return &duplex{in: c, out: a}, &duplex{in: b, out: d}
}

func (d *duplex) Read(p []byte) (int, error)  { return d.in.Read(p) }
func (d *duplex) Write(p []byte) (int, error) { return d.out.Write(p) }
func (d *duplex) CloseWrite() error           { return d.out.Close() }

func (d *duplex) Close() error {
	_ = d.in.Close()
	return d.out.Close()
}

func (d *duplex) LocalAddr() net.Addr                { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }
func (d *duplex) RemoteAddr() net.Addr               { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080} }
func (d *duplex) SetReadDeadline(t time.Time) error  { return d.in.SetReadDeadline(t) }
func (d *duplex) SetWriteDeadline(t time.Time) error { return d.out.SetWriteDeadline(t) }

func (d *duplex) SetDeadline(t time.Time) error {
	_ = d.in.SetReadDeadline(t)
	return d.out.SetWriteDeadline(t)
}

// dialled is a listener to connections in memory.
type dialled struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (l *dialled) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *dialled) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *dialled) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

func (l *dialled) dial() *duplex {
	client, server := newDuplex()
	l.conns <- server
	return client
}

// notingOrigin is a cell that notes each request that it read whole, and answers
// with how many those are. To /raw it answers with raw, and ends the connection
// if hangUp says so.
type notingOrigin struct {
	mu     sync.Mutex
	got    []conformance.Request
	count  int
	raw    string
	hangUp bool
}

func (o *notingOrigin) serve(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go o.handle(c)
	}
}

func (o *notingOrigin) handle(c net.Conn) {
	defer c.Close()
	r := http1.NewReader(c)
	var head http1.Request
	for {
		if http1.ReadRequest(r, &head, http1.Limits{Head: 1 << 20, Fields: 1000}) != nil {
			return
		}
		q := conformance.Request{Method: strings.Clone(head.Method), Target: strings.Clone(head.Target)}
		content, err := io.ReadAll(http1.RequestBody(r, &head, http1.Limits{}))
		if err != nil {
			return
		}
		for _, b := range content {
			q.Body += string(rune(b))
		}
		r.Release()
		answer, last := o.answer(q)
		if _, err := io.WriteString(c, answer); err != nil || last {
			return
		}
	}
}

func (o *notingOrigin) answer(q conformance.Request) (wire string, last bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if q.Target == "/raw" {
		return o.raw, o.hangUp
	}
	o.got = append(o.got, q)
	o.count++
	count := strconv.Itoa(o.count)
	wire = "HTTP/1.1 200 OK\r\nContent-Length: " + strconv.Itoa(len(count)) + "\r\n\r\n"
	if q.Method != "HEAD" {
		wire += count
	}
	return wire, false
}

// take returns what came, and forgets it.
func (o *notingOrigin) take() []conformance.Request {
	o.mu.Lock()
	defer o.mu.Unlock()
	got := o.got
	o.got = nil
	return got
}

// fuzzWorld is an edge on connections in memory, in front of one cell.
func fuzzWorld(f *testing.F) (*dialled, *notingOrigin) {
	f.Helper()
	gateway, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	o := &notingOrigin{}
	go o.serve(gateway)
	f.Cleanup(func() { _ = gateway.Close() })
	top := (&topology.Topology{
		Version: 1, Facade: topology.Facade{Hosts: []string{"localhost"}, LegacyCell: "na1"},
		Cells: []topology.Cell{{Name: "na1", Region: "here", Jurisdiction: "us", Gateways: []string{"http://" + gateway.Addr().String()}}},
	}).WithDefaults()
	top.Timeouts.Connect, top.Timeouts.HalfClosed = topology.Duration(patience), topology.Duration(patience)
	e, err := edge.Open(edge.Config{Topology: top})
	if err != nil {
		f.Fatal(err)
	}
	l := &dialled{conns: make(chan net.Conn), done: make(chan struct{})}
	go func() { _ = e.Serve(l, nil) }()
	f.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = e.Shutdown(ctx, 0)
	})
	return l, o
}

// exchangeAll sends a stream in pieces, ends its side, and returns all that comes.
func exchangeAll(t *testing.T, c *duplex, stream string, piece int) []byte {
	t.Helper()
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	go func() {
		for stream != "" {
			n, err := io.WriteString(c, stream[:min(piece, len(stream))])
			if stream = stream[n:]; err != nil {
				break
			}
		}
		_ = c.CloseWrite()
	}()
	all, err := io.ReadAll(c)
	if err != nil && err != io.ErrClosedPipe { //nolint:errorlint // a pipe returns it bare
		t.Fatal(err)
	}
	return all
}

// Whatever a client sends, in whatever pieces: the cell gets the requests that
// the model reads, and the client their answers in order; nothing behind what is
// refused reaches the cell.
func FuzzConnection(f *testing.F) {
	vectors, err := conformance.ReadFraming()
	if err != nil {
		f.Fatal(err)
	}
	for i, v := range vectors.Requests {
		if len(v.Send) < 500 && i%8 == 0 || len(v.Read) > 1 { // all of them are run elsewhere
			f.Add([]byte(v.Send), uint8(i))
		}
	}
	l, o := fuzzWorld(f)
	f.Fuzz(func(t *testing.T, stream []byte, piece uint8) {
		lower := strings.ToLower(string(stream))
		if strings.Contains(lower, "websocket") || strings.Contains(lower, "authorization") || strings.Contains(lower, "/raw") || strings.HasPrefix(lower, "pri ") {
			return // other rules are about these
		}
		model := conformance.ReadModel(stream)
		all := exchangeAll(t, l.dial(), string(stream), int(piece)+1)
		var want []conformance.Request
		r := bufio.NewReader(bytes.NewReader(all))
		for _, q := range model.Requests {
			status, last := finalStatus(t, r, q.Method, stream)
			if status == http.StatusOK {
				want = append(want, q)
			} else if status != http.StatusMisdirectedRequest {
				t.Fatalf("%q: %q gets %d", stream, q, status)
			} else if last { // the edge's own answer to a request whose body it did not read
				model.Refused, model.Closed = false, true
				break
			}
		}
		if got := o.take(); !slices.Equal(got, want) {
			t.Fatalf("%q\nthe cell got %q\nwant         %q", stream, got, want)
		}
		rest, _ := io.ReadAll(r)
		if refused := bytes.HasPrefix(rest, []byte("HTTP/1.1 4")); model.Refused && !refused || len(rest) > 0 && (!refused || model.Closed) {
			t.Fatalf("%q\nbehind the answers came %q; the model refuses: %v", stream, rest, model.Refused)
		}
	})
}

// finalStatus reads an answer to its end, and tells whether it says that it is the last.
func finalStatus(t *testing.T, r *bufio.Reader, method string, stream []byte) (status int, last bool) {
	t.Helper()
	for {
		resp, err := http.ReadResponse(r, &http.Request{Method: method})
		if err != nil {
			t.Fatalf("%q: no answer to %s: %v", stream, method, err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Fatalf("%q: the answer to %s: %v", stream, method, err)
		}
		if resp.StatusCode >= 200 {
			return resp.StatusCode, resp.Close
		}
	}
}

// Whatever a cell sends in answer to one request, the next request gets its own
// answer, and nothing else.
func FuzzAnswersThroughTheEdge(f *testing.F) {
	vectors, err := conformance.ReadFraming()
	if err != nil {
		f.Fatal(err)
	}
	for i, v := range vectors.Responses {
		f.Add([]byte(string(v.Send)+poison), v.Method == "HEAD", i%2 == 0)
		f.Add([]byte(v.Send), v.Method == "HEAD", true)
	}
	l, o := fuzzWorld(f)
	f.Fuzz(func(t *testing.T, raw []byte, head, hangUp bool) {
		whole := waitsForMore(raw, head)
		o.mu.Lock()
		o.raw, o.hangUp = string(raw), hangUp || whole
		o.mu.Unlock()
		method := "GET"
		if head {
			method = "HEAD"
		}
		_ = exchangeAll(t, l.dial(), method+" /raw HTTP/1.1\r\nHost: localhost\r\n\r\n", 1000)
		for range 2 {
			all := exchangeAll(t, l.dial(), "GET /probe HTTP/1.1\r\nHost: localhost\r\n\r\n", 1000)
			o.mu.Lock()
			want := strconv.Itoa(o.count)
			o.mu.Unlock()
			r := bufio.NewReader(bytes.NewReader(all))
			resp, err := http.ReadResponse(r, nil)
			if err != nil {
				t.Fatalf("%q: %v", raw, err)
			}
			if body, err := io.ReadAll(resp.Body); err != nil || string(body) != want || resp.StatusCode != http.StatusOK || r.Buffered() > 0 {
				t.Fatalf("behind %q the next request gets %q", raw, all)
			}
		}
		o.take()
	})
}

// waitsForMore reports whether an answer is not over with these bytes, so that
// whoever reads it waits for the end of the connection.
func waitsForMore(raw []byte, head bool) bool {
	r := http1.NewReader(io.MultiReader(bytes.NewReader(raw), stalled{}))
	var resp http1.Response
	for {
		if err := http1.ReadResponse(r, &resp, http1.Limits{Head: 256 << 10, Fields: 1000}); err != nil {
			return err == errMore //nolint:errorlint // a Reader returns it bare
		}
		if !resp.Interim() {
			break
		}
	}
	method := "GET"
	if head {
		method = "HEAD"
	}
	_, err := io.Copy(io.Discard, http1.ResponseBody(r, &resp, method, http1.Limits{}))
	return err == errMore //nolint:errorlint // a Reader returns it bare
}

// stalled has nothing more to give.
type stalled struct{}

func (stalled) Read([]byte) (int, error) { return 0, errMore }

var errMore = errors.New("nothing more came")
