package forwarded

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/homeward/homeward/route"
)

// hop is what one proxy wrote into Forwarded (RFC 7239 section 4);
// what it does not say is "".
type hop struct{ node, proto, host string }

// readForwarded reads all Forwarded lines. A line that is not well-formed is
// dropped, and what stands before it: it could have been made to swallow what a
// proxy behind it added.
func readForwarded(fields []route.Field) (lines []string, elements []hop) {
	for _, line := range all(fields, "Forwarded") {
		more, ok := parseForwarded(line)
		if !ok {
			lines, elements = nil, nil
			continue
		}
		if len(more) > 0 {
			lines, elements = append(lines, line), append(elements, more...)
		}
	}
	return lines, elements
}

// parseForwarded reads a list of elements. It is less strict than the RFC where
// proxies are: white space may stand around semicolons, and colons and brackets
// outside quotes.
func parseForwarded(line string) (elements []hop, ok bool) {
	var e hop
	said, open := false, true // e has a parameter; another may follow
	for rest := line; ; {
		rest = strings.TrimLeft(rest, " \t")
		switch {
		case rest == "" || rest[0] == ',':
			if said {
				elements = append(elements, e)
			}
			if rest == "" {
				return elements, true
			}
			e, said, open, rest = hop{}, false, true, rest[1:]
			continue
		case rest[0] == ';':
			open, rest = true, rest[1:]
			continue
		case !open:
			return nil, false
		}
		var name, value string
		if name, value, rest, ok = cutPair(rest); !ok || !e.set(name, value) {
			return nil, false
		}
		said, open = true, false
	}
}

// set takes a parameter; none of those that count may stand twice or be empty.
func (e *hop) set(name, value string) bool {
	var at *string
	switch strings.ToLower(name) {
	case "for":
		at = &e.node
	case "proto":
		at = &e.proto
	case "host":
		at = &e.host
	default:
		return true
	}
	if *at != "" || value == "" {
		return false
	}
	*at = value
	return true
}

// cutPair takes name=value from the start of s, the value a token or quoted.
func cutPair(s string) (name, value, rest string, ok bool) {
	name, rest, ok = strings.Cut(s, "=")
	if !ok || name == "" || span(name, "") != len(name) {
		return "", "", "", false
	}
	if !strings.HasPrefix(rest, `"`) {
		n := span(rest, ":[]")
		return name, rest[:n], rest[n:], n > 0
	}
	var b strings.Builder
	for i := 1; i < len(rest); i++ {
		switch c := rest[i]; {
		case c == '"':
			return name, b.String(), rest[i+1:], true
		case c == '\\' && i+1 < len(rest):
			i++
			b.WriteByte(rest[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", "", "", false
}

// span is how many bytes at the start of s are of a token (RFC 9110 section
// 5.6.2) or in more.
func span(s, more string) int {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
			strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0 || strings.IndexByte(more, c) >= 0) {
			return i
		}
	}
	return len(s)
}

// element is what the edge adds for the peer of a request.
func element(peer netip.Addr, proto, host string) string {
	e := "for=" + quoted(bracketed(peer)) + ";proto=" + proto
	if host != "" {
		e += ";host=" + quoted(host)
	}
	return e
}

// quoted is a value as a token, or in quotes where it is none.
func quoted(value string) string {
	if value != "" && span(value, "") == len(value) {
		return value
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}

func bracketed(a netip.Addr) string {
	if a.Is6() {
		return "[" + a.String() + "]"
	}
	return nodeName(a)
}

// nodeName is an address in X-Forwarded-For; "unknown" when there is none.
func nodeName(a netip.Addr) string {
	var space [64]byte
	return string(appendNode(space[:0], a))
}

// appendNode appends nodeName.
func appendNode(dst []byte, a netip.Addr) []byte {
	if !a.IsValid() {
		return append(dst, "unknown"...)
	}
	return a.AppendTo(dst)
}

// nodeAddress reads the address of a proxy or client as X-Forwarded-For and
// Forwarded write it: IPv4, or IPv6 in brackets or without, with a port that is
// dropped. It is not valid for a name, for what is obfuscated or unknown, and for
// an address with a zone, which means nothing to anybody else.
func nodeAddress(s string) netip.Addr {
	host, port := s, ""
	if inside, ok := strings.CutPrefix(s, "["); ok {
		if host, port, ok = strings.Cut(inside, "]"); !ok || !strings.Contains(host, ":") {
			return netip.Addr{}
		}
	} else if strings.Count(s, ":") == 1 {
		i := strings.IndexByte(s, ':')
		host, port = s[:i], s[i:]
	}
	if port != "" && !validPort(port) {
		return netip.Addr{}
	}
	a, err := netip.ParseAddr(host)
	if err != nil || a.Zone() != "" {
		return netip.Addr{}
	}
	return a.Unmap()
}

// validPort accepts a number, or an obfuscated port (RFC 7239 section 6).
func validPort(s string) bool {
	number, ok := strings.CutPrefix(s, ":")
	if !ok {
		return false
	}
	if strings.HasPrefix(number, "_") {
		return true
	}
	_, err := strconv.ParseUint(number, 10, 16)
	return err == nil
}
