package http2client_test

import (
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/homeward/homeward/internal/upstream/http2client"
)

// TestStorm has many requests end in every way at once; the connection and all
// its slots outlive them.
func TestStorm(t *testing.T) {
	c := open(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		w.WriteHeader(200)
		_, _ = io.Copy(w, r.Body)
	}), http2client.Options{Window: 10_000})
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			for j := range 10 {
				one(t, c, (i+j)%5)
			}
		})
	}
	all.Wait()
	if n := c.Active(); n != 0 {
		t.Fatalf("%d slots leaked", n)
	}
	one(t, c, 0)
}

// one sends a request that comes to one of five ends.
func one(t *testing.T, c *http2client.Conn, end int) {
	if !c.Reserve() {
		t.Error("no slot")
		return
	}
	if end == 1 {
		c.Release()
		return
	}
	s, err := c.Begin(post("/"), false)
	if err != nil {
		t.Error(err)
		return
	}
	defer s.Cancel()
	var both sync.WaitGroup
	defer both.Wait()
	both.Go(func() {
		if _, err := s.Write(make([]byte, 50_000)); err == nil {
			_ = s.End(nil)
		}
	})
	switch end {
	case 2:
		s.Cancel()
	case 3:
		_ = s.SetReadDeadline(time.Now())
		_ = s.SetWriteDeadline(time.Now())
		_ = drain(s)
		s.Cancel()
	case 4:
		_ = s.ReadHead(new(http2client.Response))
		_, _ = s.Read(make([]byte, 1000))
		s.Cancel()
	default:
		if err := drain(s); err != io.EOF && err != nil {
			t.Error(err)
		}
	}
}
