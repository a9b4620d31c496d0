package proxyproto_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/iotest"

	protocol "github.com/pires/go-proxyproto"
	"github.com/pires/go-proxyproto/tlvparse"

	"github.com/homeward/homeward/internal/proxy/http1"
	"github.com/homeward/homeward/internal/serve/proxyproto"
)

const rest = "GET / HTTP/1.1\r\n"

// binaryHeader is a version 2 header of these parts.
func binaryHeader(command, family byte, addresses []byte, extensions ...[]byte) string {
	body := append(addresses[:len(addresses):len(addresses)], bytes.Join(extensions, nil)...)
	head := append([]byte(proxyproto.Signature2), command, family)
	return string(append(binary.BigEndian.AppendUint16(head, uint16(len(body))), body...))
}

func extension(kind byte, value string) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{kind}, uint16(len(value))), value...)
}

var (
	four = []byte{192, 0, 2, 7, 10, 0, 0, 1, 0x30, 0x39, 1, 0xbb}
	six  = append(append(netip.MustParseAddr("2001:db8::7").AsSlice(), make([]byte, 16)...), 0, 80, 0, 81)
	tls  = extension(0x20, "\x01\x00\x00\x00\x00"+string(extension(0x21, "TLSv1.3")))
)

// withChecksum puts the right CRC-32C, changed by flip, into a header whose
// last extension is one of zeros.
func withChecksum(header string, flip uint32) string {
	b := []byte(header)
	sum := crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))
	binary.BigEndian.PutUint32(b[len(b)-4:], sum^flip)
	return string(b)
}

func TestRead(t *testing.T) {
	zeros := extension(0x03, "\x00\x00\x00\x00")
	mapped := append(append(netip.MustParseAddr("::ffff:192.0.2.7").AsSlice(), make([]byte, 16)...), 0, 80, 0, 81)
	for name, c := range map[string]struct {
		wire   string
		source string // "" for none
		secure bool
		err    error
	}{
		"text, IPv4":                {wire: "PROXY TCP4 192.0.2.7 10.0.0.1 12345 443\r\n", source: "192.0.2.7:12345"},
		"text, IPv6":                {wire: "PROXY TCP6 2001:db8::7 ::1 80 81\r\n", source: "[2001:db8::7]:80"},
		"text, IPv4 in IPv6":        {wire: "PROXY TCP6 ::ffff:192.0.2.7 ::1 80 81\r\n", source: "192.0.2.7:80"},
		"text, unknown":             {wire: "PROXY UNKNOWN\r\n"},
		"text, unknown with more":   {wire: "PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n"},
		"text, nobody":              {wire: "PROXY TCP4 0.0.0.0 10.0.0.1 1 2\r\n"},
		"text, a zone":              {wire: "PROXY TCP6 fe80::1%eth0 ::1 80 81\r\n", err: proxyproto.ErrMalformed},
		"text, another family":      {wire: "PROXY TCP4 ::1 ::1 80 81\r\n", err: proxyproto.ErrMalformed},
		"text, a port too high":     {wire: "PROXY TCP4 192.0.2.7 10.0.0.1 65536 443\r\n", err: proxyproto.ErrMalformed},
		"text, a leading zero":      {wire: "PROXY TCP4 192.0.2.07 10.0.0.1 1 443\r\n", err: proxyproto.ErrMalformed},
		"text, two spaces":          {wire: "PROXY  TCP4 192.0.2.7 10.0.0.1 1 2\r\n", err: proxyproto.ErrMalformed},
		"text, more words":          {wire: "PROXY TCP4 192.0.2.7 10.0.0.1 1 2 3\r\n", err: proxyproto.ErrMalformed},
		"text, small letters":       {wire: "PROXY tcp4 192.0.2.7 10.0.0.1 1 2\r\n", err: proxyproto.ErrMalformed},
		"text, a bare LF":           {wire: "PROXY TCP4 192.0.2.7 10.0.0.1 1 2\n", err: proxyproto.ErrMalformed},
		"text, without end":         {wire: "PROXY UNKNOWN " + strings.Repeat("x", 200), err: proxyproto.ErrMalformed},
		"text, 107 bytes":           {wire: "PROXY UNKNOWN " + strings.Repeat("x", 91) + "\r\n"},
		"text, 108 bytes":           {wire: "PROXY UNKNOWN " + strings.Repeat("x", 92) + "\r\n", err: proxyproto.ErrMalformed},
		"binary, IPv4":              {wire: binaryHeader(0x21, 0x11, four), source: "192.0.2.7:12345"},
		"binary, IPv6":              {wire: binaryHeader(0x21, 0x21, six), source: "[2001:db8::7]:80"},
		"binary, IPv4 in IPv6":      {wire: binaryHeader(0x21, 0x21, mapped), source: "192.0.2.7:80"},
		"binary, datagrams":         {wire: binaryHeader(0x21, 0x12, four), source: "192.0.2.7:12345"},
		"binary, a Unix socket":     {wire: binaryHeader(0x21, 0x31, make([]byte, 216))},
		"binary, its own":           {wire: binaryHeader(0x20, 0x00, nil)},
		"binary, its own with more": {wire: binaryHeader(0x20, 0x11, four, []byte("junk"))},
		"binary, TLS":               {wire: binaryHeader(0x21, 0x11, four, extension(0x04, "padding"), tls), source: "192.0.2.7:12345", secure: true},
		"binary, no TLS":            {wire: binaryHeader(0x21, 0x11, four, extension(0x20, "\x00\x00\x00\x00\x00")), source: "192.0.2.7:12345"},
		"binary, a custom part":     {wire: binaryHeader(0x21, 0x11, four, extension(0xea, "\x01vpce-0")), source: "192.0.2.7:12345"},
		"binary, a checksum":        {wire: withChecksum(binaryHeader(0x21, 0x11, four, extension(0x04, "xx"), tls, zeros), 0), source: "192.0.2.7:12345", secure: true},
		"binary, a wrong checksum":  {wire: withChecksum(binaryHeader(0x21, 0x11, four, zeros), 1), err: proxyproto.ErrMalformed},
		"binary, a short checksum":  {wire: binaryHeader(0x21, 0x11, four, extension(0x03, "xx")), err: proxyproto.ErrMalformed},
		"binary, 4 KiB":             {wire: binaryHeader(0x21, 0x11, four, extension(0x04, strings.Repeat("x", 4096-15))), source: "192.0.2.7:12345"},
		"binary, over 4 KiB":        {wire: binaryHeader(0x21, 0x11, four, extension(0x04, strings.Repeat("x", 4096-14))), err: proxyproto.ErrMalformed},
		"binary, TLS cut short":     {wire: binaryHeader(0x21, 0x11, four, extension(0x20, "\x01\x00")), err: proxyproto.ErrMalformed},
		"binary, TLS of nothing":    {wire: binaryHeader(0x21, 0x11, four, extension(0x20, "\x01\x00\x00\x00\x00")), err: proxyproto.ErrMalformed},
		"binary, a part too long":   {wire: binaryHeader(0x21, 0x11, four, []byte{0xea, 0, 9, 1}), err: proxyproto.ErrMalformed},
		"binary, a part too short":  {wire: binaryHeader(0x21, 0x11, four, []byte{0xea, 0}), err: proxyproto.ErrMalformed},
		"binary, no addresses":      {wire: binaryHeader(0x21, 0x11, four[:8]), err: proxyproto.ErrMalformed},
		"binary, version 3":         {wire: binaryHeader(0x31, 0x11, four), err: proxyproto.ErrMalformed},
		"binary, a command unknown": {wire: binaryHeader(0x22, 0x11, four), err: proxyproto.ErrMalformed},
		"binary, a family unknown":  {wire: binaryHeader(0x21, 0x13, four), err: proxyproto.ErrMalformed},
		"a request":                 {wire: rest, err: proxyproto.ErrMissing},
		"a request by POST":         {wire: "POST / HTTP/1.1\r\n", err: proxyproto.ErrMissing},
		"a TLS handshake":           {wire: "\x16\x03\x01\x02\x00\x01", err: proxyproto.ErrMissing},
		"empty lines":               {wire: "\r\n\r\nGET / HTTP/1.1\r\n", err: proxyproto.ErrMissing},
	} {
		t.Run(name, func(t *testing.T) {
			for way, wrap := range map[string]func(io.Reader) io.Reader{
				"at once": func(r io.Reader) io.Reader { return r }, "byte by byte": iotest.OneByteReader,
			} {
				src := http1.NewReader(wrap(strings.NewReader(c.wire + rest)))
				got, err := proxyproto.Read(src)
				if !errors.Is(err, c.err) || (err == nil) != (c.err == nil) {
					t.Fatalf("%s: %v, want %v", way, err, c.err)
				}
				if err != nil {
					continue
				}
				source := ""
				if got.Source.IsValid() {
					source = got.Source.String()
				}
				if source != c.source || got.Secure != c.secure {
					t.Errorf("%s: %+v", way, got)
				}
				if left, _ := io.ReadAll(src); string(left) != rest {
					t.Errorf("%s: %q is left", way, left)
				}
			}
		})
	}
}

// A connection that ends within the header has a broken one; one that ends
// before its first byte has said nothing, as a probe of a port does.
func TestReadOfAnEnd(t *testing.T) {
	for _, whole := range []string{"PROXY TCP4 192.0.2.7 10.0.0.1 1 2\r\n", binaryHeader(0x21, 0x11, four, tls)} {
		for n := range len(whole) {
			_, err := proxyproto.Read(http1.NewReader(strings.NewReader(whole[:n])))
			if want := map[bool]error{true: io.EOF, false: proxyproto.ErrMalformed}[n == 0]; !errors.Is(err, want) {
				t.Errorf("%q: %v, want %v", whole[:n], err, want)
			}
		}
	}
}

// What reading gives, such as a deadline, is the caller's to know.
func TestReadPassesErrorsOn(t *testing.T) {
	slow := errors.New("too slow")
	for _, begin := range []string{"", "P", "PROXY TCP4 ", "\r", proxyproto.Signature2, proxyproto.Signature2 + "\x21\x11\x00\x0c"} {
		_, err := proxyproto.Read(http1.NewReader(io.MultiReader(strings.NewReader(begin), iotest.ErrReader(slow))))
		if !errors.Is(err, slow) {
			t.Errorf("%q: %v", begin, err)
		}
	}
}

// FuzzRead holds that whatever is accepted, the library that it is read with
// agrees on when it reads from the same bytes, that no byte behind the header
// is taken, and that errors are of the declared kinds.
func FuzzRead(f *testing.F) {
	for _, s := range []string{
		"PROXY TCP4 192.0.2.7 10.0.0.1 12345 443\r\n" + rest, "PROXY UNKNOWN\r\n", rest,
		binaryHeader(0x21, 0x11, four, tls) + rest, binaryHeader(0x21, 0x21, six), binaryHeader(0x20, 0, nil),
		withChecksum(binaryHeader(0x21, 0x11, four, extension(0x03, "\x00\x00\x00\x00")), 0),
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		src := http1.NewReader(bytes.NewReader(wire))
		got, err := proxyproto.Read(src)
		if err != nil {
			if !errors.Is(err, proxyproto.ErrMissing) && !errors.Is(err, proxyproto.ErrMalformed) && !errors.Is(err, io.EOF) {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		whole := bufio.NewReader(bytes.NewReader(wire))
		h, err := protocol.Read(whole)
		if err != nil {
			t.Fatalf("accepted what the library refuses: %v", err)
		}
		left, _ := io.ReadAll(src)
		theirs, _ := io.ReadAll(whole)
		if !bytes.Equal(left, theirs) {
			t.Fatalf("%d bytes are left, the library leaves %d", len(left), len(theirs))
		}
		if got.Source.IsValid() && (h.Command.IsLocal() || !sameIP(h, got.Source)) {
			t.Fatalf("source %s of %+v", got.Source, h)
		}
		all, _ := h.TLVs()
		if ssl, _ := tlvparse.FindSSL(all); !h.Command.IsLocal() && ssl.ClientSSL() != got.Secure && len(all) < 2 {
			t.Fatalf("secure %t of %+v", got.Secure, ssl)
		}
	})
}

func sameIP(h *protocol.Header, source netip.AddrPort) bool {
	ip, _, ok := h.IPs()
	return ok && ip.Equal(net.IP(source.Addr().AsSlice()))
}
