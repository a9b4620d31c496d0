package proxy

import (
	"net"
	"testing"
	"time"

	"github.com/homeward/homeward/internal/proxy/http1"
	"github.com/homeward/homeward/internal/upstream"
	"github.com/homeward/homeward/topology"
)

// A drain or a deadline may come when the exchange has just ended: the connection
// is another's by then.
func TestAbortAfterTheEndHarmsNobody(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	set := upstream.OpenSet(time.Now)
	defer set.Close()
	applied, err := set.Apply((&topology.Topology{
		Version: 1, Facade: topology.Facade{Hosts: []string{"localhost"}, LegacyCell: "na1"},
		Cells: []topology.Cell{{Name: "na1", Region: "r", Jurisdiction: "us", Gateways: []string{"http://" + l.Addr().String()}}},
	}).WithDefaults())
	if err != nil {
		t.Fatal(err)
	}
	pool := applied.Cells[0].Main
	lease, err := pool.Get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h := newHop(lease).(*http1Hop)
	h.answer = http1.ResponseBody(lease.Conn.Reader, &http1.Response{Status: 204}, "GET", http1.Limits{})
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
