package report_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/homeward/homeward/bench/internal/report"
)

func TestOf(t *testing.T) {
	for _, test := range []struct {
		name   string
		values []float64
		want   report.Spread
	}{
		{"none", nil, report.Spread{}},
		{"one", []float64{3}, report.Spread{Min: 3, Median: 3, Max: 3}},
		{"odd", []float64{9, 1, 4}, report.Spread{Min: 1, Median: 4, Max: 9}},
		{"even", []float64{8, 1, 4, 2}, report.Spread{Min: 1, Median: 3, Max: 8}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := report.Of(test.values); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestOfLeavesTheValuesInTheirOrder(t *testing.T) {
	values := []float64{3, 1, 2}
	report.Of(values)
	if diff := cmp.Diff([]float64{3, 1, 2}, values); diff != "" {
		t.Error(diff)
	}
}

func TestRatiosAreOfTheSameRound(t *testing.T) {
	for _, test := range []struct {
		name               string
		ours, theirs, want []float64
	}{
		{"each", []float64{10, 30}, []float64{5, 10}, []float64{2, 3}},
		{"a round is missing", []float64{10, 30}, []float64{5}, []float64{2}},
		{"a zero", []float64{10, 30}, []float64{0, 10}, []float64{3}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, report.Ratios(test.ours, test.theirs)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// drifting is a workload on a machine that becomes slower: the ratio stays 2,
// which the medians of the rounds (20 and 11) do not show.
func drifting() *report.Run {
	run := &report.Run{Workload: "plain-1k", Note: "As measured.", Ours: "homeward", Proxies: []string{"homeward", "nginx", "haproxy"}}
	for _, cost := range []float64{10, 11, 40} {
		m := report.Measures{}
		ours := 2 * cost
		if cost == 11 {
			ours = 20
		}
		m.Add("homeward", report.CPU, ours)
		m.Add("nginx", report.CPU, cost)
		m.Add("haproxy", report.CPU, cost/2)
		m.Add("nginx", report.Rate, 40000)
		run.Rounds = append(run.Rounds, m)
	}
	return run
}

func TestJSON(t *testing.T) {
	idle := &report.Run{Workload: "idle-10k", Ours: "homeward", Proxies: []string{"homeward", "nginx"}, Rounds: []report.Measures{{}}}
	text, err := report.JSON([]*report.Run{drifting(), idle})
	if err != nil {
		t.Fatal(err)
	}
	var got []map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	want := []map[string]any{
		{"workload": "plain-1k", "peer": "nginx", "cpu_us_ours": 20., "cpu_us_peer": 11., "ratio": 2., "rounds": 3.},
		{"workload": "plain-1k", "peer": "haproxy", "cpu_us_ours": 20., "cpu_us_peer": 5.5, "ratio": 4., "rounds": 3.},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(- want, + got):\n%s", diff)
	}
}

func TestJSONOfNothingIsAnArray(t *testing.T) {
	text, err := report.JSON(nil)
	if err != nil || strings.TrimSpace(string(text)) != "[]" {
		t.Errorf("got %q, %v", text, err)
	}
}

func TestTable(t *testing.T) {
	got := report.Table([]*report.Run{drifting()})
	want := `### plain-1k

As measured.

| proxy    | CPU µs/request | requests/s        | CPU ratio |
|----------|----------------|-------------------|-----------|
| homeward | 20.0–20.0–80.0 | –                 | –         |
| nginx    | 10.0–11.0–40.0 | 40000–40000–40000 | 1.82–2.00–2.00 |
| haproxy  | 5.00–5.50–20.00 | –                | 3.64–4.00–4.00 |
`
	if compact(got) != compact(want) {
		t.Errorf("got:\n%s", got)
	}
	width := 0
	for line := range strings.Lines(got) {
		if strings.HasPrefix(line, "|") {
			n := len([]rune(line))
			if width == 0 {
				width = n
			}
			if n != width {
				t.Errorf("a line of %d characters under one of %d: %s", n, width, line)
			}
		}
	}
}

// compact leaves out what only aligns columns.
func compact(table string) string {
	return strings.NewReplacer(" ", "", "-", "").Replace(table)
}

func TestMediansOfRatiosAreFinite(t *testing.T) {
	if m := report.Of(report.Ratios([]float64{1}, []float64{0})).Median; math.IsNaN(m) || math.IsInf(m, 0) {
		t.Errorf("got %v", m)
	}
}
