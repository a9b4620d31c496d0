package edge_test

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"

	"github.com/homeward/homeward/internal/config"
	"github.com/homeward/homeward/internal/edge"
	"github.com/homeward/homeward/topology"
)

// BenchmarkKeepAlive is a small GET with a bearer credential over one kept
// connection, through the edge to an origin and back, everything included that
// an edge does by default. Compare its allocations, which do not drift; its time
// holds both ends and the origin too.
func BenchmarkKeepAlive(b *testing.B) { keepAlive(b, nil) }

// BenchmarkShadowUnsampled is BenchmarkKeepAlive with a shadow of the cell that
// takes next to no request: its allocations must be the same.
func BenchmarkShadowUnsampled(b *testing.B) { keepAlive(b, shadowOfEU1(1e-9)) }

// BenchmarkShadowSampled is the same with a copy of every request, to the same
// origin, as far as 16 copies at once allow.
func BenchmarkShadowSampled(b *testing.B) { keepAlive(b, shadowOfEU1(100)) }

func shadowOfEU1(share float64) func(*topology.Topology) {
	return func(top *topology.Topology) {
		top.Shadows = []topology.Shadow{{Name: "next", Of: "eu1", Gateways: top.Cells[0].Gateways, Share: share}}
	}
}

func keepAlive(b *testing.B, change func(*topology.Topology)) {
	b.Helper()
	origin, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer origin.Close()
	go cannedOrigin(origin)
	top, err := config.LoadFile("../../examples/demo.yaml")
	if err != nil {
		b.Fatal(err)
	}
	for i := range top.Cells {
		top.Cells[i].Gateways = []string{"http://" + origin.Addr().String()}
	}
	if change != nil {
		change(top)
	}
	e, err := edge.Open(edge.Config{Topology: top, Log: slog.New(slog.DiscardHandler), AccessLog: io.Discard})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Shutdown(b.Context(), 0) //nolint:errcheck // the end of a benchmark
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go e.Serve(l, nil) //nolint:errcheck // ends with the edge
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	request := []byte("GET /crm/v3/objects?limit=10 HTTP/1.1\r\nHost: api.homeward.test\r\nUser-Agent: bench\r\nAccept: */*\r\n" +
		"Authorization: Bearer " + euToken + "\r\n\r\n")
	r := bufio.NewReader(c)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Write(request); err != nil {
			b.Fatal(err)
		}
		resp, err := http.ReadResponse(r, nil)
		if err != nil || resp.StatusCode != 200 {
			b.Fatal(resp, err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			b.Fatal(err)
		}
	}
}

// cannedOrigin answers whatever it reads with 1 KiB, one answer a read.
func cannedOrigin(l net.Listener) {
	answer := append([]byte("HTTP/1.1 200 OK\r\nContent-Length: 1024\r\n\r\n"), make([]byte, 1024)...)
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			buf := make([]byte, 4096)
			for {
				if _, err := c.Read(buf); err != nil {
					return
				}
				if _, err := c.Write(answer); err != nil {
					return
				}
			}
		}()
	}
}
