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
// says. Framing is the hop's.
func (x *exchange) fieldsOut() []route.Field {
	in, s := x.in, x.state
	if x.copy {
		return slices.DeleteFunc(slices.Clone(in.Fields), func(f route.Field) bool { return hopByHop(f.Name) })
	}
	nominated := s.nominated(in.Fields)
	out := make([]route.Field, 0, len(in.Fields)+8)
	add := func(name, value string) { out = append(out, route.Field{Name: name, Value: value}) }
	traced := false
	for _, f := range in.Fields {
		switch {
		case hopByHop(f.Name), ours(f.Name), contains(nominated, f.Name):
			continue
		case forwarded.Tells(f.Name) && !x.way.Passes(f.Name):
			continue
		case strings.EqualFold(f.Name, "Expect") && x.continued:
			continue
		case strings.EqualFold(f.Name, "X-Request-Id") && !x.idGiven:
			continue
		case strings.EqualFold(f.Name, "traceparent"):
			traced = true
		}
		out = append(out, f)
	}
	out = x.way.Fields(out)
	if !x.idGiven {
		add("X-Request-Id", x.rec.RequestID)
	}
	if !traced {
		add("traceparent", newTraceparent())
	}
	add("Homeward-Cell", s.Table.Cell(x.decision.Send).Name)
	add("Homeward-Lane", s.Table.Lane(x.decision.Lane).Name)
	x.sample.sent(out)
	return out
}

// hopByHop reports whether a field ends at the edge (RFC 9110 section 7.6.1).
// Transfer-Encoding is among them: the next hop gets one of its own.
func hopByHop(name string) bool {
	for _, h := range hopByHopNames {
		if len(name) == len(h) && strings.EqualFold(name, h) {
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
	return len(name) >= prefix && strings.EqualFold(name[:prefix-1], "homeward") && (name[prefix-1] == '-' || name[prefix-1] == '_')
}

// nominated are the fields that Connection names as hop-by-hop. What a cell
// needs to judge the request is never among them, or a client could strip a
// credential that another hop put there.
func (s *State) nominated(fields []route.Field) []string {
	var names []string
	for _, f := range fields {
		if !strings.EqualFold(f.Name, "Connection") {
			continue
		}
		http1.Elements(f.Value, func(name string) bool {
			if !s.endToEnd(name) {
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
		if strings.EqualFold(n, name) {
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
// order and case. Framing is the engine's.
func (s *State) answerFields(answer *http1.Response) []route.Field {
	nominated := s.nominated(answer.Fields)
	bare := answer.Status < 200 || answer.Status == 204 // no Content-Length: RFC 9110 section 8.6
	kept := make([]route.Field, 0, len(answer.Fields))
	for _, f := range answer.Fields {
		if hopByHop(f.Name) || ours(f.Name) || contains(nominated, f.Name) || bare && strings.EqualFold(f.Name, "Content-Length") {
			continue
		}
		kept = append(kept, f)
	}
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
