package load

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const wrkOutput = `Running 1s test @ http://127.0.0.1:1/v1/contacts
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.70ms    1.02ms  20.15ms   93.90%
  35167 requests in 1.00s, 41.10MB read
{"requests":35167,"errors":3,"took_us":1000412,"p50_us":1774,"p99_us":5569,"p999_us":10832}
`

func TestParseWrk(t *testing.T) {
	got, err := parseWrk([]byte(wrkOutput))
	if err != nil {
		t.Fatal(err)
	}
	want := Result{Requests: 35167, Errors: 3, Took: 1000412 * time.Microsecond,
		P50: 1774 * time.Microsecond, P99: 5569 * time.Microsecond, P999: 10832 * time.Microsecond}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"", "unable to connect to 127.0.0.1:1 Connection refused\n", "{\"requests\":\n"} {
		if got, err := parseWrk([]byte(bad)); err == nil {
			t.Errorf("%q: read as %v", bad, got)
		}
	}
}

const h2loadOutput = `starting benchmark...
TLS Protocol: TLSv1.3
Main benchmark duration is over for thread #0. Stopping all clients.

finished in 2.01s, 8000.00 req/s, 555.20KB/s
requests: 8019 total, 8024 started, 8014 done, 8000 succeeded, 7 failed, 5 errored, 2 timeout
status codes: 8000 2xx, 0 3xx, 7 4xx, 0 5xx
`

func TestParseH2Load(t *testing.T) {
	got, err := parseH2Load([]byte(h2loadOutput))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Result{Requests: 8000, Errors: 14, Took: 2010 * time.Millisecond}, got); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"", "Could not connect to the host\n", strings.ReplaceAll(h2loadOutput, "finished in", "ended in")} {
		if got, err := parseH2Load([]byte(bad)); err == nil {
			t.Errorf("%q: read as %v", bad, got)
		}
	}
}

func TestParseH2Log(t *testing.T) {
	got, err := parseH2Log([]byte("1795346307932638\t200\t229\n1795346307932640\t200\t307\tmore\n"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]time.Duration{229 * time.Microsecond, 307 * time.Microsecond}, got); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"1795346307932638\t200\n", "1\t200\tx\n"} {
		if _, err := parseH2Log([]byte(bad)); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

func TestQuantile(t *testing.T) {
	values := make([]int64, 1000)
	for i := range values {
		values[i] = int64(i + 1)
	}
	for q, want := range map[float64]int64{0: 1, 0.5: 501, 0.99: 991, 0.999: 1000, 1: 1000} {
		if got := Quantile(values, q); got != want {
			t.Errorf("%v of 1 to 1000: %d, want %d", q, got, want)
		}
	}
	if got := Quantile([]int64(nil), 0.5); got != 0 {
		t.Errorf("of nothing: %d", got)
	}
}

func TestResultsWithErrorsAreRefused(t *testing.T) {
	for _, test := range []struct {
		result Result
		ok     bool
	}{
		{Result{Requests: 10}, true},
		{Result{Requests: 10, Errors: 1}, false},
		{Result{}, false},
	} {
		if err := test.result.check("a load"); (err == nil) != test.ok || (err != nil && !errors.Is(err, ErrAnswers)) {
			t.Errorf("%+v: %v", test.result, err)
		}
	}
}

func TestLuaOfATarget(t *testing.T) {
	target := Target{Host: "api.example.test", Path: "/v1", Tokens: []string{"hw_na1_a", "hw_eu1_b"}, Post: 3}
	want := "local tokens = {\"hw_na1_a\",\"hw_eu1_b\",}\n" +
		"local host, path, agent, accept, body = \"api.example.test\", \"/v1\", \"bench-client/1.0\", \"application/json\", nil\n" +
		"body = string.rep(\"b\", 3)\n"
	if diff := cmp.Diff(want, target.lua()); diff != "" {
		t.Error(diff)
	}
}

func TestWholeSeconds(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "1s", time.Second: "1s", 2600 * time.Millisecond: "3s"} {
		if got := wholeSeconds(d); got != want {
			t.Errorf("%s: %s, want %s", d, got, want)
		}
	}
}
