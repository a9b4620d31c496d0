package proxy

import (
	"strings"

	"github.com/homeward/homeward/internal/proxy/http1"
	"github.com/homeward/homeward/route"
)

// Advertise makes answers over TLS tell clients where else they may go, with the
// value of an Alt-Svc field (RFC 7838). Answers of cells that have that field
// keep their own, and those over HTTP/3 get none. "" ends it.
func (s *Server) Advertise(altSvc string) { s.proxy.altSvc.Store(&altSvc) }

// advertised are the fields of an answer with the edge's Alt-Svc, if it has one.
func (x *exchange) advertised(fields []route.Field) []route.Field {
	value := x.proxy.altSvc.Load()
	if value == nil || *value == "" || !x.in.TLS || strings.HasPrefix(x.in.Proto, "HTTP/3") {
		return fields
	}
	for _, f := range fields {
		if http1.SameName(f.Name, "Alt-Svc") {
			return fields
		}
	}
	return append(fields, route.Field{Name: "Alt-Svc", Value: *value})
}
