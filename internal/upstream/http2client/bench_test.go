package http2client_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/homeward/homeward/internal/upstream/http2client"
	"github.com/homeward/homeward/route"
)

// BenchmarkRequest is one request with an answer of 1 KiB, against a gateway
// in this process: its allocations count, too.
func BenchmarkRequest(b *testing.B) {
	body := make([]byte, 1<<10)
	c := open(b, serve(b, func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(body) }), http2client.Options{})
	h := get("/a?b=c", route.Field{Name: "Accept", Value: "*/*"}, route.Field{Name: "User-Agent", Value: "bench"}, route.Field{Name: "Authorization", Value: "Bearer synthetic"})
	buf := make([]byte, 4<<10)
	b.ReportAllocs()
	for b.Loop() {
		if !c.Reserve() {
			b.Fatal("no slot")
		}
		s, err := c.Begin(h, true)
		if err != nil {
			b.Fatal(err)
		}
		var r http2client.Response
		if err := s.ReadHead(&r); err != nil {
			b.Fatal(err)
		}
		for err == nil {
			_, err = s.Read(buf)
		}
		if err != io.EOF {
			b.Fatal(err)
		}
		s.Cancel()
	}
}

// BenchmarkDownload reads answers of 16 MiB through one stream at a time.
func BenchmarkDownload(b *testing.B) {
	const size = 16 << 20
	part := make([]byte, 64<<10)
	c := open(b, serve(b, func(w http.ResponseWriter, r *http.Request) {
		for range size / len(part) {
			_, _ = w.Write(part)
		}
	}), http2client.Options{})
	buf := make([]byte, 32<<10)
	b.SetBytes(size)
	for b.Loop() {
		s := begin(b, c, get("/"), true)
		readHead(b, s)
		if n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, s, buf); n != size || err != nil {
			b.Fatal(n, err)
		}
	}
}
