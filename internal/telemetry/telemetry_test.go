package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
	"weak"

	"github.com/homeward/homeward/internal/proxy"
	"github.com/homeward/homeward/internal/telemetry"
	"github.com/homeward/homeward/route"
	"github.com/homeward/homeward/topology"
)

const token = "pat-eu1-20b81d7f-8e9e-4bb8-b4a3-7b2b926271f2"

// record is a record of a request that was decided.
func record(t testing.TB) *proxy.Record {
	t.Helper()
	table := tableOf(t, "private-app")
	r := &proxy.Record{
		Start: time.Date(2024, 3, 12, 1, 2, 3, 4e6, time.UTC), Duration: 1500 * time.Microsecond, RequestID: "id-1", Proto: "HTTP/1.1",
		Method: "GET", Host: "api.test", Path: "/x", Client: netip.MustParseAddr("192.0.2.1"), Table: table, Decided: true, Status: 200,
		Gateway: "127.0.0.1:2", Attempts: 1, BytesIn: 3, BytesOut: 5,
	}
	r.Decision = table.Decide(&route.Request{Method: "GET", Host: "api.test", Target: "/x", Fields: []route.Field{{Name: "Authorization", Value: "Bearer " + token}}})
	return r
}

// tableOf is a table of two cells and one rule.
func tableOf(t testing.TB, rule string) *route.Table {
	t.Helper()
	table, err := route.Compile(&topology.Topology{
		Version: 1,
		Facade:  topology.Facade{Hosts: []string{"api.test"}, LegacyCell: "na1"},
		Cells: []topology.Cell{
			{Name: "na1", Region: "r", Jurisdiction: "us", Gateways: []string{"http://127.0.0.1:1"}},
			{Name: "eu1", Region: "r", Jurisdiction: "eu", Gateways: []string{"http://127.0.0.1:2"}},
		},
		Credentials: []topology.CredentialRule{{Name: rule, In: []string{"bearer"}, Pattern: "pat-{cell}-{uuid}"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func TestAccessLogLine(t *testing.T) {
	var out bytes.Buffer
	l := telemetry.OpenAccessLog(&out)
	r := record(t)
	l.Done(r)
	r.Host, r.Path, r.Method = "a\"b\\c\n\x01\xff<é", strings.Repeat("é", 2000), strings.Repeat("M", 100)
	l.Done(r)
	if err := l.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	l.Done(r) // after the end: nothing
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d lines: %s", len(lines), out.String())
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(lines[0]), &got); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{
		"time": "2024-03-12T01:02:03.004Z", "request_id": "id-1", "client": "192.0.2.1", "method": "GET", "host": "api.test", "path": "/x",
		"outcome": "home", "cell": "eu1", "sent": "eu1", "rule": "private-app", "place": "bearer", "lane": "default",
		"status": 200.0, "duration_ms": 1.5, "gateway": "127.0.0.1:2", "bytes_in": 3.0, "bytes_out": 5.0, "fingerprint": r.Decision.Fingerprint.String(),
	} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
	if err := json.Unmarshal([]byte(lines[1]), &got); err != nil {
		t.Fatalf("hostile values break the line: %v\n%s", err, lines[1])
	}
	if got["host"] != "a\"b\\c\n\x01\ufffd<é" || len(got["method"].(string)) != 32 {
		t.Errorf("host %q, method %q", got["host"], got["method"])
	}
	if strings.Contains(out.String(), token) {
		t.Error("the log holds the credential")
	}
}

// stuck is a writer that blocks until it is let go, then fails.
type stuck struct{ release chan struct{} }

func (s *stuck) Write([]byte) (int, error) {
	<-s.release
	return 0, errors.New("disk full")
}

// A writer that stands still costs lines, never requests, and each is counted.
func TestAccessLogNeverBlocks(t *testing.T) {
	w := &stuck{make(chan struct{})}
	l := telemetry.OpenAccessLog(w)
	r := record(t)
	const n = 30000 // more than the buffer holds
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range n / 4 {
				l.Done(r)
			}
		})
	}
	wg.Wait()
	if l.Dropped() == 0 {
		t.Error("nothing was dropped while the writer stood still")
	}
	over, cancel := context.WithCancel(context.Background())
	cancel()
	if err := l.Close(over); !errors.Is(err, context.Canceled) {
		t.Errorf("closed with %v while the writer stood still", err)
	}
	close(w.release)
	if err := l.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if l.Dropped() != n {
		t.Errorf("%d of %d lines counted as lost", l.Dropped(), n)
	}
}

func TestMetrics(t *testing.T) {
	m := telemetry.NewMetrics()
	r := record(t)
	m.Done(r)
	m.Done(r)
	r.Kind, r.Status, r.Aborted = proxy.UpstreamReset, 502, proxy.UpstreamAborted
	m.Done(r)
	m.Loaded(nil)
	m.Loaded(errors.New("refused"))
	rec := httptest.NewRecorder()
	m.Handler().ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	for _, want := range []string{
		`homeward_decisions_total{cell="eu1",outcome="home",rule="private-app",sent="eu1"} 3`,
		`homeward_requests_total{by="cell",cell="eu1",code="2xx"} 2`,
		`homeward_requests_total{by="homeward",cell="eu1",code="5xx"} 1`,
		`homeward_problems_total{kind="upstream-reset"} 1`,
		`homeward_problems_total{kind="conflict"} 0`,
		`homeward_aborted_total{by="upstream"} 1`,
		`homeward_topology_loads_total{result="refused"} 1`,
		`homeward_request_duration_seconds_count{cell="eu1",type="short"} 3`,
	} {
		if !strings.Contains(rec.Body.String(), want) {
			t.Errorf("no %s", want)
		}
	}
}

// A topology that is replaced often must not fill the memory.
func TestMetricsLetGoOfReplacedTables(t *testing.T) {
	m := telemetry.NewMetrics()
	replaced := func() weak.Pointer[route.Table] {
		r := record(t)
		m.Done(r)
		return weak.Make(r.Table)
	}()
	m.Done(record(t))
	runtime.GC()
	if replaced.Value() != nil {
		t.Error("the table that was replaced is still held")
	}
	runtime.KeepAlive(m)
}

func TestRecentKeepsTheLast(t *testing.T) {
	recent := telemetry.NewRecent(3)
	if got := recent.Last(5); len(got) != 0 {
		t.Errorf("%d records before the first", len(got))
	}
	r := record(t)
	for _, id := range []string{"1", "2", "3", "4"} {
		r.RequestID = id
		recent.Done(r)
	}
	var ids []string
	for _, rec := range recent.Last(2) {
		ids = append(ids, rec.RequestID)
	}
	if strings.Join(ids, " ") != "4 3" {
		t.Errorf("the last are %v", ids)
	}
	if got := recent.Last(100); len(got) != 3 {
		t.Errorf("%d records, want 3", len(got))
	}
}

// What lasts is told apart from what is short, and a call by its own status.
func TestRequestTypes(t *testing.T) {
	var out bytes.Buffer
	l, m := telemetry.OpenAccessLog(&out), telemetry.NewMetrics()
	for _, kind := range proxy.RequestTypes() {
		for _, status := range []int8{0, 14, -1} {
			r := record(t)
			r.Type, r.GRPC = kind, status
			l.Done(r)
			m.Done(r)
		}
	}
	if err := l.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"type":"events"`, `"type":"long-poll"`, `"type":"websocket"`, `"type":"grpc","status":200,"grpc_status":14`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %s in %s", want, out.String())
		}
	}
	if n := strings.Count(out.String(), "grpc_status"); n != 2 {
		t.Errorf("%d lines have the status of a call, want 2", n)
	}
	if strings.Contains(out.String(), `"type":"short"`) {
		t.Error("a short request has a type in the log")
	}
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, want := range []string{
		`homeward_grpc_calls_total{cell="eu1",status="0"} 1`, `homeward_grpc_calls_total{cell="eu1",status="14"} 1`,
		`homeward_grpc_calls_total{cell="eu1",status="none"} 1`, `homeward_request_duration_seconds_count{cell="eu1",type="websocket"} 3`,
		`homeward_request_duration_seconds_count{cell="eu1",type="short"} 3`,
	} {
		if !strings.Contains(w.Body.String(), want+"\n") {
			t.Errorf("no %s", want)
		}
	}
}
