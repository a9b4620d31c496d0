package edge_test

import (
	"bufio"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/homeward/homeward/internal/proxy"
	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/topology"
)

// A call that finds its gateway full, and the connection that is made for it silent,
// waits for no longer than it has time.
func TestCallThatWaitsForRoomIsLate(t *testing.T) {
	var connections atomic.Int64
	taken, once := make(chan struct{}), sync.Once{}
	addr := origin(t, func(c *net.TCPConn, r *bufio.Reader) {
		if connections.Add(1) > 1 {
			_, _ = io.Copy(io.Discard, r)
			return
		}
		if _, err := io.ReadFull(r, make([]byte, len(http2.ClientPreface))); err != nil {
			return
		}
		fr := http2.NewFramer(c, r)
		_ = fr.WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 1})
		for {
			f, err := fr.ReadFrame()
			if err != nil {
				return
			}
			if f.Header().Type == http2.FrameHeaders {
				once.Do(func() { close(taken) })
			}
		}
	})
	w := newWorld(t, func(top *topology.Topology) {
		top.Timeouts.Connect = topology.Duration(10 * time.Second) // the end of the test waits for it
		top.Cells[2].Gateways, top.Cells[2].GRPCGateways = []string{"h2c://" + addr}, nil
	}, testcell.Options{})
	f := w.frames(t)
	head := []string{
		":method", "POST", ":scheme", "http", ":authority", "api.homeward.test", ":path", "/x",
		"content-type", "application/grpc", "te", "trailers", "authorization", "Bearer " + euToken,
	}
	f.head(1, false, head...)
	<-taken
	f.head(3, false, append(head, "grpc-timeout", "2S")...)
	got := f.fate(3)
	if got.status != "200" || got.header["grpc-status"] != "4" || got.header["homeward-error"] != "upstream-timeout" {
		t.Errorf("%+v", got)
	}
	rec := w.seen.await(t, func(proxy.Record) bool { return true })
	if rec.Kind != proxy.UpstreamTimeout || rec.GRPC != 4 || rec.Aborted != proxy.NotAborted {
		t.Errorf("recorded as %+v", rec)
	}
	eventually(t, "a second connection was made", func() bool { return connections.Load() == 2 })
	_ = f.nc.Close()
}
