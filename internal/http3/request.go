package http3

import (
	"errors"
	"io"
	"net/http"
	"net/netip"
	"time"

	"github.com/homeward/homeward/internal/proxy"
)

const protocol = "HTTP/3.0"

// serve answers one request.
func (c *conn) serve(w http.ResponseWriter, r *http.Request) {
	c.begin()
	defer c.end()
	timeouts := c.server.behind.State().Timeouts
	via := proxy.Stream{Proto: protocol, TLS: true}
	if a, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		via.Peer = peerOf(a)
	}
	if r.Method == http.MethodConnect && r.Proto != protocol {
		via.Connect = r.Proto // where the library puts :protocol
	}
	if via.Connect == "" && unsettled(r) && !settle(r, timeouts.Body.Std()) {
		panic(http.ErrAbortHandler)
	}
	out := &answer{ResponseWriter: w}
	c.server.behind.ServeStream(out, r, via)
	out.finish(timeouts.Write.Std())
}

// unsettled reports whether nothing in the head tells if a body follows, although
// it should be known: the frame of the head has no mark for the end, as that of
// HTTP/2 has, and an HTTP/1.1 cell would be sent a GET with a body in chunks. A
// method that is made for bodies has one. A client that waits for leave to send
// is not waited for.
func unsettled(r *http.Request) bool {
	switch r.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodConnect:
		return false
	}
	return r.ContentLength < 0 && len(r.Header["Expect"]) == 0
}

// settle waits for the first bytes of the body, or its end, which comes at once
// from all but the strangest clients. ok is false when neither comes.
func settle(r *http.Request, patience time.Duration) (ok bool) {
	timer := time.AfterFunc(patience, func() { _ = r.Body.Close() })
	defer timer.Stop()
	b := &begun{ReadCloser: r.Body}
	for b.n == 0 && b.err == nil {
		b.n, b.err = r.Body.Read(b.first[:])
	}
	switch {
	case b.n > 0:
		r.Body = b
	case !errors.Is(b.err, io.EOF):
		return false
	case !trailed(r):
		r.ContentLength, r.Body = 0, http.NoBody
	}
	return true
}

// trailed reports whether a trailer came. Until then there are only the names
// that the head announced.
func trailed(r *http.Request) bool {
	for _, values := range r.Trailer {
		if len(values) > 0 {
			return true
		}
	}
	return false
}

// begun is a body whose first bytes were read.
type begun struct {
	io.ReadCloser
	first [512]byte
	at, n int
	err   error // that came with them
}

// Read implements io.Reader.
func (b *begun) Read(p []byte) (int, error) {
	if b.at < b.n {
		n := copy(p, b.first[b.at:b.n])
		b.at += n
		return n, nil
	}
	if b.err != nil {
		return 0, b.err
	}
	return b.ReadCloser.Read(p)
}
