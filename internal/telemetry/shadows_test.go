package telemetry_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/homeward/homeward/internal/proxy"
	"github.com/homeward/homeward/internal/telemetry"
)

func TestShadows(t *testing.T) {
	var log bytes.Buffer
	now := time.Unix(1e9, 0)
	s := telemetry.NewShadows(3, slog.New(slog.NewTextHandler(&log, nil)), func() time.Time { return now })
	s.Declare("next")
	for i, r := range proxy.ShadowResults() {
		c := proxy.Comparison{Shadow: "next", Result: r, RequestID: fmt.Sprint("a", i), Path: "/x", Cell: proxy.Side{Status: 200, Wait: time.Millisecond}}
		if r != proxy.NoAnswer && r != proxy.NotSent && r != proxy.OverLimit {
			c.Copy = proxy.Side{Status: 200, Wait: 20 * time.Millisecond}
		}
		s.Shadowed(c)
	}
	if n := strings.Count(log.String(), "\n"); n != 1 {
		t.Errorf("%d lines for differences at one moment:\n%s", n, log.String())
	}
	now = now.Add(10 * time.Second)
	s.Shadowed(proxy.Comparison{Shadow: "next", Result: proxy.OtherBody, RequestID: "b"})
	if n := strings.Count(log.String(), "\n"); n != 2 {
		t.Errorf("%d lines ten seconds later", n)
	}
	var ids []string
	for _, c := range s.Differing(10) {
		ids = append(ids, c.RequestID)
	}
	if got := strings.Join(ids, " "); got != "b a3 a2" {
		t.Errorf("kept %s: the last three that differ, the latest first, are b a3 a2", got)
	}
	if got := len(s.Differing(1)); got != 1 {
		t.Errorf("%d of one asked for", got)
	}
	text := gather(t, s)
	for result, n := range map[string]int{"same": 1, "status": 1, "body": 2, "failed": 1, "dropped": 1, "too-large": 1} {
		if want := fmt.Sprintf("next %s %d", result, n); !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	for _, want := range []string{"next cell 3", "next copy 3"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

// gather writes each series as its labels and its count.
func gather(t *testing.T, c prometheus.Collector) string {
	t.Helper()
	r := prometheus.NewRegistry()
	r.MustRegister(c)
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, f := range families {
		for _, m := range f.GetMetric() {
			byName := map[string]string{}
			for _, l := range m.GetLabel() {
				byName[l.GetName()] = l.GetValue()
			}
			n := m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
			fmt.Fprintf(&b, "%s %s%s %v\n", byName["shadow"], byName["result"], byName["side"], n)
		}
	}
	return b.String()
}
