package proxy

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/homeward/homeward/internal/proxy/http1"
	"github.com/homeward/homeward/internal/upstream"
	"github.com/homeward/homeward/topology"
)

// poolOf is the pool of a cell with one gateway.
func poolOf(t *testing.T, gateway string) *upstream.Pool {
	t.Helper()
	set := upstream.OpenSet(upstream.Options{})
	t.Cleanup(set.Close)
	applied, err := set.Apply((&topology.Topology{
		Version: 1, Facade: topology.Facade{Hosts: []string{"localhost"}, LegacyCell: "na1"},
		Cells: []topology.Cell{{Name: "na1", Region: "r", Jurisdiction: "us", Gateways: []string{gateway}}},
	}).WithDefaults())
	if err != nil {
		t.Fatal(err)
	}
	return applied.Cells[0].Main.Pool(0)
}

// A drain or a deadline may come when the exchange has just ended: the connection
// is another's by then.
func TestAbortAfterTheEndHarmsNobody(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	pool := poolOf(t, "http://"+l.Addr().String())
	lease, err := pool.Get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h := newHop(&lease, &http1Hop{}).(*http1Hop)
	h.answered = true
	h.answer = *http1.ResponseBody(lease.Conn.Reader, &http1.Response{Status: 204}, "GET", http1.Limits{})
	h.release(true)
	h.abort()
	next, err := pool.Get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !next.Reused {
		t.Error("the abort closed a connection that was given back")
	}
	next.Conn.Release(false)
}

// A bug may end an exchange before its stream is opened: the room that it had on the
// connection is others' again.
func TestExchangeThatNeverBeganGivesItsRoomBack(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	defer server.Close()
	pool := poolOf(t, "h2c://"+server.Listener.Addr().String())
	lease, err := pool.Get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tr := &transfer{hop: newHop(&lease, &http1Hop{})}
	tr.abandon()
	if n := lease.HTTP2.Active(); n != 0 {
		t.Errorf("%d slots leaked", n)
	}
}
