package edge_test

import (
	"crypto/tls"
	"encoding/binary"
	"net"
	"testing"

	"github.com/homeward/homeward/internal/proxy"
	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/topology"
)

// What no well-behaved HTTP/2 client sends, and an HTTP/1.1 cell would read
// differently than the edge did, reaches no cell.
func TestHTTP2HeadsThatAreNoHTTP1Heads(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{})
	for _, c := range []struct {
		name   string
		fields []string // names and values
		status int
	}{
		{"no body behind a Content-Length", []string{":path", "/", "content-length", "40"}, 400},
		{"two Content-Lengths", []string{":path", "/", "content-length", "0", "content-length", "40"}, 400},
		{"the same Content-Length twice", []string{":path", "/", "content-length", "0", "content-length", "0"}, 400},
		{"a Content-Length that is no number", []string{":path", "/", "content-length", "x"}, 400},
		{"an address as the path", []string{":path", "http://api-eu1.homeward.test/"}, 400},
		{"white space before a credential", []string{":path", "/", "authorization", " Bearer " + euToken}, 400},
		{"white space behind a credential", []string{":path", "/", "private-token", euToken + "\t"}, 400},
		{"another Host", []string{":path", "/", "host", "api-eu1.homeward.test"}, 400},
		{"no body and says so", []string{":path", "/", "content-length", "0"}, 200},
		{"an asterisk", []string{":path", "*"}, 200},
	} {
		sendHTTP2(t, w.dial(), nil, append([]string{":method", "OPTIONS", ":scheme", "http", ":authority", "localhost"}, c.fields...))
		rec := w.seen.await(t, func(r proxy.Record) bool { return r.Proto == "HTTP/2.0" && r.Status != 0 })
		if rec.Status != c.status || (c.status == 400) != (rec.Kind == proxy.BadFraming) || (c.status == 400) != (rec.Gateway == "") {
			t.Errorf("%s: status %d, kind %q, sent to %q", c.name, rec.Status, rec.Kind, rec.Gateway)
		}
		w.seen.forget()
	}
}

// A client that does not take its answer holds the cell no longer than the write
// timeout, be it that it opens no window or that it does not read.
func TestHTTP2ClientThatDoesNotRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(top *topology.Topology) { top.Timeouts.Write = topology.Duration(brief) }, testcell.Options{})
	wide := appendFrame(nil, settingsFrame, 0, []byte{0, 4, 0x7f, 0xff, 0xff, 0xff}) // SETTINGS_INITIAL_WINDOW_SIZE
	wide = appendFrame(wide, windowUpdateFrame, 0, []byte{0x7f, 0, 0, 0})
	for path, frames := range map[string][]byte{"/bytes/1000000000": nil, "/bytes/2000000000": wide} {
		sendHTTP2(t, w.dial(), frames, []string{":method", "GET", ":scheme", "http", ":authority", "localhost", ":path", path})
	}
	eventually(t, "both requests are over", func() bool { return w.seen.count() == 2 })
	for _, rec := range w.seen.all() {
		if rec.Aborted != proxy.ClientAborted {
			t.Errorf("recorded %+v", rec)
		}
	}
	eventually(t, "the cell is free", func() bool { return w.cells["na1"].Open() == 0 })
}

// Whether a request came over TLS is what its connection says, not its :scheme.
func TestHTTP2SchemeIsNotBelieved(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{})
	secure := w.serve(newAuthority(t).config("localhost"))
	for _, overTLS := range []bool{false, true} {
		c, scheme := w.dial(), "https"
		if overTLS {
			tc, err := tls.Dial("tcp", secure, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
			if err != nil {
				t.Fatal(err)
			}
			defer tc.Close()
			c, scheme = tc, "http"
		}
		sendHTTP2(t, c, nil, []string{":method", "GET", ":scheme", scheme, ":authority", "localhost", ":path", "/"})
		if rec := w.seen.await(t, func(proxy.Record) bool { return true }); rec.Status != 200 || rec.TLS != overTLS {
			t.Errorf("TLS %v: recorded %+v", overTLS, rec)
		}
		w.seen.forget()
	}
}

// sendHTTP2 starts HTTP/2 on a connection with the frames, and then one request
// that ends with its head. The test must read what it wants to read.
func sendHTTP2(t *testing.T, c net.Conn, frames []byte, fields []string) {
	t.Helper()
	var block []byte // literal fields without indexing, not Huffman coded (RFC 7541 section 6.2.2)
	for i := 0; i < len(fields); i += 2 {
		block = append(block, 0)
		for _, s := range fields[i : i+2] {
			if len(s) >= 127 {
				t.Fatalf("%q needs more than one byte for its length", s)
			}
			block = append(append(block, byte(len(s))), s...)
		}
	}
	const endStreamAndHeaders = 5
	out := []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
	if frames == nil {
		frames = appendFrame(nil, settingsFrame, 0, nil)
	}
	out = append(out, frames...)
	out = appendFrame(out, headersFrame, 1, block)
	out[len(out)-len(block)-5] = endStreamAndHeaders
	if _, err := c.Write(out); err != nil {
		t.Fatal(err)
	}
}

const (
	headersFrame      = 1
	settingsFrame     = 4
	windowUpdateFrame = 8
)

// appendFrame appends an HTTP/2 frame (RFC 9113 section 4.1) without flags.
func appendFrame(dst []byte, kind byte, stream uint32, payload []byte) []byte {
	n := len(payload)
	dst = append(dst, byte(n>>16), byte(n>>8), byte(n), kind, 0)
	return append(binary.BigEndian.AppendUint32(dst, stream), payload...)
}
