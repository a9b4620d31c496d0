package serve_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/homeward/homeward/internal/serve"
)

func TestLoopback(t *testing.T) {
	for addr, want := range map[string]bool{
		"127.0.0.1:8900": true, "127.8.8.8:1": true, "[::1]:8900": true, "localhost:8900": true,
		"LOCALHOST:0": true, "[::ffff:127.0.0.1]:80": true,
		":8900": false, "0.0.0.0:8900": false, "[::]:8900": false, "10.0.0.1:8900": false,
		"localhost.evil.test:80": false, "127.0.0.1.evil.test:80": false, "127.0.0.1": false, "": false,
	} {
		if got := serve.Loopback(addr); got != want {
			t.Errorf("Loopback(%q) = %v, want %v", addr, got, want)
		}
	}
}

// get asks a guarded port, over a real connection, and checks that a refusal
// is a problem with the kind.
func get(t *testing.T, guard http.Handler, host string, authorization ...string) (status int, kind string) {
	t.Helper()
	server := httptest.NewServer(guard)
	defer server.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	for _, line := range authorization {
		req.Header.Add("Authorization", line)
	}
	resp, err := server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if kind = resp.Header.Get("Homeward-Error"); kind == "" {
		return resp.StatusCode, ""
	}
	var problem struct {
		Type, Title, Detail, Kind string
		Status                    int
	}
	if err := json.NewDecoder(resp.Body).Decode(&problem); err != nil {
		t.Fatal(err)
	}
	if problem.Status != resp.StatusCode || problem.Title == "" || problem.Detail == "" || problem.Type != "urn:homeward:problem:"+kind || problem.Kind != kind ||
		resp.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("not a whole problem: %+v, %v", problem, resp.Header)
	}
	return resp.StatusCode, kind
}

func served() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
}

func TestRequireToken(t *testing.T) {
	guard := serve.RequireToken("synthetic-admin-token", served())
	for _, right := range []string{"Bearer synthetic-admin-token", "bearer synthetic-admin-token"} {
		if status, _ := get(t, guard, "", right); status != http.StatusNoContent {
			t.Errorf("%q: status %d", right, status)
		}
	}
	for _, wrong := range [][]string{
		nil, {""}, {"Bearer"}, {"Bearer "}, {"synthetic-admin-token"}, {"Basic synthetic-admin-token"},
		{"Bearer synthetic-admin-toke"}, {"Bearer synthetic-admin-token2"}, {"Bearer  synthetic-admin-token"},
		{"Bearer synthetic-admin-token", "Bearer synthetic-admin-token"},
	} {
		if status, kind := get(t, guard, "", wrong...); status != http.StatusUnauthorized || kind != "admin-token" {
			t.Errorf("%q: status %d, kind %q", wrong, status, kind)
		}
	}
}

func TestEmptyTokenLetsNothingThrough(t *testing.T) {
	for _, line := range []string{"", "Bearer ", "Bearer x"} {
		if status, _ := get(t, serve.RequireToken("", served()), "", line); status != http.StatusUnauthorized {
			t.Errorf("%q: status %d", line, status)
		}
	}
}

func TestRequireLocalHost(t *testing.T) {
	guard := serve.RequireLocalHost(served())
	for _, host := range []string{"localhost", "localhost:8900", "127.0.0.1", "127.0.0.1:8900", "[::1]", "[::1]:8900"} {
		if status, _ := get(t, guard, host); status != http.StatusNoContent {
			t.Errorf("Host %s: status %d", host, status)
		}
	}
	for _, host := range []string{"evil.test", "evil.test:8900", "localhost.evil.test", "127.0.0.1.evil.test:8900", "10.0.0.1:8900", "[fe80::1]"} {
		if status, kind := get(t, guard, host); status != http.StatusMisdirectedRequest || kind != "admin-host" {
			t.Errorf("Host %s: status %d, kind %q", host, status, kind)
		}
	}
}
