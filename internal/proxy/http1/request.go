package http1

import (
	"net/netip"
	"strings"
)

// Request is the head of a request.
type Request struct {
	Method string
	Target string // as received
	Origin string // Target in origin form ("*" stays): without scheme and authority
	Host   string // the Host field's value; "" only in HTTP/1.0
	Minor  int    // of the version: 0 or 1
	Fields []Field
	Framing
	Expect100 bool // the client waits for 100 Continue before it sends the body
}

// ReadRequest reads the next request head. Empty lines before it are skipped.
// Errors are a *SyntaxError, ErrTooLarge, io.EOF when the connection ended
// between two requests, or what reading the connection gave. After any error
// nothing more may be read from the connection. req.Fields is reused; its strings
// are valid until r.Release.
func ReadRequest(r *Reader, req *Request, limits Limits) error {
	limits = limits.orDefault()
	if err := r.skipEmptyLines(); err != nil {
		return err
	}
	line, err := r.heldLine(limits.Head)
	if err != nil {
		return err
	}
	*req = Request{Fields: req.Fields[:0]}
	if err := req.parseLine(line); err != nil {
		return err
	}
	if req.Fields, err = r.appendFields(req.Fields, limits.Head-len(line)-len("\r\n"), limits.Fields); err != nil {
		return err
	}
	if err := req.checkHost(); err != nil {
		return err
	}
	if err := req.frame(req.Fields, req.Minor); err != nil {
		return err
	}
	for _, f := range req.Fields {
		if req.Minor == 1 && Same(f.Name, "Expect") {
			req.Expect100 = req.Expect100 || strings.EqualFold(f.Value, "100-continue")
		}
	}
	return nil
}

// parseLine reads `METHOD SP target SP HTTP/1.x` (RFC 9112 section 3).
func (req *Request) parseLine(line string) error {
	method, rest, ok := strings.Cut(line, " ")
	target, version, ok2 := strings.Cut(rest, " ")
	if !ok || !ok2 || method == "" || target == "" {
		return syntax("the request line is not a method, a target and a version with one space between them")
	}
	switch version {
	case "HTTP/1.1":
		req.Minor = 1
	case "HTTP/1.0":
	default:
		return syntax("the request line ends with a version other than HTTP/1.1 or HTTP/1.0")
	}
	req.Method, req.Target = method, target
	return CheckLine(method, target)
}

// CheckLine checks a method as a token, and a request-target as bytes 0x21 to
// 0x7E without #, and its form (RFC 9112 section 3.2).
func CheckLine(method, target string) error {
	if !isToken(method) {
		return syntax("the method holds a character that is not allowed")
	}
	for i := 0; i < len(target); i++ {
		if c := target[i]; c <= ' ' || c >= 0x7f || c == '#' {
			return syntax("the request target holds a byte outside 0x21 to 0x7E, or a #")
		}
	}
	switch {
	case method == "CONNECT":
		return syntax("CONNECT is for forward proxies; this is none")
	case target == "":
		return syntax("the request target is empty")
	case target[0] == '/':
	case target == "*" && method == "OPTIONS":
	case target == "*":
		return syntax("the target * is for OPTIONS alone")
	default:
		if _, _, ok := cutAuthority(target); !ok {
			return syntax("the request target is neither a path nor an absolute http address")
		}
	}
	return nil
}

// cutAuthority splits an absolute-form target into authority and origin form.
func cutAuthority(target string) (authority, origin string, ok bool) {
	scheme, rest, ok := strings.Cut(target, "://")
	if !ok || (!strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https")) {
		return "", "", false
	}
	i := strings.IndexAny(rest, "/?")
	switch {
	case i < 0:
		return rest, "/", rest != ""
	case rest[i] == '?':
		return rest[:i], "/" + rest[i:], i > 0
	}
	return rest[:i], rest[i:], i > 0
}

// checkHost demands one well-formed Host, the same as that of an absolute
// target (RFC 9112 sections 3.2 and 3.2.2): an origin that believes the other
// of the two would serve another host than the one decided on.
func (req *Request) checkHost() error {
	hosts := 0
	for _, f := range req.Fields {
		if Same(f.Name, "Host") {
			hosts++
			req.Host = f.Value
		}
	}
	switch {
	case hosts > 1:
		return syntax("there are two Host headers")
	case hosts == 0 && req.Minor == 1:
		return syntax("there is no Host header")
	case hosts == 1 && !ValidHost(req.Host):
		return syntax("the Host header is not a host name or address with an optional port")
	}
	req.Origin = req.Target
	if req.Target[0] != '/' && req.Target != "*" {
		authority, origin, _ := cutAuthority(req.Target)
		if !strings.EqualFold(authority, req.Host) {
			return syntax("the target is for another host than the Host header")
		}
		req.Origin = origin
	}
	return nil
}

// ValidHost reports whether s is a host with an optional port (RFC 9110
// section 7.2): a registered name without percent-encoding, an IPv4 address, or
// an IPv6 address in brackets.
func ValidHost(s string) bool {
	host, port := s, ""
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return false
		}
		if a, err := netip.ParseAddr(s[1:end]); err != nil || !a.Is6() || a.Zone() != "" {
			return false
		}
		host, port = "", s[end+1:]
	} else if i := strings.IndexByte(s, ':'); i >= 0 {
		host, port = s[:i], s[i:]
	}
	if host == "" && (s == "" || s[0] != '[') || len(host) > 255 {
		return false
	}
	for i := 0; i < len(host); i++ {
		c := host[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '-' || c == '_') {
			return false
		}
	}
	if port == "" {
		return true
	}
	if port[0] != ':' || len(port) > 6 {
		return false
	}
	for _, c := range []byte(port[1:]) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
