package telemetry_test

import (
	"bytes"
	"context"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/homeward/homeward/internal/proxy"
	"github.com/homeward/homeward/internal/telemetry"
	"github.com/homeward/homeward/route"
	"github.com/homeward/homeward/topology"
)

// writes counts what it is given.
type writes struct{ pieces, lines atomic.Int64 }

func (w *writes) Write(b []byte) (int, error) {
	w.pieces.Add(1)
	w.lines.Add(int64(bytes.Count(b, []byte{'\n'})))
	return len(b), nil
}

// The system is called for many lines at once, and yet each is there soon.
func TestAccessLogWritesSoonAndSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r := &writes{}, record(t)
		l := telemetry.OpenAccessLog(w)
		for range 3 { // it goes on so after each time that nothing came
			before := w.pieces.Load()
			for range 100 {
				l.Done(r)
			}
			synctest.Wait()
			if got := w.pieces.Load() - before; got != 0 {
				t.Errorf("%d pieces at once", got)
			}
			time.Sleep(100 * time.Millisecond)
			synctest.Wait()
			if got := w.pieces.Load() - before; got != 1 {
				t.Errorf("%d pieces after 100 ms, want 1", got)
			}
		}
		if got := w.lines.Load(); got != 300 {
			t.Errorf("%d lines, want 300", got)
		}
		for range 1000 { // more than is let wait
			l.Done(r)
		}
		synctest.Wait()
		if got := w.lines.Load(); got == 300 {
			t.Error("much waits for the time to pass")
		}
		if err := l.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		if got := w.lines.Load(); got != 1300 {
			t.Errorf("%d lines in the end, want 1300", got)
		}
	})
}

// The lines are in the order in which requests ended.
func TestAccessLogOrder(t *testing.T) {
	var out bytes.Buffer
	l, r := telemetry.OpenAccessLog(&out), record(t)
	var want strings.Builder
	for i := range 500 {
		r.RequestID = "id-" + strings.Repeat("x", i%7)
		want.WriteString(r.RequestID + "\n")
		l.Done(r)
	}
	if err := l.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for line := range strings.Lines(out.String()) {
		_, rest, _ := strings.Cut(line, `"request_id":"`)
		id, _, _ := strings.Cut(rest, `"`)
		got.WriteString(id + "\n")
	}
	if got.String() != want.String() {
		t.Errorf("the order is\n%s, want\n%s", got.String(), want.String())
	}
}

// What a line says of a decision is its own, whatever the lines before it said,
// and of its own table.
func TestAccessLogDecisions(t *testing.T) {
	changes := []func(*proxy.Record){
		func(r *proxy.Record) {},
		func(r *proxy.Record) { r.Decision.Rule = route.None },
		func(r *proxy.Record) {
			r.Decision.Outcome, r.Decision.Cell, r.Decision.Send = route.Malformed, route.None, route.None
		},
		func(r *proxy.Record) { r.Decision.Send = 0 },
		func(r *proxy.Record) { r.Decision.Cell = 0 },
		func(r *proxy.Record) { r.Decision.Outcome = route.Legacy },
		func(r *proxy.Record) { r.Decision.Reason = route.ByOverride },
		func(r *proxy.Record) { r.Decision.Place = topology.Place{} },
		func(r *proxy.Record) { r.Decision.Place = topology.Place{Kind: topology.HeaderPlace, Name: "x"} },
		func(r *proxy.Record) { r.Decision.Place = topology.Place{Kind: topology.HeaderPlace, Name: "y"} },
		func(r *proxy.Record) { r.Decided = false },
		func(r *proxy.Record) { r.Table = tableOf(t, "other-rule") },
	}
	alone := func(r *proxy.Record) string {
		var out bytes.Buffer
		l := telemetry.OpenAccessLog(&out)
		l.Done(r)
		if err := l.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	var out bytes.Buffer
	var want strings.Builder
	l, seen := telemetry.OpenAccessLog(&out), map[string]bool{}
	for range 2 {
		for _, a := range changes {
			for _, b := range changes {
				r := record(t)
				a(r)
				l.Done(r)
				want.WriteString(alone(r))
				b(r)
				l.Done(r)
				said := alone(r)
				want.WriteString(said)
				seen[said] = true
			}
		}
	}
	if err := l.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if out.String() != want.String() || len(seen) < len(changes) {
		t.Errorf("%d decisions are told otherwise in a row than each alone", len(seen))
	}
}

// The whole of lines with everything and with nothing in them.
func TestAccessLogWholeLines(t *testing.T) {
	full := record(t)
	full.Start = time.Date(2024, 12, 31, 23, 59, 59, 999_999_999, time.FixedZone("west", -3600))
	full.Type, full.GRPC, full.Kind, full.Own = proxy.GRPC, 14, proxy.UpstreamReset, "health"
	full.Upstream, full.Duration, full.Attempts, full.Aborted = 1234567*time.Nanosecond, 61*time.Second+7*time.Microsecond, 2, proxy.UpstreamAborted
	full.Client, full.Decision.HasAccount, full.Decision.Account = netip.MustParseAddr("2001:db8::1"), true, 1<<64-1
	decided := `"outcome":"home","cell":"eu1","sent":"eu1","why":"the credential names the cell","rule":"private-app","place":"bearer","fingerprint":"` +
		full.Decision.Fingerprint.String() + `"`
	for _, c := range []struct {
		r    *proxy.Record
		want string
	}{
		{full, `{"time":"2025-01-01T00:59:59.999Z","request_id":"id-1","client":"2001:db8::1","proto":"HTTP/1.1","method":"GET","host":"api.test","path":"/x",` + decided +
			`,"account":"18446744073709551615","lane":"default","type":"grpc","status":200,"grpc_status":14,"error":"upstream-reset","own":"health",` +
			`"duration_ms":61000.007,"upstream_ms":1.234,"gateway":"127.0.0.1:2","attempts":2,"bytes_in":3,"bytes_out":5,"aborted":"upstream"}`},
		{record(t), `{"time":"2024-03-12T01:02:03.004Z","request_id":"id-1","client":"192.0.2.1","proto":"HTTP/1.1","method":"GET","host":"api.test","path":"/x",` + decided +
			`,"lane":"default","status":200,"duration_ms":1.500,"gateway":"127.0.0.1:2","bytes_in":3,"bytes_out":5}`},
		{&proxy.Record{GRPC: -1, Client: netip.MustParseAddr(`fe80::1%e"th0`)}, `{"time":"0001-01-01T00:00:00.000Z","client":"fe80::1%e\"th0","status":0,"duration_ms":0.000,"bytes_in":0,"bytes_out":0}`},
		{&proxy.Record{Start: time.Unix(1, 5e6), GRPC: -1, Type: proxy.GRPC, Kind: proxy.BadFraming, Status: 400}, `{"time":"1970-01-01T00:00:01.005Z","type":"grpc","status":400,"error":"bad-framing","duration_ms":0.000,"bytes_in":0,"bytes_out":0}`},
	} {
		var out bytes.Buffer
		l := telemetry.OpenAccessLog(&out)
		l.Done(c.r)
		if err := l.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		if out.String() != c.want+"\n" {
			t.Errorf("the line is\n%s, want\n%s", out.String(), c.want)
		}
	}
}
