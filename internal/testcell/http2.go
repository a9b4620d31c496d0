package testcell

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/homeward/homeward/internal/proxy/http1"

	// The library's server takes WebSockets over HTTP/2 with it only.
	_ "github.com/homeward/homeward/internal/proxy/extendedconnect"
)

// preface starts a connection of HTTP/2 (RFC 9113 section 3.4).
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// http2Server hands connections over to the library's server.
type http2Server struct {
	server  http.Server
	started sync.Once
	conns   chan net.Conn
	done    <-chan struct{}
}

func newHTTP2(c *Cell) *http2Server {
	h := &http2Server{conns: make(chan net.Conn), done: c.base.Done()}
	h.server = http.Server{ //nolint:gosec // a client may take its time
		Handler:                      http.HandlerFunc(c.serveHTTP2),
		Protocols:                    new(http.Protocols),
		DisableGeneralOptionsHandler: true,
		MaxHeaderBytes:               limits.Head,
		ErrorLog:                     log.New(io.Discard, "", 0),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			if tc, ok := c.(*tls.Conn); ok {
				c = tc.NetConn()
			}
			return context.WithValue(ctx, handedKey{}, c)
		},
	}
	h.server.Protocols.SetHTTP2(true)
	h.server.Protocols.SetUnencryptedHTTP2(true)
	return h
}

// take serves a connection until it is closed. below is nc itself or what it
// stands on.
func (h *http2Server) take(nc net.Conn, below *handed) {
	select {
	case h.conns <- nc:
		<-below.closed
	case <-h.done:
	}
}

// Accept implements net.Listener.
func (h *http2Server) Accept() (net.Conn, error) {
	select {
	case nc := <-h.conns:
		return nc, nil
	case <-h.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener. It ends with the cell.
func (h *http2Server) Close() error { return nil }

// Addr implements net.Listener.
func (h *http2Server) Addr() net.Addr { return &net.TCPAddr{} }

// handed is a connection that the library's server closes. Of its bytes, some
// were read already.
type handed struct {
	net.Conn
	prefix  []byte
	number  int64
	streams atomic.Int64
	once    sync.Once
	closed  chan struct{}
}

// handedKey is the key of the connection in the context of its requests.
type handedKey struct{}

func (h *handed) Read(p []byte) (int, error) {
	if len(h.prefix) == 0 {
		return h.Conn.Read(p)
	}
	n := copy(p, h.prefix)
	h.prefix = h.prefix[n:]
	return n, nil
}

func (h *handed) Close() error {
	err := h.Conn.Close()
	h.once.Do(func() { close(h.closed) })
	return err
}

// serveHTTP2 answers one request.
func (c *Cell) serveHTTP2(w http.ResponseWriter, r *http.Request) {
	if !c.track(func() {}) {
		panic(http.ErrAbortHandler)
	}
	defer c.untrack(func() {})
	c.requests.Add(1)
	below := r.Context().Value(handedKey{}).(*handed)
	req := head2(r)
	fault := c.ask(&Request{Head: req, Proto: r.Proto, Conn: below.number, Number: int(below.streams.Add(1))})
	switch {
	case fault.breaks():
		fail2(fault, w, r, below)
		panic(http.ErrAbortHandler) // resets the stream
	case fault != NoFault:
		w.Header().Set("Connection", "close") // the library tells the client to go away
	}
	if ct := r.Header.Get("Content-Type"); ct == "application/grpc" || strings.HasPrefix(ct, "application/grpc+") || strings.HasPrefix(ct, "application/grpc;") {
		c.grpc.ServeHTTP(w, r)
		return
	}
	x := newExchange(c, r.Proto, req, &body2{Request: r}, &answer2{w: w, control: http.NewResponseController(w), method: r.Method}, &wire2{w: w, r: r})
	x.protocol = r.Header.Get(":protocol")
	if x.answer() != nil {
		panic(http.ErrAbortHandler)
	}
}

// head2 is the head of a request in HTTP/2. The library gives the lines in no
// order; here they are sorted, with names as they stood on the wire.
func head2(r *http.Request) *http1.Request {
	req := &http1.Request{Method: r.Method, Target: r.RequestURI, Origin: r.RequestURI, Host: r.Host, Minor: 1}
	if len(r.Trailer) > 0 { // the library takes the announcement out of the header
		req.Fields = append(req.Fields, http1.Field{Name: "trailer", Value: strings.Join(slices.Sorted(maps.Keys(r.Trailer)), ", ")})
	}
	for name, values := range r.Header {
		for _, v := range values {
			if name != ":protocol" {
				req.Fields = append(req.Fields, http1.Field{Name: strings.ToLower(name), Value: v})
			}
		}
	}
	slices.SortStableFunc(req.Fields, func(a, b http1.Field) int { return strings.Compare(a.Name, b.Name) })
	return req
}
