package edge_test

import (
	"encoding/binary"
	"io"
	"net"
	"testing"

	"github.com/homeward/homeward/internal/proxy"
	"github.com/homeward/homeward/internal/testcell"
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
		w.sendHTTP2(append([]string{":method", "OPTIONS", ":scheme", "http", ":authority", "localhost"}, c.fields...))
		rec := w.seen.await(t, func(r proxy.Record) bool { return r.Proto == "HTTP/2.0" && r.Status != 0 })
		if rec.Status != c.status || (c.status == 400) != (rec.Kind == proxy.BadFraming) || (c.status == 400) != (rec.Gateway == "") {
			t.Errorf("%s: status %d, kind %q, sent to %q", c.name, rec.Status, rec.Kind, rec.Gateway)
		}
		w.seen.forget()
	}
}

// sendHTTP2 opens a connection and sends one request that ends with its head.
func (w *world) sendHTTP2(fields []string) {
	w.t.Helper()
	c, err := net.Dial("tcp", w.addr)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = c.Close() })
	var block []byte // literal fields without indexing, not Huffman coded (RFC 7541 section 6.2.2)
	for i := 0; i < len(fields); i += 2 {
		block = append(block, 0)
		for _, s := range fields[i : i+2] {
			if len(s) >= 127 {
				w.t.Fatalf("%q needs more than one byte for its length", s)
			}
			block = append(append(block, byte(len(s))), s...)
		}
	}
	const settings, headers, endStreamAndHeaders = 4, 1, 5
	out := []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
	out = appendFrame(out, settings, 0, 0, nil)
	out = appendFrame(out, headers, endStreamAndHeaders, 1, block)
	if _, err := c.Write(out); err != nil {
		w.t.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, c) }()
}

// appendFrame appends an HTTP/2 frame (RFC 9113 section 4.1).
func appendFrame(dst []byte, kind, flags byte, stream uint32, payload []byte) []byte {
	n := len(payload)
	dst = append(dst, byte(n>>16), byte(n>>8), byte(n), kind, flags)
	return append(binary.BigEndian.AppendUint32(dst, stream), payload...)
}
