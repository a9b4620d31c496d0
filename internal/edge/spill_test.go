package edge_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/topology"
)

// runStreams is run for a client of HTTP/2.
func (c *visitor) runStreams(client client, n int) {
	for i := range n {
		q := c.next(c.first + i)
		ctx, leave := context.WithCancel(context.Background())
		req, err := http.NewRequestWithContext(ctx, q.method, client.base+q.target(), nil)
		if err != nil {
			c.t.Error(err)
			leave()
			return
		}
		if q.body != nil {
			at := c.random.IntN(len(q.body) + 1)
			req.Body = io.NopCloser(io.MultiReader(bytes.NewReader(q.body[:at]), bytes.NewReader(q.body[at:])))
			if req.ContentLength = int64(len(q.body)); len(q.body) == 0 || i%3 == 0 {
				req.ContentLength = -1
			}
		}
		req.Host = "localhost"
		id := strconv.Itoa(q.id)
		req.Header = http.Header{"X-Id": {id}, "X-Request-Id": {"r-" + id}, "X-Filler": {string(marked(q.id, q.filler))}, "User-Agent": {""}}
		resp, err := client.http.Do(req)
		switch {
		case err != nil && q.ending == endCut: // so early that the head had not left
		case err != nil:
			c.t.Errorf("no answer to %s %s (%d bytes of body): %v", q.method, q.target(), len(q.body), err)
		case c.random.IntN(25) == 0:
			leave()
		default:
			q.check(c.t, resp)
		}
		leave()
		if err == nil {
			_ = resp.Body.Close()
		}
	}
}

// visits is how many requests each client makes.
var visits = flag.Int("spill.visits", 30, "requests of each client in TestNothingSpills")

// visitSeed is another every time that somebody looks for more.
var visitSeed = flag.Uint64("spill.seed", 1, "seed of the requests in TestNothingSpills")

// Whatever clients and cells do, nobody gets a byte that is another's, or what a
// buffer held before: that is overwritten in builds with the race detector.
func TestNothingSpills(t *testing.T) {
	onBothPaths(t, func(t *testing.T, goroutines bool) {
		for _, g := range gatewayKinds[:3] {
			t.Run(g.scheme, func(t *testing.T) {
				t.Parallel()
				nothingSpills(t, goroutines, g)
			})
		}
	})
}

func nothingSpills(t *testing.T, goroutines bool, g gatewayKind) {
	m, a, l := newMirror(t), newAuthority(t), listen(t)
	gateway := g.scheme + "://" + l.Addr().String()
	w := newWorldOn(t, goroutines, func(top *topology.Topology) {
		c := &top.Cells[0]
		c.Gateways, c.GRPCGateways = []string{gateway}, nil
		if g.alpn != "" {
			config := a.config("localhost")
			config.NextProtos = []string{g.alpn}
			l = tls.NewListener(l, config)
			c.TLS = &topology.TLS{CA: a.file(), ServerName: "localhost"}
		}
		top.Timeouts.HalfClosed = topology.Duration(patience)
	}, testcell.Options{})
	t.Cleanup(func() { _ = l.Close() })
	go m.serve(l, g)
	clients := w.clients()
	secure := strings.TrimPrefix(clients[1].base, "https://")
	dials := []func() (net.Conn, error){
		func() (net.Conn, error) { return net.Dial("tcp", w.addr) },
		func() (net.Conn, error) {
			config := clients[1].http.Transport.(*http.Transport).TLSClientConfig.Clone()
			config.NextProtos = []string{"http/1.1"}
			return tls.Dial("tcp", secure, config)
		},
	}
	var all sync.WaitGroup
	for i := range 8 {
		c := &visitor{t: t, random: rand.New(rand.NewPCG(*visitSeed, uint64(i))), dial: dials[i%2], first: 1 + 100000*i}
		if i >= 6 {
			all.Go(func() { c.runStreams(clients[2+i%2], *visits) })
			continue
		}
		all.Go(func() { c.run(*visits) })
	}
	all.Wait()
	eventually(t, "all is over", w.quiet)
	told := httptest.NewRecorder()
	w.edge.Admin().ServeHTTP(told, httptest.NewRequest("GET", "/decisions?n=256", nil))
	if strings.Contains(w.log.String()+told.Body.String(), "##") {
		t.Error("the log, or what the admin port tells, holds what was overwritten")
	}
	for _, r := range w.seen.all() {
		if said := fmt.Sprint(r.RequestID, r.Proto, r.Method, r.Host, r.Path); strings.Contains(said, "##") {
			t.Errorf("recorded %s", said)
		}
	}
}
