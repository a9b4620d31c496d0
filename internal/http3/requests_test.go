package http3_test

import (
	"net/http"
	"testing"

	"github.com/homeward/homeward/internal/testcell"
)

func TestGet(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{})
	r := do(t, w.client(), w.request(http.MethodGet, "/hello?x=1;y=2", nil, 0))
	if r.StatusCode != 200 || r.report.Cell != "eu1" || r.report.Target != "/hello?x=1;y=2" || r.report.Host != "localhost" {
		t.Fatalf("%d %s", r.StatusCode, r.body)
	}
	for _, f := range r.report.Headers {
		if f[0] == "Transfer-Encoding" || f[0] == "Content-Length" {
			t.Errorf("the cell got a body: %v", f)
		}
	}
	rec := w.seen.next(t)
	if rec.Proto != "HTTP/3.0" || !rec.TLS || rec.Client.String() != "127.0.0.1" || rec.Status != 200 {
		t.Errorf("recorded %+v", rec)
	}
}
