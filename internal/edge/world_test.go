package edge_test

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/homeward/homeward/internal/config"
	"github.com/homeward/homeward/internal/edge"
	"github.com/homeward/homeward/internal/proxy"
	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/internal/testjournal"
	"github.com/homeward/homeward/topology"
)

// world is three cells and an edge in front of them, as the demo has them, on
// free ports.
type world struct {
	t     *testing.T
	edge  *edge.Edge
	top   *topology.Topology
	cells map[string]*testcell.Cell
	addr  string // plain
	// goroutines has connections wait in a goroutine each, in place of the event loop.
	goroutines bool
	log        testjournal.Buffer
	seen       records
}

// newWorld starts a world; change may alter the demo's topology first, and
// options the cells.
func newWorld(t *testing.T, change func(*topology.Topology), options testcell.Options) *world {
	t.Helper()
	return newWorldOn(t, false, change, options)
}

// onBothPaths runs a test on the event loop, and with a goroutine for each connection.
func onBothPaths(t *testing.T, run func(t *testing.T, goroutines bool)) {
	t.Run("event loop", func(t *testing.T) { run(t, false) })
	t.Run("goroutines", func(t *testing.T) { run(t, true) })
}

// newWorldOn is newWorld on either path.
func newWorldOn(t *testing.T, goroutines bool, change func(*topology.Topology), options testcell.Options) *world {
	t.Helper()
	w := &world{t: t, cells: map[string]*testcell.Cell{}, goroutines: goroutines}
	w.top = demoTopology(t)
	for i := range w.top.Cells {
		c := &w.top.Cells[i]
		cell := testcell.New(c.Name, options)
		l := listen(t)
		go func() { _ = cell.Serve(l) }()
		t.Cleanup(cell.Close)
		c.Gateways = []string{"http://" + l.Addr().String()}
		w.cells[c.Name] = cell
	}
	if change != nil {
		change(w.top)
	}
	w.start()
	return w
}

// start runs an edge on the world's topology.
func (w *world) start() {
	w.t.Helper()
	e, err := edge.Open(edge.Config{
		Topology: w.top, AccessLog: &w.log, Observers: []proxy.Observer{&w.seen}, Goroutines: w.goroutines,
		Log: slog.New(slog.NewTextHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.edge = e
	w.addr = w.serve(nil)
	w.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = e.Shutdown(ctx, 0)
	})
}

// serve opens one more listener of the edge.
func (w *world) serve(config *tls.Config) string {
	w.t.Helper()
	l := listen(w.t)
	go func() { _ = w.edge.Serve(l, config) }()
	return l.Addr().String()
}

// demoTopology is that of the demo. A busy machine may take its time to connect.
func demoTopology(t *testing.T) *topology.Topology {
	t.Helper()
	top, err := config.LoadFile("../../examples/demo.yaml")
	if err != nil {
		t.Fatal(err)
	}
	top.Timeouts.Connect = topology.Duration(patience)
	return top
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}
