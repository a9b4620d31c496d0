package edge_test

import (
	"crypto/tls"
	"flag"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/topology"
)

// matrixSize is the size of the large bodies, each way. A gibibyte takes minutes.
var matrixSize = flag.Int64("matrix.size", 4<<20, "bytes of the large bodies in the protocol matrix, each way")

// gatewayKind is a protocol that a gateway speaks.
type gatewayKind struct {
	scheme string // of the topology
	alpn   string // agreed on with TLS; "" for plain
	http2  bool
}

var gatewayKinds = []gatewayKind{{"http", "", false}, {"https", "http/1.1", false}, {"h2c", "", true}, {"h2", "h2", true}}

// matrixCase is what has to work between every client and every gateway.
type matrixCase struct {
	name string
	run  func(t *testing.T, w *world, c way)
	// impossible says why a pair cannot do it, "" when it can.
	impossible func(c way, g gatewayKind) string
}

// TestProtocolMatrix is every client against every gateway in every way to use
// HTTP. No descriptor is left over; TestMain sees to goroutines.
func TestProtocolMatrix(t *testing.T) {
	before := descriptors(t)
	defer func() {
		for deadline := time.Now().Add(patience); descriptors(t) > before; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Errorf("%d descriptors before, %d after", before, descriptors(t))
				break
			}
		}
	}()
	onBothPaths(t, func(t *testing.T, goroutines bool) {
		for _, g := range gatewayKinds {
			t.Run(g.scheme, func(t *testing.T) {
				w := newMatrixWorldOn(t, goroutines, g)
				for _, c := range w.ways() {
					t.Run(c.name, func(t *testing.T) { runMatrix(t, w, c, g) })
				}
			})
		}
	})
}

// runMatrix is one client against one gateway.
func runMatrix(t *testing.T, w *world, c way, g gatewayKind) {
	for _, tc := range matrixCases {
		t.Run(tc.name, func(t *testing.T) {
			if tc.impossible != nil {
				if why := tc.impossible(c, g); why != "" {
					t.Logf("impossible: %s", why)
					return
				}
			}
			w.seen.forget()
			tc.run(t, w, c)
			eventually(t, "nothing is under way", w.quiet) // whose record the next would take for its own
		})
	}
}

// quiet reports whether no request is under way.
func (w *world) quiet() bool { return !openRequests.MatchString(w.metrics()) }

// openRequests matches the metrics while a request is under way.
var openRequests = regexp.MustCompile(`(?m)^homeward_requests_open\{.*\} [1-9]`)

// newMatrixWorld is a world whose cells are all reached in one way.
func newMatrixWorld(t *testing.T, g gatewayKind) *world {
	t.Helper()
	return newMatrixWorldOn(t, false, g)
}

func newMatrixWorldOn(t *testing.T, goroutines bool, g gatewayKind) *world {
	t.Helper()
	a := newAuthority(t)
	w := &world{t: t, cells: map[string]*testcell.Cell{}, top: demoTopology(t), goroutines: goroutines}
	for i := range w.top.Cells {
		c := &w.top.Cells[i]
		cell := testcell.New(c.Name, testcell.Options{Fault: faultByPath})
		l := listen(t)
		if g.alpn == "" {
			go func() { _ = cell.Serve(l) }()
		} else {
			config := a.config("localhost")
			config.NextProtos = []string{g.alpn}
			go func() { _ = cell.ServeTLS(l, config) }()
			c.TLS = &topology.TLS{CA: a.file(), ServerName: "localhost"}
		}
		t.Cleanup(cell.Close)
		c.Gateways, c.GRPCGateways = []string{g.scheme + "://" + l.Addr().String()}, nil
		w.cells[c.Name] = cell
	}
	w.start()
	return w
}

// faultByPath fails what asks for it.
func faultByPath(r *testcell.Request) testcell.Fault {
	faults := map[string]testcell.Fault{
		"/reset": testcell.Reset, "/hang-up": testcell.HangUp,
		"/reset-after-head": testcell.ResetAfterHead, "/hang-up-after-head": testcell.HangUpAfterHead,
		"/garbage": testcell.Garbage, "/silence": testcell.Silence,
	}
	path, _, _ := strings.Cut(r.Head.Origin, "?")
	return faults[path]
}

// way is one way for a client to reach the edge.
type way struct {
	client
	// socket opens a WebSocket on a path.
	socket func(t *testing.T, path string) (*socket, *http.Response)
}

// ways are all of them, with one certificate.
func (w *world) ways() []way {
	w.t.Helper()
	var ways []way
	for _, c := range w.clients() {
		if c.name == "https1" {
			continue
		}
		open := w.openHTTP2Socket
		if c.name == "http1" {
			open = w.openHTTP1Socket
		}
		ways = append(ways, way{client: c, socket: func(t *testing.T, path string) (*socket, *http.Response) { return open(t, c, path) }})
	}
	return append(ways, w.http3Way())
}

// dialClient connects as a client does, with TLS if it has it.
func dialClient(t *testing.T, c client, protocol string) net.Conn {
	t.Helper()
	scheme, addr, _ := strings.Cut(c.base, "://")
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	if scheme == "https" {
		config := c.http.Transport.(*http.Transport).TLSClientConfig.Clone()
		config.NextProtos = []string{protocol}
		tc := tls.Client(nc, config)
		if err := tc.Handshake(); err != nil {
			t.Fatal(err)
		}
		return tc
	}
	return nc
}

// request makes a request for the demo's facade with the credential of a cell.
// length is that of the body, -1 for one that does not declare it.
func (c way) request(t *testing.T, method, path string, body io.Reader, length int64) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, c.base+path, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "localhost"
	req.Header.Set("Authorization", "Bearer "+euToken)
	req.ContentLength = length
	return req
}
