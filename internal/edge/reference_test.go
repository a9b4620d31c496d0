package edge_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/homeward/homeward/internal/proxy"
	"github.com/homeward/homeward/internal/testcell"
)

// The reference names every kind with its status, every metric, and every field
// of the access log.
func TestReferenceIsComplete(t *testing.T) {
	b, err := os.ReadFile("../../docs/reference/edge.md")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(b), "`…_", "`homeward_upstream_connections_")
	for _, k := range proxy.Kinds() {
		if !regexp.MustCompile("(?m)^\\| `" + k.String() + "` \\| " + strconv.Itoa(k.Status())).MatchString(text) {
			t.Errorf("kind %s with status %d is not in the reference", k, k.Status())
		}
	}
	w := newWorld(t, nil, testcell.Options{})
	w.raw("POST /x HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer hw_eu1_19juN56_f1v2cFAedxukuoTucal7UkVcwjphJhtl4DIXQL\r\nContent-Length: 2\r\n\r\nhi")
	w.raw("GET / HTTP/1.1\r\nHost: unknown.test\r\n\r\n")
	w.raw("GET /healthz HTTP/1.1\r\nHost: unknown.test\r\n\r\n")
	admin := httptest.NewServer(w.edge.Admin())
	defer admin.Close()
	for _, name := range regexp.MustCompile(`(?m)^# TYPE (homeward_\w+)`).FindAllStringSubmatch(fetch(t, admin.URL+"/metrics"), -1) {
		if !strings.Contains(text, "`"+name[1]+"`") {
			t.Errorf("metric %s is not in the reference", name[1])
		}
	}
	eventually(t, "all requests are logged", func() bool { return strings.Count(w.log.String(), "\n") >= 3 })
	for line := range strings.Lines(w.log.String()) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		for name := range fields {
			if !strings.Contains(text, "`"+name+"`") {
				t.Errorf("field %s of the access log is not in the reference", name)
			}
		}
	}
}

func TestAdminPort(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{})
	w.raw("GET /crm?secret=1 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + euToken + "\r\n\r\n")
	w.raw("GET /crm HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer pat-eu1-broken\r\n\r\n")
	admin := httptest.NewServer(w.edge.Admin())
	defer admin.Close()
	for path, want := range map[string]string{
		"/healthz": "ok\n", "/readyz": "ready\n",
	} {
		if got := fetch(t, admin.URL+path); got != want {
			t.Errorf("%s: %q", path, got)
		}
	}
	if got := fetch(t, admin.URL+"/debug/pprof/goroutine?debug=1"); !strings.Contains(got, "goroutine profile") {
		t.Errorf("no profile: %.100s", got)
	}
	text := fetch(t, admin.URL+"/decisions")
	for _, want := range []string{"sent to eu1", "private-app", "malformed"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in the decisions:\n%s", want, text)
		}
	}
	if i, j := strings.Index(text, "malformed"), strings.Index(text, "sent to eu1"); i > j {
		t.Error("the latest decision is not the first")
	}
	var decisions struct {
		Reports []struct{ Outcome string }
	}
	if err := json.Unmarshal([]byte(fetch(t, admin.URL+"/decisions?n=1&format=json")), &decisions); err != nil ||
		len(decisions.Reports) != 1 || decisions.Reports[0].Outcome != "malformed" {
		t.Errorf("%+v, %v", decisions, err)
	}
	if strings.Contains(text, "20b81d7f") || strings.Contains(text, "secret=1") {
		t.Error("a secret is among the decisions")
	}
}

func fetch(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
