package differential_test

import (
	"context"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/homeward/homeward/internal/edge"
	"github.com/homeward/homeward/topology"
)

// origin notes what reaches it.
type origin struct {
	mu       sync.Mutex
	requests []request
}

func (o *origin) note(q request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.requests = append(o.requests, q)
}

// take returns what has come, and forgets it.
func (o *origin) take() []request {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := o.requests
	o.requests = nil
	return out
}

// ServeHTTP implements http.Handler. A body that breaks off is no request.
func (o *origin) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	if content, err := io.ReadAll(r.Body); err == nil {
		o.note(request{Method: r.Method, Target: r.RequestURI, Body: string(content)})
	}
}

func (o *origin) serveFast(ctx *fasthttp.RequestCtx) {
	h := &ctx.Request.Header
	o.note(request{Method: string(h.Method()), Target: string(h.RequestURI()), Body: string(ctx.Request.Body())})
}

// What goes through an edge arrives at an origin of another library as this
// parser read it: no request more, none other. The edge reads from sockets, and
// each stream comes in two parts.
func TestOriginsReadTheSame(t *testing.T) {
	for name, serve := range map[string]func(*origin, net.Listener) func(){
		"net/http": func(o *origin, l net.Listener) func() {
			s := &http.Server{Handler: o, DisableGeneralOptionsHandler: true, ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: time.Minute}
			go func() { _ = s.Serve(l) }()
			return func() { _ = s.Close() }
		},
		"fasthttp": func(o *origin, l net.Listener) func() {
			s := &fasthttp.Server{
				Handler: o.serveFast, Logger: log.New(io.Discard, "", 0), ReadBufferSize: 64 << 10,
				DisableHeaderNamesNormalizing: true, DisablePreParseMultipartForm: true,
			}
			go func() { _ = s.Serve(l) }()
			return func() { _ = s.Shutdown() }
		},
	} {
		t.Run(name, func(t *testing.T) {
			o, l := &origin{}, listen(t)
			t.Cleanup(serve(o, l))
			addr := serveEdge(t, l.Addr().String())
			rnd := rand.New(rand.NewPCG(*seed, 1)) //nolint:gosec // the same streams each time
			all := vectors(t)
			base := short(all)
			for range *streams / 20 {
				all = append(all, changed(rnd, base), composed(rnd))
			}
			arrived, wanted := 0, 0
			for _, stream := range all {
				want := expected(stream)
				send(t, addr, stream, rnd.IntN(len(stream)+1))
				got := o.take()
				arrived, wanted = arrived+len(got), wanted+len(want)
				if !within(want, got) {
					t.Fatalf("%q\nthe origin got %+v\nwant           %+v", stream, got, want)
				}
			}
			t.Logf("%d requests of %d arrived", arrived, wanted)
			if wanted < 1000 || arrived < wanted*9/10 { // an origin refuses some targets, expectations and trailers
				t.Errorf("%d requests of %d arrived only", arrived, wanted)
			}
		})
	}
}

// expected are the requests of a stream that go to the cell.
func expected(stream []byte) (out []request) {
	r := read(stream)
	for i, q := range r.Requests {
		host, _, _ := strings.Cut(r.extras[i].host, ":")
		if strings.EqualFold(host, "localhost") {
			out = append(out, request{Method: q.Method, Target: q.Target, Body: q.Body})
		}
	}
	return out
}

// within reports whether some are all of the others, or some of them in their order.
func within(all, some []request) bool {
	for _, q := range all {
		if len(some) > 0 && some[0] == q {
			some = some[1:]
		}
	}
	return len(some) == 0
}

// send sends a stream in two parts, ends its side, and reads to the end.
func send(t *testing.T, addr string, stream []byte, at int) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	go func() {
		_, _ = c.Write(stream[:at])
		_, _ = c.Write(stream[at:])
		_ = c.(*net.TCPConn).CloseWrite()
	}()
	if _, err := io.Copy(io.Discard, c); err != nil && !strings.Contains(err.Error(), "reset") {
		t.Fatalf("%q: %v", stream[:min(len(stream), 500)], err)
	}
}

// serveEdge is an edge in front of one cell, which takes every host.
func serveEdge(t *testing.T, gateway string) string {
	t.Helper()
	top := (&topology.Topology{
		Version: 1, Facade: topology.Facade{Hosts: []string{"localhost"}, LegacyCell: "na1"},
		Cells: []topology.Cell{{Name: "na1", Region: "here", Jurisdiction: "us", Gateways: []string{"http://" + gateway}}},
	}).WithDefaults()
	top.Timeouts.HalfClosed = topology.Duration(time.Minute)
	e, err := edge.Open(edge.Config{Topology: top})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = e.Shutdown(ctx, 0)
	})
	front := listen(t)
	go func() { _ = e.Serve(front, nil) }()
	return front.Addr().String()
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}
