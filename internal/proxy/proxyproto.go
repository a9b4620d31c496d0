package proxy

import (
	"errors"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/homeward/homeward/internal/proxy/http1"
	"github.com/homeward/homeward/internal/serve/proxyproto"
)

// introduced reads the PROXY header that a connection from a declared load
// balancer must begin with, and reports whether there was one. From then on the
// connection is that of the client which the header names.
func (c *conn) introduced(t *tracked) bool {
	header, err := proxyproto.Read(&c.reader)
	if err != nil {
		c.server.introductions.refused(c.server.proxy, t.peer.Addr(), err)
		return false
	}
	if header.Source.IsValid() {
		t.peer = header.Source
	}
	t.secure = header.Secure
	return true
}

// imposed reports whether the client begins with a PROXY header that nobody
// asked it for. It waits for no more bytes than it needs to tell.
func (c *conn) imposed() bool {
	return c.begins(proxyproto.Signature1) || c.begins(proxyproto.Signature1Local) || c.begins(proxyproto.Signature2)
}

// imposedTLS tells the same by the first bytes of what should have been a TLS record.
func imposedTLS(record [5]byte) bool {
	begin := string(record[:])
	return begin == proxyproto.Signature1[:len(begin)] || begin == proxyproto.Signature2[:len(begin)]
}

// notDeclared answers it. Nothing of what the header claims is used.
var notDeclared = Problem{
	Kind: BadFraming,
	Detail: "The connection begins with a PROXY protocol header, and the edge does not expect one from its sender. " +
		"If that is a load balancer of yours, list its address under proxy_protocol in the topology.",
}

// introductions counts the connections of declared load balancers that were
// refused for their PROXY header.
type introductions struct {
	missing, malformed, late atomic.Int64
	told                     atomic.Int64 // when the log last said so, in Unix nanoseconds
}

// tellEvery is how often at most the log tells of refused PROXY headers: a load
// balancer that is set up wrongly sends them by the thousand.
const tellEvery = 10 * time.Second

// refused counts a header that could not be read. A connection that ends without
// a byte, or is reset, is none: so do probes of the port.
func (i *introductions) refused(p *Proxy, from netip.Addr, err error) {
	var why string
	switch {
	case errors.Is(err, proxyproto.ErrMissing):
		why = "missing"
		i.missing.Add(1)
	case errors.Is(err, proxyproto.ErrMalformed):
		why = "malformed"
		i.malformed.Add(1)
	case http1.IsTimeout(err):
		why = "late"
		i.late.Add(1)
	default:
		return
	}
	now, told := p.now().UnixNano(), i.told.Load()
	if now-told < int64(tellEvery) || !i.told.CompareAndSwap(told, now) {
		return
	}
	p.log.Warn("connection refused: its address is declared under proxy_protocol, and its PROXY header is not as it must be",
		"from", from.String(), "header", why,
		"missing", i.missing.Load(), "malformed", i.malformed.Load(), "late", i.late.Load())
}

// Introductions tells how many connections of declared load balancers were
// refused, by what their PROXY header was.
func (s *Server) Introductions(each func(header string, refused int64)) {
	each("missing", s.introductions.missing.Load())
	each("malformed", s.introductions.malformed.Load())
	each("late", s.introductions.late.Load())
}
