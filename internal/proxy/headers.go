package proxy

import (
	"slices"
	"strings"

	"github.com/homeward/homeward/internal/proxy/forwarded"
	"github.com/homeward/homeward/internal/proxy/http1"
	"github.com/homeward/homeward/route"
)

// fieldsOut are the fields of the request as the cell gets them: the client's
// own in their order and case, less those that end here, then what the edge
// says. Framing is the hop's. They are valid until the exchange is over, or the
// next call.
func (x *exchange) fieldsOut() []route.Field {
	in, s, room := x.in, x.state, x.room
	if x.copy {
		return slices.DeleteFunc(slices.Clone(in.Fields), func(f route.Field) bool { return hopByHop(f.Name) })
	}
	nominated := s.nominated(room.nominated[:0], in.Fields)
	out := room.sent[:0]
	traced := false
	for _, f := range in.Fields {
		switch {
		case hopByHop(f.Name), ours(f.Name), contains(nominated, f.Name):
			continue
		case forwarded.Tells(f.Name) && !x.way.Passes(f.Name):
			continue
		case x.continued && http1.Same(f.Name, "Expect"):
			continue
		case !x.idGiven && http1.Same(f.Name, "X-Request-Id"):
			continue
		case http1.Same(f.Name, "traceparent"):
			traced = true
		}
		out = append(out, f)
	}
	out, room.text = x.way.Fields(out, room.text[:0])
	if !x.idGiven {
		out = append(out, route.Field{Name: "X-Request-Id", Value: x.rec.RequestID})
	}
	if !traced {
		out = append(out, route.Field{Name: "traceparent", Value: x.room.traceparent()})
	}
	out = append(out, route.Field{Name: "Homeward-Cell", Value: s.Table.Cell(x.rec.Decision.Send).Name},
		route.Field{Name: "Homeward-Lane", Value: s.Table.Lane(x.rec.Decision.Lane).Name})
	room.sent, room.nominated = out, nominated
	x.sample.sent(out)
	return out
}

// hopByHop reports whether a field ends at the edge (RFC 9110 section 7.6.1).
// Transfer-Encoding is among them: the next hop gets one of its own.
func hopByHop(name string) bool {
	if name == "" {
		return false
	}
	switch name[0] | 0x20 { // names are ASCII: most differ here
	case 'c', 't', 'k', 'u', 'p':
	default:
		return false
	}
	for _, h := range hopByHopNames {
		if http1.Same(name, h) {
			return true
		}
	}
	return false
}

var hopByHopNames = [...]string{
	"Connection", "Transfer-Encoding", "Keep-Alive", "TE", "Upgrade",
	"Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization",
}

// ours reports whether a field speaks for Homeward. Such a field is taken from
// nobody; the underscore form is what CGI-like origins make of the other.
func ours(name string) bool {
	const prefix = len("Homeward-")
	return len(name) >= prefix && name[0]|0x20 == 'h' && strings.EqualFold(name[:prefix-1], "homeward") && (name[prefix-1] == '-' || name[prefix-1] == '_')
}

// nominated appends the fields that Connection names as hop-by-hop, besides those
// that are in any case. What a cell needs to judge the request is never among them,
// or a client could strip a credential that another hop put there.
func (s *State) nominated(names []string, fields []route.Field) []string {
	for _, f := range fields {
		if !http1.Same(f.Name, "Connection") {
			continue
		}
		http1.Elements(f.Value, func(name string) bool {
			if !http1.Same(name, "close") && !hopByHop(name) && !s.endToEnd(name) {
				names = append(names, name)
			}
			return true
		})
	}
	return names
}

var endToEndNames = [...]string{
	"Host", "Authorization", "Cookie", "Content-Length", "Content-Type", "Content-Encoding", "Content-Range", "Range", "Expect",
	"Origin", "Trailer", "X-Request-Id", "traceparent", "tracestate", "Cache-Control", "Date", "Set-Cookie", "Location",
}

func (s *State) endToEnd(name string) bool {
	small := strings.ToLower(name)
	return contains(endToEndNames[:], name) || contains(s.protected, name) || forwarded.Tells(name) || ours(name) ||
		strings.HasPrefix(small, "access-control-") || strings.HasPrefix(small, "sec-websocket-")
}

func contains(names []string, name string) bool {
	for _, n := range names {
		if http1.Same(n, name) {
			return true
		}
	}
	return false
}

func scheme(tls bool) string {
	if tls {
		return "https"
	}
	return "http"
}

// answerFields are the fields of a cell's answer that go to the client, in their
// order and case. Framing is the engine's. They are valid until the next call.
func (x *exchange) answerFields(answer *http1.Response) []route.Field {
	nominated := x.state.nominated(x.room.nominated[:0], answer.Fields)
	bare := answer.Status < 200 || answer.Status == 204 // no Content-Length: RFC 9110 section 8.6
	kept := x.room.kept[:0]
	for _, f := range answer.Fields {
		if hopByHop(f.Name) || ours(f.Name) || contains(nominated, f.Name) || bare && http1.Same(f.Name, "Content-Length") {
			continue
		}
		kept = append(kept, f)
	}
	x.room.kept, x.room.nominated = kept, nominated
	return kept
}

// trailerFields is a trailer without the fields that must not pass: those that
// end here, and those that an origin which merges trailers into the head would
// take for what was decided on.
func (s *State) trailerFields(fields []route.Field) []route.Field {
	kept := fields[:0:0]
	for _, f := range fields {
		if !hopByHop(f.Name) && !ours(f.Name) && !forwarded.Tells(f.Name) && !http1.HeadOnly(f.Name) && !contains(s.protected, f.Name) {
			kept = append(kept, f)
		}
	}
	return kept
}
