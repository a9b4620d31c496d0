package telemetry_test

import (
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/homeward/homeward/internal/proxy"
	"github.com/homeward/homeward/internal/telemetry"
)

// scrape is what a scrape of the metrics gets, line by line.
func scrape(m *telemetry.Metrics) map[string]bool {
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	lines := map[string]bool{}
	for line := range strings.SplitSeq(w.Body.String(), "\n") {
		lines[line] = true
	}
	return lines
}

// However many count at once, over reloads and scrapes: each request counts once,
// and the series go on under the next table.
func TestMetricsCountEachRequestOnce(t *testing.T) {
	m := telemetry.NewMetrics()
	const goroutines, each = 8, 2000
	var wg sync.WaitGroup
	for range goroutines {
		old, now := record(t), record(t) // each has a table of its own
		wg.Go(func() {
			for i := range each {
				if i%100 == 0 {
					old, now = now, old
				}
				m.Done(now)
			}
		})
	}
	for range 20 {
		scrape(m)
	}
	wg.Wait()
	lines := scrape(m)
	for _, want := range []string{
		`homeward_decisions_total{cell="eu1",outcome="home",rule="private-app",sent="eu1"} 16000`,
		`homeward_requests_total{by="cell",cell="eu1",code="2xx"} 16000`,
		`homeward_request_duration_seconds_count{cell="eu1",type="short"} 16000`,
		`homeward_request_duration_seconds_bucket{cell="eu1",type="short",le="0.001"} 0`,
		`homeward_request_duration_seconds_bucket{cell="eu1",type="short",le="0.0025"} 16000`,
		`homeward_request_duration_seconds_bucket{cell="eu1",type="short",le="+Inf"} 16000`,
		`homeward_request_duration_seconds_sum{cell="eu1",type="short"} 24`,
	} {
		if !lines[want] {
			t.Errorf("no %s", want)
		}
	}
}

// Every kind of request has the labels that are documented.
func TestMetricsLabels(t *testing.T) {
	m := telemetry.NewMetrics()
	for _, change := range []func(*proxy.Record){
		func(r *proxy.Record) {},
		func(r *proxy.Record) { r.Status = 0 },
		func(r *proxy.Record) { r.Status, r.Own, r.Decided, r.Duration = 503, "health", false, 2*time.Minute },
		func(r *proxy.Record) { *r = proxy.Record{Status: 400, Kind: proxy.BadFraming, Duration: time.Minute} },
		func(r *proxy.Record) { r.Decision.Rule, r.Decision.Send = -1, 0 },
		func(r *proxy.Record) { r.Type, r.Status = proxy.WebSocket, 101 },
	} {
		r := record(t)
		change(r)
		m.Done(r)
	}
	lines := scrape(m)
	for _, want := range []string{
		`homeward_requests_total{by="cell",cell="eu1",code="2xx"} 1`,
		`homeward_requests_total{by="cell",cell="eu1",code="none"} 1`,
		`homeward_requests_total{by="homeward",cell="",code="5xx"} 1`,
		`homeward_requests_total{by="homeward",cell="",code="4xx"} 1`,
		`homeward_requests_total{by="cell",cell="na1",code="2xx"} 1`,
		`homeward_requests_total{by="cell",cell="eu1",code="1xx"} 1`,
		`homeward_decisions_total{cell="eu1",outcome="home",rule="private-app",sent="eu1"} 3`,
		`homeward_decisions_total{cell="eu1",outcome="home",rule="",sent="na1"} 1`,
		`homeward_request_duration_seconds_count{cell="eu1",type="websocket"} 1`,
		`homeward_request_duration_seconds_bucket{cell="",type="short",le="60"} 1`,
		`homeward_request_duration_seconds_count{cell="",type="short"} 2`,
	} {
		if !lines[want] {
			t.Errorf("no %s", want)
		}
	}
}
