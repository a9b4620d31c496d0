package suite

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/homeward/homeward/bench/internal/load"
	"github.com/homeward/homeward/bench/internal/report"
	"github.com/homeward/homeward/bench/peers"
)

func TestSumOfARound(t *testing.T) {
	var s sum
	us := func(n int) time.Duration { return time.Duration(n) * time.Microsecond }
	s.add(load.Result{Requests: 100, Took: time.Second, P50: us(10), P99: us(90), P999: us(99)}, us(3000))
	s.add(load.Result{Requests: 300, Took: time.Second, P50: us(20), P99: us(70), P999: us(80)}, us(5000))
	s.add(load.Result{Requests: 0, Took: 2 * time.Second, P50: us(30), P99: us(80), P999: us(10)}, us(2000))
	m := report.Measures{}
	s.tell(m, "nginx")
	want := map[report.Figure]float64{
		report.CPU: 25, report.Rate: 100, report.Processor: 0.25,
		report.P50: 20, report.P99: 80, report.P999: 80,
	}
	if diff := cmp.Diff(want, m["nginx"]); diff != "" {
		t.Errorf("(- want, + got):\n%s", diff)
	}
	s.logs, s.lines = true, 200
	s.tell(m, "nginx")
	if got := m["nginx"][report.Logged]; got != 50 {
		t.Errorf("200 lines of 400 requests: %v %%", got)
	}
}

func TestWorkloads(t *testing.T) {
	var names, short []string
	for _, w := range All() {
		names = append(names, w.Name)
		if w.Short {
			short = append(short, w.Name)
		}
		if w.About == "" || w.path == "" {
			t.Errorf("%s says too little", w.Name)
		}
		if w.how == saturateH2 && w.connections%2 != 0 {
			t.Errorf("%s: %d connections cannot be shared by two tokens", w.Name, w.connections)
		}
	}
	for _, name := range []string{"plain-1k", "body-64k", "post-16k", "tls", "tls-handshake", "h2", "plain-1k-log", "plain-1k-half", "idle-10k"} {
		if !slices.Contains(names, name) {
			t.Errorf("there is no workload %s", name)
		}
	}
	if diff := cmp.Diff([]string{"plain-1k", "body-64k", "tls"}, short); diff != "" {
		t.Errorf("the short comparison: %s", diff)
	}
}

func TestTarget(t *testing.T) {
	s := &peers.Setup{Tokens: []string{"a", "b"}}
	p := &peers.Proxy{Plain: "127.0.0.1:81", TLS: "127.0.0.1:82"}
	for _, w := range All() {
		got := w.target(s, p)
		want := load.Target{Address: p.Plain, TLS: w.tls, Host: peers.Host, Path: w.path, Tokens: s.Tokens, Post: w.post}
		if w.tls {
			want.Address = p.TLS
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", w.Name, diff)
		}
	}
}
