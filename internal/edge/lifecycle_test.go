package edge_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/homeward/homeward/internal/proxy"
	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/topology"
)

// A topology that changes one cell re-opens no connection of another.
func TestLoadKeepsTheConnectionsOfOtherCells(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{})
	const eu = "GET /x HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + euToken + "\r\n\r\n"
	w.raw(get)
	w.raw(eu)
	next := w.top.WithDefaults()
	replacement := testcell.New("eu1", testcell.Options{})
	l := listen(t)
	go func() { _ = replacement.Serve(l) }()
	t.Cleanup(replacement.Close)
	next.Cells[2].Gateways = []string{"http://" + l.Addr().String()}
	next.Status = map[string]int{"malformed": 488}
	if err := w.edge.Load(next); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		w.raw(get)
		w.raw(eu)
	}
	if n := w.cells["na1"].Connections(); n != 1 {
		t.Errorf("na1, which did not change, saw %d connections", n)
	}
	if n := w.cells["eu1"].Requests(); n != 1 || replacement.Requests() != 3 {
		t.Errorf("%d requests at the old gateway, %d at the new", n, replacement.Requests())
	}
	if r := w.raw("GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer pat-x\r\n\r\n"); r.StatusCode != 488 {
		t.Errorf("the declared status is not taken: %d", r.StatusCode)
	}
}

func TestLoadIsWholeOrNotAtAll(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{})
	bad := w.top.WithDefaults()
	bad.Facade.Hosts = []string{"other.test"}
	bad.Cells[1].TLS = &topology.TLS{CA: "/does/not/exist.pem"}
	if err := w.edge.Load(bad); err == nil {
		t.Fatal("a topology whose files are missing was taken")
	}
	if r := w.raw(get); r.StatusCode != 200 {
		t.Errorf("the topology in force no longer serves: %d", r.StatusCode)
	}
}

// Requests under way end well, new connections are refused, and idle
// connections end without an error.
func TestShutdownLosesNothing(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{})
	clients := w.clients()
	var idle []net.Conn
	for range 5 {
		c := w.dial()
		_, _ = io.WriteString(c, get)
		w.read(bufio.NewReader(c), "GET")
		idle = append(idle, c)
	}
	var under sync.WaitGroup
	for _, client := range clients {
		under.Go(func() {
			req, _ := http.NewRequest("GET", client.base+"/slow?ms=300", nil)
			req.Host = "localhost"
			resp, err := client.http.Do(req)
			if err != nil {
				t.Errorf("%s: %v", client.name, err)
				return
			}
			defer resp.Body.Close()
			if b, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != 200 {
				t.Errorf("%s: %d %s %v", client.name, resp.StatusCode, b, err)
			}
		})
	}
	eventually(t, "the requests are under way", func() bool { return w.cells["na1"].Requests() >= int64(5+len(clients)) })
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := w.edge.Shutdown(ctx, 50*time.Millisecond); err != nil {
		t.Error(err)
	}
	under.Wait()
	for _, c := range idle {
		if _, err := c.Read(make([]byte, 1)); err != io.EOF { //nolint:errorlint // a net.Conn returns it bare
			t.Errorf("an idle connection ended with %v", err)
		}
	}
	if _, err := net.Dial("tcp", w.addr); err == nil {
		t.Error("a connection was taken after the shutdown")
	}
	eventually(t, "the cell's connections are closed", func() bool { return w.cells["na1"].Open() == 0 })
}

// A request that does not end is broken off when the time for it is over.
func TestShutdownEnds(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{})
	clients := w.clients()
	for _, client := range clients {
		go func() {
			req, _ := http.NewRequest("GET", client.base+"/slow?ms=60000", nil)
			req.Host = "localhost"
			if resp, err := client.http.Do(req); err == nil {
				resp.Body.Close()
			}
		}()
	}
	eventually(t, "the requests are under way", func() bool { return w.cells["na1"].Requests() >= int64(len(clients)) })
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	if err := w.edge.Shutdown(ctx, time.Millisecond); err == nil {
		t.Error("nothing was broken off")
	}
	eventually(t, "the cell is free", func() bool { return w.cells["na1"].Open() == 0 })
}

// Gateways over TLS get their own name and client certificate, whatever the
// Host of the request is.
func TestGatewaysOverTLS(t *testing.T) {
	a := newAuthority(t)
	certFile, keyFile := a.issue("edge.internal")
	var names sync.Map
	server := a.config("gw.eu1.internal")
	server.ClientAuth, server.ClientCAs = tls.RequireAndVerifyClientCert, a.pool
	server.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) {
		names.Store(h.ServerName, true)
		return nil, nil
	}
	gateway := testcell.New("eu1", testcell.Options{})
	raw := listen(t)
	go func() { _ = gateway.Serve(tls.NewListener(raw, server)) }()
	t.Cleanup(gateway.Close)
	declare := func(tls *topology.TLS) func(*topology.Topology) {
		return func(top *topology.Topology) {
			top.Cells[2].Gateways = []string{"https://" + raw.Addr().String()}
			top.Cells[2].TLS = tls
		}
	}
	const request = "GET /x%zz HTTP/1.1\r\nHost: api.homeward.test\r\nAuthorization: Bearer " + euToken + "\r\n\r\n"
	w := newWorld(t, declare(&topology.TLS{ServerName: "gw.eu1.internal", CA: a.file(), Cert: certFile, Key: keyFile}), testcell.Options{})
	for range 3 {
		if r := w.raw(request); r.report.Cell != "eu1" || r.report.Host != "api.homeward.test" || r.report.Target != "/x%zz" {
			t.Fatalf("%d %s", r.StatusCode, r.body)
		}
	}
	if gateway.Connections() != 1 {
		t.Errorf("%d connections for 3 requests", gateway.Connections())
	}
	if _, ok := names.Load("gw.eu1.internal"); !ok {
		t.Error("the gateway was not asked for by its own name")
	}
	for name, d := range map[string]*topology.TLS{
		"another name":          {ServerName: "gw.na1.internal", CA: a.file(), Cert: certFile, Key: keyFile},
		"another authority":     {ServerName: "gw.eu1.internal", CA: newAuthority(t).file(), Cert: certFile, Key: keyFile},
		"no client certificate": {ServerName: "gw.eu1.internal", CA: a.file()},
	} {
		w := newWorld(t, declare(d), testcell.Options{})
		if r := w.raw(request); r.StatusCode < 500 || r.kind() == "" {
			t.Errorf("%s: %d %s", name, r.StatusCode, r.body)
		}
	}
}

func TestObserveSendsEverythingToTheLegacyCell(t *testing.T) {
	w := newWorld(t, func(top *topology.Topology) { top.Mode = topology.Observe }, testcell.Options{})
	for _, wire := range []string{
		"GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + euToken + "\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer pat-broken\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: unknown.test\r\n\r\n",
		"POST /oauth/v1/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nhi",
		"OPTIONS / HTTP/1.1\r\nHost: localhost\r\nOrigin: https://app.homeward.test\r\nAccess-Control-Request-Method: GET\r\n\r\n",
	} {
		if r := w.raw(wire); r.StatusCode != 200 || r.report.Cell != "na1" {
			t.Errorf("%q: %d %s", wire, r.StatusCode, r.body)
		}
	}
	big := "POST /oauth/v1/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
	body := make([]byte, 100<<10)
	for i := range body {
		body[i] = 'a'
	}
	for name, wire := range map[string]string{
		"declared": big + "Content-Length: 102400\r\n\r\n" + string(body),
		"chunked":  big + "Transfer-Encoding: chunked\r\n\r\n19000\r\n" + string(body) + "\r\n0\r\n\r\n",
	} {
		if r := w.raw(wire); r.StatusCode != 200 || r.report.BodyBytes != 100<<10 {
			t.Errorf("%s body over the peek limit: %d %s", name, r.StatusCode, r.body)
		}
	}
	rec := w.seen.await(t, func(r proxy.Record) bool { return r.Decided && r.Decision.Named.String() == "eu1" })
	if w.top.Cells[rec.Decision.Cell].Name != "eu1" || w.top.Cells[rec.Decision.Send].Name != "na1" {
		t.Errorf("the decision is not reported: %+v", rec.Decision)
	}
}
