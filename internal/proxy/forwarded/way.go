// Package forwarded reads and writes what proxies tell of the way that a request
// took: X-Forwarded-*, Forwarded (RFC 7239) and X-Real-IP. It is where the edge
// decides whom of those before it to believe.
package forwarded

import (
	"net/netip"
	"strings"
	"unsafe"

	"github.com/homeward/homeward/internal/proxy/http1"
	"github.com/homeward/homeward/route"
)

// Way is what is known of how a request came to the edge, and what the cell is
// told of it. It holds on to the head that it was read from. The zero value is
// that of a request of which nothing is known.
type Way struct {
	Client netip.Addr // that the request came from, as far back as can be believed

	trusted bool // the peer is a declared proxy

	peer      netip.Addr // the last in X-Forwarded-For
	before    []string   // in X-Forwarded-For, before the peer
	proto     string     // of X-Forwarded-Proto; "" when the proxy's own stays
	host      string     // of X-Forwarded-Host; "" when the proxy's own stays
	forwarded string     // Forwarded with an element for the peer; "" for none
	realIP    bool       // the proxy sent an X-Real-IP
	known     bool       // there is a peer to tell of
}

// Read finds the way of a request that peer sent to host over proto, http or
// https. What its fields say of the way before is believed from trusted peers
// only; of others it allocates nothing. A proxy that sends X-Forwarded-For is taken
// at that: it may pass on a Forwarded or X-Real-IP that its client made up, so
// neither counts then. Without it Forwarded counts, and without that X-Real-IP.
func Read(trusted Ranges, peer netip.Addr, proto, host string, fields []route.Field) Way {
	peer = peer.Unmap()
	w := Way{Client: peer, peer: peer, known: true, proto: proto, host: host}
	if trusted.Contain(peer) {
		w.trusted = true
		w.believe(trusted, fields)
	}
	return w
}

// believe takes what a trusted peer says in its fields.
func (w *Way) believe(trusted Ranges, fields []route.Field) {
	peer, proto, host := w.peer, w.proto, w.host
	for _, line := range all(fields, "X-Forwarded-For") {
		http1.Elements(line, func(e string) bool { w.before = append(w.before, e); return true })
	}
	lines, elements := readForwarded(fields)
	named, last := trusted.follow(peer, len(elements), func(i int) netip.Addr { return nodeAddress(elements[i].node) })
	real := all(fields, "X-Real-IP")
	w.realIP = len(real) > 0
	switch {
	case len(w.before) > 0:
		w.Client, _ = trusted.follow(peer, len(w.before), func(i int) netip.Addr { return nodeAddress(w.before[i]) })
		if named != w.Client {
			lines = nil // of another client: the cell must not read it there
		}
	case len(elements) > 0:
		w.Client = named
		for _, e := range elements {
			w.before = append(w.before, nodeName(nodeAddress(e.node)))
		}
		w.take(elements[last:])
	case len(real) == 1 && nodeAddress(real[0]).IsValid():
		w.Client = nodeAddress(real[0])
		w.before = []string{w.Client.String()}
	}
	if len(lines) > 0 {
		w.forwarded = strings.Join(append(lines, element(peer, proto, host)), ", ")
	}
	if sent := all(fields, "X-Forwarded-Proto"); len(sent) == 1 && validProto(sent[0]) {
		w.proto = ""
	}
	if sent := all(fields, "X-Forwarded-Host"); len(sent) == 1 && http1.ValidHost(sent[0]) {
		w.host = ""
	}
}

// follow goes back along n addresses, the last of which the peer gave, for as
// long as those who gave them are trusted. One that is none ends the search.
// last is the index of the first that a trusted proxy gave.
func (r Ranges) follow(peer netip.Addr, n int, at func(int) netip.Addr) (client netip.Addr, last int) {
	client, last = peer, n
	for last > 0 && r.Contain(client) {
		last--
		next := at(last)
		if !next.IsValid() {
			break
		}
		client = next
	}
	return client, last
}

// take sets scheme and host by the elements that trusted proxies made: the one
// nearest to the client that names them.
func (w *Way) take(elements []hop) {
	proto, host := "", ""
	for _, e := range elements {
		if proto == "" && validProto(e.proto) {
			proto = strings.ToLower(e.proto)
		}
		if host == "" && http1.ValidHost(e.host) {
			host = e.host
		}
	}
	if proto != "" {
		w.proto = proto
	}
	if host != "" {
		w.host = host
	}
}

// Tells reports whether a field of this name tells of the way that a request
// took, in whatever spelling.
func Tells(name string) bool {
	const prefix = len("X-Forwarded-")
	if len(name) < len("Forwarded") {
		return false
	}
	switch name[0] | 0x20 { // names are ASCII: most differ here
	case 'f':
		return strings.EqualFold(name, "Forwarded")
	case 'x':
		return http1.SameName(name, "X-Real-IP") || len(name) >= prefix && http1.SameName(name[:prefix], "X-Forwarded-")
	}
	return false
}

// Passes reports whether a forwarding field goes to the cell as it came. Those
// of untrusted peers do not, nor do those in the spelling of CGI, which no proxy
// sends and an origin might take for the others, nor what is written anew.
func (w *Way) Passes(name string) bool {
	switch {
	case !w.trusted, strings.Contains(name, "_"),
		strings.EqualFold(name, "Forwarded"), strings.EqualFold(name, "X-Forwarded-For"), strings.EqualFold(name, "X-Real-IP"):
		return false
	case strings.EqualFold(name, "X-Forwarded-Proto"):
		return w.proto == ""
	case strings.EqualFold(name, "X-Forwarded-Host"):
		return w.host == ""
	}
	return true
}

// Fields appends what the cell is told of the way besides what passes. Values are
// views of text, which it appends them to: they are valid while that is.
func (w *Way) Fields(dst []route.Field, text []byte) ([]route.Field, []byte) {
	from := len(text)
	var ends [len(told)]int
	for i := range told {
		text = w.appendValue(text, i)
		ends[i] = len(text)
	}
	for i, end := range ends {
		if from < end {
			dst = append(dst, route.Field{Name: told[i], Value: unsafe.String(&text[from], end-from)})
		}
		from = end
	}
	return dst, text
}

// told are the fields that the cell is told in, in their order.
var told = [...]string{"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded", "X-Real-IP"}

// appendValue appends the value of a field by its index in told: nothing when the
// field is not sent.
func (w *Way) appendValue(dst []byte, i int) []byte {
	switch i {
	case 0:
		return w.appendChain(dst)
	case 1:
		return append(dst, w.proto...)
	case 2:
		return append(dst, w.host...)
	case 3:
		return append(dst, w.forwarded...)
	}
	return w.appendRealIP(dst)
}

// appendChain appends X-Forwarded-For.
func (w *Way) appendChain(dst []byte) []byte {
	if !w.known {
		return dst
	}
	for _, e := range w.before {
		dst = append(append(dst, e...), ", "...)
	}
	return appendNode(dst, w.peer)
}

// appendRealIP appends X-Real-IP.
func (w *Way) appendRealIP(dst []byte) []byte {
	if !w.realIP {
		return dst
	}
	return appendNode(dst, w.Client)
}

func validProto(s string) bool {
	return strings.EqualFold(s, "http") || strings.EqualFold(s, "https")
}

// all are the values of the fields of a name.
func all(fields []route.Field, name string) []string {
	var values []string
	for _, f := range fields {
		if strings.EqualFold(f.Name, name) {
			values = append(values, f.Value)
		}
	}
	return values
}
