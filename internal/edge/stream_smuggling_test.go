package edge_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/http2"

	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/topology"
)

// reader is an HTTP/1.1 gateway that notes what it read on its connections, and
// what it could not read.
type reader struct {
	serving sync.WaitGroup
	mu      sync.Mutex
	read    []string
	broken  []string
}

func (g *reader) serve(c *net.TCPConn, r *bufio.Reader) {
	g.serving.Add(1)
	defer g.serving.Done()
	for {
		req, err := http.ReadRequest(r)
		if err != nil {
			g.note(&g.broken, err)
			return
		}
		body, err := io.ReadAll(req.Body)
		if err != nil {
			g.note(&g.broken, err)
			return
		}
		g.mu.Lock()
		g.read = append(g.read, fmt.Sprintf("%s %s %s %q", req.Method, req.Host, req.RequestURI, body))
		g.mu.Unlock()
		if _, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"); err != nil {
			return
		}
	}
}

// note notes an error that is not just the end of a connection.
func (g *reader) note(list *[]string, err error) {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || strings.Contains(err.Error(), "reset") {
		return
	}
	g.mu.Lock()
	*list = append(*list, err.Error())
	g.mu.Unlock()
}

// smuggled is what no cell may read as a request.
const smuggled = "GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"

// attempt is one request of HTTP/2 that hides another.
type attempt struct {
	name     string
	fields   []string
	body     []string // pieces; nil for a request that ends with its head
	trailer  []string // nil for none
	arrives  string   // what the gateway may read, with PATH for the path; "" for nothing
	answered bool     // it is answered; else the stream is refused, but for what was answered before the fault arrived, if the gateway may read something
}

func attempts() []attempt {
	var all []attempt
	const tail = "\r\n\r\n" + smuggled
	for _, field := range []string{":method", ":path", ":authority", ":scheme", "a", "cookie", "authorization", "content-type", "x-request-id", "traceparent", "x-forwarded-for", "forwarded", "host"} {
		for _, end := range []string{"\r\n", "\n", "\r", "\x00", "\x0b", "\x85"} {
			value := map[string]string{":method": "GET", ":path": "/", ":authority": "localhost", ":scheme": "http", "host": "localhost"}[field] + end + "Transfer-Encoding: chunked" + strings.ReplaceAll(tail, "\r\n", end)
			if end == "\x85" && !strings.HasPrefix(field, ":") && field != "host" { // a character like any other
				continue
			}
			all = append(all, attempt{name: fmt.Sprintf("%q in %s", end, field), fields: []string{field, value}})
		}
	}
	for _, name := range []string{"a\r\nb", "a: b\r\ntransfer-encoding", "transfer-encoding ", "transfer-encoding\t", "transfer_encoding\x00", "content-length\r", " a", ""} {
		all = append(all, attempt{name: fmt.Sprintf("the name %q", name), fields: []string{name, "chunked" + tail}})
	}
	post := func(fields ...string) []string { return append([]string{":method", "POST"}, fields...) }
	return append(all,
		attempt{"a body that looks like a request", post("content-length", fmt.Sprint(len(smuggled))), []string{smuggled}, nil, fmt.Sprintf("POST localhost PATH %q", smuggled), true},
		attempt{"a body that looks like a request, undeclared", post(), []string{smuggled}, nil, fmt.Sprintf("POST localhost PATH %q", smuggled), true},
		attempt{"a body of GET that looks like a request", nil, []string{smuggled}, nil, fmt.Sprintf("GET localhost PATH %q", smuggled), true},
		attempt{"a body that ends as chunks do", post(), []string{"0\r\n\r\n", smuggled}, nil, fmt.Sprintf("POST localhost PATH %q", "0\r\n\r\n"+smuggled), true},
		attempt{"a body longer than declared", post("content-length", "3"), []string{"abc", smuggled}, nil, `POST localhost PATH "abc"`, false},
		attempt{"a body longer than declared, in one piece", post("content-length", "3"), []string{"abc" + smuggled}, nil, "", false},
		attempt{"a body shorter than declared", post("content-length", "100"), []string{"abc"}, nil, "", false},
		attempt{"a body behind a length of 0", post("content-length", "0"), []string{smuggled}, nil, `POST localhost PATH ""`, false},
		attempt{"two lengths", post("content-length", "0", "content-length", fmt.Sprint(len(smuggled))), []string{smuggled}, nil, "", false},
		attempt{"a length and chunks", post("content-length", "4", "transfer-encoding", "chunked"), []string{"0\r\n\r\n" + smuggled}, nil, "", false},
		attempt{"chunks", post("transfer-encoding", "chunked"), []string{"0\r\n\r\n" + smuggled}, nil, "", false},
		attempt{"a length with a sign", post("content-length", "+3"), []string{"abc" + smuggled}, nil, "", false},
		attempt{"an upgrade to h2c", []string{"upgrade", "h2c", "http2-settings", "AAMAAABkAAQAAP__"}, nil, nil, "", false},
		attempt{"Connection that strips", post("connection", "content-length", "content-length", "3"), []string{"abc"}, nil, "", false},
		attempt{"framing in the trailer", post("trailer", "transfer-encoding, content-length, host"), []string{"abc"},
			[]string{"transfer-encoding", "chunked", "content-length", "50", "host", "api-eu1.homeward.test"}, "", false},
		attempt{"framing in a trailer that is not announced", post(), []string{"abc"},
			[]string{"transfer-encoding", "chunked", "content-length", "50", "host", "api-eu1.homeward.test"}, `POST localhost PATH "abc"`, true},
		attempt{"an end of line in the trailer", post("trailer", "a"), []string{"abc"}, []string{"a", "b" + tail}, "", false},
		attempt{"a pseudo field in the trailer", post(), []string{"abc"}, []string{":path", "/smuggled"}, "", false},
	)
}

// Whatever a client of HTTP/2 writes into its fields and bodies, an HTTP/1.1
// gateway reads the one request that it sent, or none.
func TestNothingIsSmuggledIntoHTTP1(t *testing.T) {
	gateway := &reader{}
	addr := origin(t, gateway.serve)
	w := newWorld(t, func(top *topology.Topology) { top.Cells[0].Gateways = []string{"http://" + addr} }, testcell.Options{})
	allowed := map[string]bool{`GET localhost /next ""`: true, `GET localhost /last ""`: true}
	for i, a := range attempts() {
		path := fmt.Sprintf("/%d", i)
		allowed[strings.Replace(a.arrives, "PATH", path, 1)] = true
		f := w.frames(t)
		f.send(1, path, a)
		first := f.fate(1)
		answered := first.status == "200"
		if answered && !a.answered && a.arrives == "" || !answered && a.answered {
			t.Errorf("%s: %+v", a.name, first)
		}
		if first.away == http2.ErrCodeNo && !first.lost { // the connection goes on, and so must its framing
			f.head(3, true, ":method", "GET", ":scheme", "http", ":path", "/next", ":authority", "localhost")
			if next := f.fate(3); next.status != "200" {
				t.Errorf("%s: the request behind it: %+v", a.name, next)
			}
		}
		f.nc.Close()
		if r := w.raw("GET /last HTTP/1.1\r\nHost: localhost\r\n\r\n"); r.StatusCode != 200 {
			t.Errorf("%s: the next client's request: %d", a.name, r.StatusCode)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := w.edge.Shutdown(ctx, 0); err != nil {
		t.Fatal(err)
	}
	gateway.serving.Wait()
	for _, got := range gateway.read {
		if !allowed[got] {
			t.Errorf("the gateway read %s", got)
		}
	}
	if len(gateway.broken) > 0 {
		t.Errorf("the gateway could not read: %q", gateway.broken)
	}
}

// send sends an attempt: its fields stand in the place of those of a GET.
func (f *frames) send(stream uint32, path string, a attempt) {
	f.t.Helper()
	var fields []string
	head := []string{":method", "GET", ":scheme", "http", ":path", path, ":authority", "localhost"}
	for i := 0; i < len(head); i += 2 {
		value := head[i+1]
		for j := 0; j < len(a.fields); j += 2 {
			if a.fields[j] == head[i] {
				value = a.fields[j+1]
			}
		}
		fields = append(fields, head[i], value)
	}
	for j := 0; j < len(a.fields); j += 2 {
		if !strings.HasPrefix(a.fields[j], ":") {
			fields = append(fields, a.fields[j:j+2]...)
		}
	}
	f.head(stream, a.body == nil, fields...)
	for i, piece := range a.body {
		f.data(stream, a.trailer == nil && i == len(a.body)-1, piece)
	}
	if a.trailer != nil {
		f.head(stream, true, a.trailer...)
	}
}
