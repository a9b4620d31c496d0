// Package proxyproto reads the header by which a load balancer that forwards
// bytes, and not requests, tells whom it forwards for: the PROXY protocol of
// HAProxy, version 1 (a line of text) and 2 (binary).
//
// It reads from connections that must begin with such a header. Whether a
// sender is to be believed at all is the caller's to decide, before.
package proxyproto

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/netip"

	protocol "github.com/pires/go-proxyproto"
	"github.com/pires/go-proxyproto/tlvparse"
)

var (
	// ErrMissing says that the connection begins with something else.
	ErrMissing = errors.New("the connection does not begin with a PROXY protocol header")
	// ErrMalformed says that it begins with a header that breaks the rules.
	ErrMalformed = errors.New("the PROXY protocol header is malformed")
)

// What the headers of the two versions begin with. No request does: to HTTP,
// PROXY is a method that nobody uses, but no target begins with TCP or UNKNOWN.
const (
	Signature1      = "PROXY TCP"
	Signature1Local = "PROXY UNKNOWN"
	Signature2      = "\r\n\r\n\x00\r\nQUIT\n"
)

// Sizes in bytes.
const (
	longest1  = 107     // of the line of version 1
	fixed2    = 16      // of version 2: what comes before the part whose length it tells
	longest2  = 4 << 10 // of that part, which may hold a client's certificate
	headOfTLV = 3       // type and length of an extension
	libraryIn = 256     // what the library gets at once: all of a line
)

// Header is what a load balancer told.
type Header struct {
	// Source is the client's address. It is not valid where the header names
	// none: for a connection of the load balancer's own (LOCAL, UNKNOWN), and
	// for one that came over a Unix socket.
	Source netip.AddrPort
	// Secure says that the client spoke TLS with the load balancer.
	Secure bool
}

// Source is a connection whose bytes can be looked at before they are taken.
type Source interface {
	// Peek returns the first n bytes and does not take them. It blocks until
	// they are there.
	Peek(n int) ([]byte, error)
	// Read takes bytes, first those that Peek returned.
	io.Reader
}

// Read takes the header from the start of a connection, and not one byte more.
// Errors are ErrMissing, ErrMalformed, io.EOF for a connection that ended before
// its first byte, or what reading gave; none of them holds a byte that was sent.
func Read(src Source) (Header, error) {
	n, err := measure(src)
	if err != nil {
		return Header{}, err
	}
	raw := make([]byte, n)
	if _, err := io.ReadFull(src, raw); err != nil {
		return Header{}, err
	}
	return parse(raw)
}

// measure is the length of the header in bytes. It waits for no more of them
// than it needs to tell.
func measure(src Source) (int, error) {
	first, err := src.Peek(1)
	if err != nil {
		return 0, err
	}
	if first[0] == Signature2[0] {
		return measure2(src)
	}
	return measure1(src)
}

func measure1(src Source) (int, error) {
	const begin = "PROXY "
	for n := 1; n <= longest1; n++ {
		seen, err := src.Peek(n)
		switch {
		case err != nil:
			return 0, broken(err)
		case n <= len(begin) && seen[n-1] != begin[n-1]:
			return 0, ErrMissing
		case seen[n-1] == '\n':
			return n, nil
		}
	}
	return 0, ErrMalformed
}

func measure2(src Source) (int, error) {
	for n := 1; n <= len(Signature2); n++ {
		seen, err := src.Peek(n)
		if err != nil {
			return 0, broken(err)
		}
		if seen[n-1] != Signature2[n-1] {
			return 0, ErrMissing
		}
	}
	head, err := src.Peek(fixed2)
	if err != nil {
		return 0, broken(err)
	}
	length := int(binary.BigEndian.Uint16(head[fixed2-2:]))
	if length > longest2 {
		return 0, ErrMalformed
	}
	_, err = src.Peek(fixed2 + length)
	return fixed2 + length, broken(err)
}

// broken says that a connection that ends within its header has a malformed one.
func broken(err error) error {
	if errors.Is(err, io.EOF) {
		return ErrMalformed
	}
	return err
}

// parse reads a whole header. What the library finds wrong is not told: its
// errors may quote what was sent.
func parse(raw []byte) (Header, error) {
	h, err := protocol.Read(bufio.NewReaderSize(bytes.NewReader(raw), libraryIn))
	if err != nil {
		return Header{}, ErrMalformed
	}
	out := Header{}
	if h.Command.IsLocal() {
		return out, nil
	}
	if h.Version == 2 {
		if out.Secure, err = extensions(raw, h); err != nil {
			return Header{}, err
		}
	}
	out.Source = source(h.SourceAddr)
	return out, nil
}

// source is the client's address, IPv4 as such and without a zone. A datagram
// family counts too: it is what a client of HTTP/3 came by.
func source(a net.Addr) netip.AddrPort {
	var at netip.AddrPort
	switch a := a.(type) {
	case *net.TCPAddr:
		at = a.AddrPort()
	case *net.UDPAddr:
		at = a.AddrPort()
	}
	ip := at.Addr().Unmap().WithZone("")
	if !ip.IsValid() || ip.IsUnspecified() {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(ip, at.Port())
}

// extensions reads what version 2 has behind the addresses (section 2.2): the
// checksum must be right if there is one, and the part on TLS well-formed.
func extensions(raw []byte, h *protocol.Header) (secure bool, err error) {
	all, err := h.TLVs()
	if err != nil {
		return false, fmt.Errorf("%w: its extensions do not fit its length", ErrMalformed)
	}
	at := fixed2 + addresses(h.TransportProtocol)
	for _, e := range all {
		switch e.Type {
		case protocol.PP2_TYPE_CRC32C:
			if !intact(raw, at+headOfTLV, len(e.Value)) {
				return false, fmt.Errorf("%w: its checksum is wrong", ErrMalformed)
			}
		case protocol.PP2_TYPE_SSL:
			s, err := tlvparse.SSL(e)
			if err != nil {
				return false, fmt.Errorf("%w: its extension on TLS is broken", ErrMalformed)
			}
			secure = secure || s.ClientSSL()
		}
		at += headOfTLV + int(binary.BigEndian.Uint16(raw[at+1:]))
	}
	return secure, nil
}

func addresses(p protocol.AddressFamilyAndProtocol) int {
	switch {
	case p.IsIPv4():
		return 12
	case p.IsIPv6():
		return 36
	case p.IsUnix():
		return 216
	}
	return 0
}

// intact checks the CRC-32C that stands at this place, which is of the whole
// header with zeros there.
func intact(raw []byte, at, length int) bool {
	if length != crc32.Size {
		return false
	}
	whole := bytes.Clone(raw)
	clear(whole[at : at+crc32.Size])
	return crc32.Checksum(whole, crc32.MakeTable(crc32.Castagnoli)) == binary.BigEndian.Uint32(raw[at:])
}
