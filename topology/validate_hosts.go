package topology

import (
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// maxHostLen is the length of the longest DNS name in text (RFC 1035 section 2.3.4).
const maxHostLen = 253

// hosts checks a list of host names and addresses of the facade or of a cell.
func (v *validator) hosts(at Path, who string, list []string) {
	for i, h := range list {
		if wrong, fix := hostProblem(h); wrong != "" {
			v.add(at.Index(i), fix, "host %q %s", clip(h), wrong)
			continue
		}
		key := comparableHost(h)
		if owner, taken := v.owners[key]; taken {
			v.add(at.Index(i), "leave it where it belongs and remove the other", "host %q is already a host of %s", clip(h), owner)
			continue
		}
		v.owners[key] = who
	}
}

// comparableHost is one spelling for all spellings of a valid host.
func comparableHost(h string) string {
	if a, err := netip.ParseAddr(h); err == nil {
		return a.Unmap().String()
	}
	return strings.ToLower(h)
}

// hostProblem says what keeps h from being a host name or address without a
// port, and what to write; "" for a good one.
func hostProblem(h string) (wrong, fix string) {
	switch {
	case strings.TrimSpace(h) == "":
		return "is blank", "write a host name such as api.example.com"
	case strings.Contains(h, "://"):
		_, host, _ := strings.Cut(h, "://")
		host, _, _ = strings.Cut(host, "/")
		return "has a scheme", "write only the host: " + clip(host)
	case strings.ContainsAny(h, "/?#@"):
		host, _, _ := strings.Cut(h, "/")
		return "is more than a host", "write only the host: " + clip(host)
	case strings.HasPrefix(h, "[") && strings.HasSuffix(h, "]"):
		return "has brackets", "write " + clip(h[1:len(h)-1])
	case strings.Contains(h, "*"):
		return "has a wildcard, and hosts are exact", "list each host by its name"
	}
	if a, err := netip.ParseAddr(h); err == nil {
		if a.Zone() != "" {
			return "has a zone, which requests do not carry", "write " + a.WithZone("").String()
		}
		return "", ""
	}
	if host, _, found := strings.Cut(h, ":"); found {
		return "has a port, or is not an address", "write the host without a port: " + clip(host)
	}
	return nameProblem(h)
}

// nameProblem checks a DNS name: labels of 1 to 63 letters, digits, hyphens and
// underscores, the last one not a number.
func nameProblem(h string) (wrong, fix string) {
	if len(h) > maxHostLen {
		return "is longer than a DNS name can be", "write a name of at most 253 characters"
	}
	if name, dot := strings.CutSuffix(h, "."); dot && name != "" {
		return "ends in a dot", "write " + clip(name)
	}
	label := ""
	for label = range strings.SplitSeq(h, ".") {
		switch {
		case label == "":
			return "has an empty part", "write each dot between two names"
		case len(label) > 63:
			return "has a part longer than 63 characters", "write a DNS name"
		case label[0] == '-' || label[len(label)-1] == '-':
			return "has a part that begins or ends with a hyphen", "write a DNS name"
		}
		for i := 0; i < len(label); i++ {
			if c := label[i]; c >= 0x80 {
				return "is not ASCII, and requests carry it in its xn-- form", "write the xn-- form"
			} else if !isAlnum(c) && c != '-' && c != '_' {
				return "has the character " + strconv.QuoteRune(rune(c)), "write a DNS name: letters, digits, hyphens and dots"
			}
		}
	}
	if strings.Trim(label, "0123456789") == "" {
		return "looks like an address but is none", "write an address such as 10.0.0.1, or a DNS name"
	}
	return "", ""
}

// gatewayProblem says what keeps g from being the endpoint of a cell.
func gatewayProblem(g string) (wrong, fix string) {
	const form = "write an endpoint such as http://10.0.0.1:8080 or https://gw.eu1.internal"
	if strings.Contains(g, "@") { // first, so that no fix repeats a password
		return "has a user", form + ", without a user; a gateway knows the edge by the certificate under tls"
	}
	scheme, rest, ok := strings.Cut(g, "://")
	if !ok {
		return "has no scheme", "write http://" + clip(g) + " or https://" + clip(g)
	}
	if !slices.Contains([]string{"http", "https", "h2c", "h2"}, scheme) {
		return "has the scheme " + strconv.Quote(clip(scheme)), "write http:// or https://; for HTTP/2 h2c:// or h2://"
	}
	authority := rest
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority = rest[:i]
		return "has a path, and requests keep their own", "write " + scheme + "://" + clip(authority)
	}
	u, err := url.Parse(scheme + "://" + authority)
	if err != nil || u.Host != authority {
		return "is not an endpoint", form
	}
	host := u.Hostname()
	if wrong, fix := hostProblem(host); wrong != "" {
		return "has a host that " + wrong, fix
	}
	if strings.HasSuffix(u.Host, ":") {
		return "has a colon but no port", "write the port, or remove the colon"
	}
	if p := u.Port(); p != "" {
		if n, err := strconv.Atoi(p); err != nil || n < 1 || n > 65535 || p[0] == '0' {
			return "has the port " + clip(p), "write a port from 1 to 65535"
		}
	}
	return "", ""
}

// comparableGateway is one spelling for all spellings of a valid gateway.
func comparableGateway(g string) string {
	u, err := url.Parse(g)
	if err != nil {
		return g
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443", "h2c": "80", "h2": "443"}[u.Scheme]
	}
	return u.Scheme + "://" + comparableHost(u.Hostname()) + ":" + port
}

func isAlnum(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
