package proxy

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/homeward/homeward/internal/proxy/http1"
	"github.com/homeward/homeward/route"
)

// takeHeader takes the header fields, and holds the request to the rules that
// HTTP/1.1 requests are held to.
func (in *Inbound) takeHeader(header http.Header, s *State) (Problem, bool) {
	size, count := len(in.Target), 0
	for _, name := range slices.Sorted(maps.Keys(header)) {
		for i, value := range header[name] {
			size += len(name) + len(value) + 4
			count++
			if count > s.Limits.Headers && i > 0 { // it will be refused, and one of a name is enough to do so
				continue
			}
			if name != "Host" && name != connectProtocol && (in.Tunnel == nil || !http1.SameName(name, keyField)) {
				in.Fields = append(in.Fields, route.Field{Name: name, Value: value})
			}
		}
	}
	if err := http1.CheckLine(in.Method, in.Target); err != nil {
		p, _ := HeadProblem(err)
		return p, false
	}
	if rule := in.brokenRule(header); rule != "" {
		return Problem{Kind: BadFraming, Detail: "In the request, " + rule + "."}, false
	}
	if size > int(s.Limits.Head) || count > s.Limits.Headers {
		p, _ := HeadProblem(http1.ErrTooLarge)
		return p, false
	}
	return Problem{}, true
}

// brokenRule is the rule of HTTP/2 heads that the library lets a client break
// and an HTTP/1.1 cell must not see broken (RFC 9113 sections 8.1.1, 8.2.1 and
// 8.3.1); "" when there is none.
func (in *Inbound) brokenRule(header http.Header) string {
	if in.Target[0] != '/' && in.Target != "*" {
		return ":path does not start with a slash" // an address there would outrank Host
	}
	if !http1.ValidHost(in.Host) {
		return ":authority is not a host name or address with an optional port"
	}
	for name, values := range header {
		for _, value := range values {
			switch {
			case name == "Host" && !strings.EqualFold(value, in.Host):
				return "Host and :authority differ"
			case value != strings.Trim(value, " \t"):
				return "a header value starts or ends with white space"
			}
		}
	}
	if in.Tunnel != nil && len(header["Content-Length"]) > 0 {
		return "a WebSocket is asked for with a body"
	}
	// The library compares the body with the first Content-Length, and a request
	// that ends with its head with none.
	if lengths := header["Content-Length"]; len(lengths) > 1 {
		return "Content-Length stands twice"
	} else if len(lengths) == 1 {
		if n, err := strconv.ParseUint(lengths[0], 10, 63); err != nil || n != uint64(in.Length) { //nolint:gosec // -1 differs from all
			return "Content-Length is not the length of the body"
		}
	}
	return ""
}
