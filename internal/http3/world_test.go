package http3_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	lib "github.com/quic-go/quic-go/http3"

	"github.com/homeward/homeward/internal/config"
	"github.com/homeward/homeward/internal/edge"
	"github.com/homeward/homeward/internal/http3"
	"github.com/homeward/homeward/internal/proxy"
	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/internal/testcert"
	"github.com/homeward/homeward/internal/testleak"
	"github.com/homeward/homeward/topology"
)

// patience is how long a test waits for what must happen.
const patience = time.Minute

// brief is a timeout that passes in a test in which something else must come
// before it: longer than a busy machine keeps a goroutine waiting.
const brief = 3 * time.Second

const euToken = "pat-eu1-20b81d7f-8e9e-4bb8-b4a3-7b2b926271f2"

// world is one cell behind an edge that speaks HTTP/3.
type world struct {
	t      *testing.T
	cell   *testcell.Cell
	edge   *edge.Edge
	http3  *http3.Server
	addr   string
	seen   records
	config *tls.Config // of clients
}

// newWorld starts a world; change may alter the topology first.
func newWorld(t *testing.T, change func(*topology.Topology), o testcell.Options) *world {
	t.Helper()
	t.Cleanup(func() { testleak.Check(t) })
	w := &world{t: t, cell: testcell.New("eu1", o), seen: records{done: make(chan proxy.Record, 1000)}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = w.cell.Serve(l) }()
	t.Cleanup(w.cell.Close)
	top, err := config.LoadFile("../../examples/demo.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for i := range top.Cells {
		top.Cells[i].Gateways = []string{"http://" + l.Addr().String()}
	}
	top.Timeouts.Connect = topology.Duration(patience)
	if change != nil {
		change(top)
	}
	if w.edge, err = edge.Open(edge.Config{Topology: top, Observers: []proxy.Observer{&w.seen}}); err != nil {
		t.Fatal(err)
	}
	server, client := certificate(t)
	w.config = client
	w.http3 = http3.New(w.edge.Server(), server)
	w.addr = w.listen()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		_ = w.http3.Shutdown(ctx, 0)
		_ = w.edge.Shutdown(ctx, 0)
	})
	return w
}

func (w *world) listen() string {
	w.t.Helper()
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	go func() { _ = w.http3.Serve(packets) }()
	return packets.LocalAddr().String()
}

// certificate is the configuration of a server for localhost, and that of its clients.
func certificate(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	pair := testcert.New(t, testcert.Options{})
	server = &tls.Config{Certificates: []tls.Certificate{pair.TLS(t)}, NextProtos: []string{"acme-tls/1"}}
	return server, &tls.Config{RootCAs: pair.Pool(), ServerName: "localhost"}
}

// client is a client with connections of its own.
func (w *world) client() *http.Client {
	w.t.Helper()
	tr := &lib.Transport{TLSClientConfig: w.config, DisableCompression: true}
	w.t.Cleanup(func() { tr.Close() })
	return &http.Client{Transport: tr, Timeout: patience}
}

// dial opens a connection on which streams can be opened one by one.
func (w *world) dial() (*quic.Conn, *lib.ClientConn) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	q, err := w.connect(ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	return q, (&lib.Transport{DisableCompression: true}).NewClientConn(q)
}

func (w *world) connect(ctx context.Context) (*quic.Conn, error) {
	config := w.config.Clone()
	config.NextProtos = []string{lib.NextProtoH3}
	q, err := quic.DialAddr(ctx, w.addr, config, nil)
	if err == nil {
		w.t.Cleanup(func() { q.CloseWithError(0, "") })
	}
	return q, err
}

// request makes a request of the cell. length is that of the body, -1 for one
// that does not declare it.
func (w *world) request(method, path string, body io.Reader, length int64) *http.Request {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, "https://"+w.addr+path, body)
	if err != nil {
		w.t.Fatal(err)
	}
	req.Host = "localhost"
	req.Header.Set("Authorization", "Bearer "+euToken)
	req.ContentLength = length
	return req
}

// reply is a whole answer.
type reply struct {
	*http.Response
	report testcell.Report
	body   []byte
	err    error
}

func do(t *testing.T, c *http.Client, req *http.Request) reply {
	t.Helper()
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	r := reply{Response: resp}
	r.body, r.err = io.ReadAll(resp.Body)
	_ = json.Unmarshal(r.body, &r.report)
	return r
}

// records are what the edge recorded.
type records struct {
	done chan proxy.Record
}

// Done implements proxy.Observer.
func (r *records) Done(rec *proxy.Record) { r.done <- rec.Clone() }

// next waits for the next request to be over.
func (r *records) next(t *testing.T) proxy.Record {
	t.Helper()
	select {
	case rec := <-r.done:
		return rec
	case <-time.After(patience):
		t.Fatal("the edge recorded no request")
		return proxy.Record{}
	}
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}
