package http2client_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/homeward/homeward/internal/testleak"
	"github.com/homeward/homeward/internal/upstream/http2client"
	"github.com/homeward/homeward/route"
)

func TestMain(m *testing.M) { testleak.Main(m) }

// serve runs the standard library's server without TLS.
func serve(tb testing.TB, h http.HandlerFunc) net.Conn {
	tb.Helper()
	ts := httptest.NewUnstartedServer(h)
	ts.Config.Protocols = new(http.Protocols)
	ts.Config.Protocols.SetUnencryptedHTTP2(true)
	ts.Config.ErrorLog = log.New(io.Discard, "", 0)
	ts.Start()
	tb.Cleanup(ts.Close)
	nc, err := net.Dial("tcp", ts.Listener.Addr().String())
	if err != nil {
		tb.Fatal(err)
	}
	return nc
}

func open(tb testing.TB, nc net.Conn, o http2client.Options) *http2client.Conn {
	tb.Helper()
	ended := make(chan struct{})
	closed := o.Closed
	o.Closed = func() {
		if closed != nil {
			closed()
		}
		close(ended)
	}
	c, err := http2client.Open(tb.Context(), nc, o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if n := c.Active(); n != 0 {
			tb.Errorf("%d slots leaked", n)
		}
		c.Close()
		<-ended
	})
	return c
}

func begin(tb testing.TB, c *http2client.Conn, h *http2client.Head, end bool) *http2client.Stream {
	tb.Helper()
	if !c.Reserve() {
		tb.Fatal("the connection takes no stream")
	}
	s, err := c.Begin(h, end)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Cancel)
	return s
}

func get(path string, fields ...route.Field) *http2client.Head {
	return &http2client.Head{Method: "GET", Scheme: "http", Authority: "gateway.test", Path: path, Fields: fields}
}

func post(path string, fields ...route.Field) *http2client.Head {
	h := get(path, fields...)
	h.Method = "POST"
	return h
}

func readHead(tb testing.TB, s *http2client.Stream) http2client.Response {
	tb.Helper()
	var r http2client.Response
	if err := s.ReadHead(&r); err != nil {
		tb.Fatal(err)
	}
	return r
}

func readAll(tb testing.TB, s *http2client.Stream) string {
	tb.Helper()
	b, err := io.ReadAll(s)
	if err != nil {
		tb.Fatal(err)
	}
	return string(b)
}

func value(fields []route.Field, name string) string {
	var all []string
	for _, f := range fields {
		if f.Name == name {
			all = append(all, f.Value)
		}
	}
	return strings.Join(all, "|")
}

func TestExchange(t *testing.T) {
	c := open(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		w.Header().Add("X-Seen", "a")
		w.Header().Add("X-Seen", "b")
		fmt.Fprintf(w, "%s %s %s %q cookie=%q body=%s trailer=%q", r.Method, r.RequestURI, r.Host, r.Header["X-Two"], r.Header["Cookie"], b, r.Trailer["X-Sum"])
	}), http2client.Options{})
	s := begin(t, c, post("/a%2fb?q=%zz", route.Field{Name: "X-Two", Value: "1"}, route.Field{Name: "x-two", Value: "2"},
		route.Field{Name: "Cookie", Value: "a=b; c=d"}, route.Field{Name: "Trailer", Value: "X-Sum"}), false)
	for _, part := range []string{"one ", "two"} {
		if n, err := s.Write([]byte(part)); n != len(part) || err != nil {
			t.Fatal(n, err)
		}
	}
	if err := s.End([]route.Field{{Name: "X-Sum", Value: "7"}}); err != nil {
		t.Fatal(err)
	}
	r := readHead(t, s)
	if r.Status != 200 || r.End || value(r.Fields, "X-Seen") != "a|b" {
		t.Errorf("head: %+v", r)
	}
	want := `POST /a%2fb?q=%zz gateway.test ["1" "2"] cookie=["a=b; c=d"] body=one two trailer=["7"]`
	if diff := cmp.Diff(want, readAll(t, s)); diff != "" {
		t.Error(diff)
	}
	if n := c.Active(); n != 0 {
		t.Errorf("%d slots used after the end", n)
	}
	if _, err := s.Write([]byte("more")); err == nil {
		t.Error("written after the end")
	}
}

func TestInterimAndTrailer(t *testing.T) {
	c := open(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Link", "</a.css>")
		w.WriteHeader(103)
		w.Header().Set("Trailer", "X-Known")
		_, _ = io.WriteString(w, "body")
		w.Header().Set("X-Known", "1")
		w.Header().Set(http.TrailerPrefix+"X-Sudden", "2")
	}), http2client.Options{})
	s := begin(t, c, post("/", route.Field{Name: "Expect", Value: "100-continue"}), false)
	var seen []int
	for {
		r := readHead(t, s)
		seen = append(seen, r.Status)
		if r.Status == 100 {
			if err := s.End(nil); err != nil {
				t.Fatal(err)
			}
		}
		if !r.Interim() {
			break
		}
	}
	if diff := cmp.Diff([]int{100, 103, 200}, seen); diff != "" {
		t.Error(diff)
	}
	if got := readAll(t, s); got != "body" {
		t.Errorf("body %q", got)
	}
	if got := s.Trailer(); value(got, "X-Known") != "1" || value(got, "X-Sudden") != "2" {
		t.Errorf("trailer %v", got)
	}
}

func TestLargeBothWays(t *testing.T) {
	const size = 3 << 20
	c := open(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		_, _ = io.Copy(w, r.Body)
	}), http2client.Options{Window: 100_000})
	var all sync.WaitGroup
	for i := range 8 {
		s := begin(t, c, post("/"), false)
		body := bytes.Repeat([]byte{byte('a' + i), byte(i)}, size/2)
		all.Go(func() {
			if n, err := s.Write(body); n != size || err != nil {
				t.Error(n, err)
			}
			if err := s.End(nil); err != nil {
				t.Error(err)
			}
		})
		all.Go(func() {
			var r http2client.Response
			if err := s.ReadHead(&r); err != nil {
				t.Error(err)
				return
			}
			h := sha256.New()
			if n, err := io.Copy(h, s); n != size || err != nil {
				t.Error(n, err)
			} else if want := sha256.Sum256(body); !bytes.Equal(h.Sum(nil), want[:]) {
				t.Error("the body came back changed")
			}
		})
	}
	all.Wait()
}

func TestSlowReaderStallsNobody(t *testing.T) {
	c := open(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(make([]byte, 1<<20))
	}), http2client.Options{Window: 64 << 10})
	for range 20 {
		slow := begin(t, c, get("/"), true)
		readHead(t, slow)
	}
	s := begin(t, c, get("/"), true)
	readHead(t, s)
	if n := len(readAll(t, s)); n != 1<<20 {
		t.Errorf("%d bytes", n)
	}
	if c.Active() != 20 {
		t.Errorf("%d active", c.Active())
	}
}

func TestDeadlines(t *testing.T) {
	c := open(t, serve(t, func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }), http2client.Options{})
	s := begin(t, c, post("/"), false)
	check := func(what string, err error) {
		t.Helper()
		var ne net.Error
		if !errors.As(err, &ne) || !ne.Timeout() || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: %v", what, err)
		}
	}
	_ = s.SetReadDeadline(time.Now().Add(time.Millisecond))
	check("ReadHead", s.ReadHead(new(http2client.Response)))
	_ = s.SetReadDeadline(time.Time{})
	failed := make(chan error)
	go func() {
		_, err := s.Write(make([]byte, 4<<20))
		failed <- err
	}()
	go func() {
		_, err := s.Read(make([]byte, 1))
		failed <- err
	}()
	_ = s.SetWriteDeadline(time.Now().Add(-time.Second))
	check("Write", <-failed)
	_ = s.SetReadDeadline(time.Unix(1, 0))
	check("Read", <-failed)
}

func TestCancelWakes(t *testing.T) {
	gone := make(chan struct{})
	c := open(t, serve(t, func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done(); close(gone) }), http2client.Options{})
	s := begin(t, c, post("/"), false)
	failed := make(chan error)
	go func() {
		_, err := s.Write(make([]byte, 4<<20))
		failed <- err
	}()
	go func() { failed <- s.ReadHead(new(http2client.Response)) }()
	s.Cancel()
	for range 2 {
		if err := <-failed; !errors.Is(err, http2client.ErrCanceled) {
			t.Error(err)
		}
	}
	s.Cancel()
	<-gone
	if c.Active() != 0 {
		t.Error("the slot is not free")
	}
}

func TestRetire(t *testing.T) {
	release := make(chan struct{})
	ended := make(chan struct{})
	c := open(t, serve(t, func(w http.ResponseWriter, r *http.Request) { <-release }), http2client.Options{Closed: func() { close(ended) }})
	s := begin(t, c, get("/"), true)
	c.Retire()
	if c.Reserve() {
		t.Error("a retired connection takes a stream")
	}
	close(release)
	if r := readHead(t, s); r.Status != 200 || !r.End {
		t.Errorf("%+v", r)
	}
	<-ended
	if _, err := s.Read(make([]byte, 1)); err != io.EOF {
		t.Error(err)
	}
}

func TestNotHTTP2(t *testing.T) {
	ts := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(ts.Close)
	nc, err := net.Dial("tcp", ts.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := http2client.Open(t.Context(), nc, http2client.Options{}); !errors.Is(err, http2client.ErrNotHTTP2) {
		t.Error(err)
	}
	if _, err := nc.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the connection was not closed: %v", err)
	}
}
