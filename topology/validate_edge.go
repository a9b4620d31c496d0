package topology

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (v *validator) status() {
	at := Root.Key("status")
	for _, kind := range slices.Sorted(maps.Keys(v.t.Status)) {
		v.oneOf(at.Key(kind), "kind of refusal", kind, Kinds()...)
		if kind == "" {
			v.add(at.Key(kind), "write one of "+strings.Join(Kinds(), ", "), "a kind of refusal is blank")
		}
		if code := v.t.Status[kind]; code < minStatus || code > maxStatus {
			v.add(at.Key(kind), fmt.Sprintf("write a status from %d to %d", minStatus, maxStatus), "status %d does not refuse a request", code)
		}
	}
}

func (v *validator) cors() {
	c := v.t.CORS
	if c == nil {
		return
	}
	at := Root.Key("cors")
	if len(c.Origins) == 0 {
		v.add(at.Key("origins"), "write origins: [https://app.example.com], or remove cors", "cors has no origins")
	}
	v.words(at.Key("origins"), c.Origins, "an origin", originProblem)
	v.words(at.Key("methods"), c.Methods, "a method", methodProblem)
	v.words(at.Key("headers"), c.Headers, "a header name", headerNameProblem)
	v.words(at.Key("expose_headers"), c.ExposeHeaders, "a header name", headerNameProblem)
	if c.Credentials {
		for _, list := range []struct {
			key   string
			words []string
		}{{"origins", c.Origins}, {"methods", c.Methods}, {"headers", c.Headers}, {"expose_headers", c.ExposeHeaders}} {
			if i := slices.Index(list.words, "*"); i >= 0 {
				v.add(at.Key(list.key).Index(i), "list them by name, or remove credentials: true", "browsers take no * for %s where they send cookies", list.key)
			}
		}
	}
	v.ranged(at.Key("max_age"), int64(c.MaxAge), int64(time.Second), int64(maxTimeout), func(n int64) string { return Duration(n).String() })
}

func headerNameProblem(h string) (wrong, fix string) {
	if !isToken(h) {
		return "is not a header name", "write a name such as X-Request-Id"
	}
	return "", ""
}

// originProblem says what keeps o from being an origin as browsers send it (RFC
// 6454 section 6.2), or one with a wildcard for the first labels of its host.
func originProblem(o string) (wrong, fix string) {
	const form = "write https://app.example.com, https://*.example.com or *"
	if o == "*" {
		return "", ""
	}
	scheme, authority, ok := strings.Cut(o, "://")
	switch {
	case o == "null":
		return "is sent by pages that nobody vouches for", "list the origins of your pages"
	case !ok || scheme == "":
		return "is not an origin", form
	case strings.ToLower(o) != o:
		return "has capital letters, and browsers send small ones", "write " + clip(strings.ToLower(o))
	case strings.ContainsAny(authority, "/?#@"):
		host, _, _ := strings.Cut(authority, "/")
		return "is more than an origin", "write " + clip(scheme+"://"+host)
	case strings.Trim(scheme, "abcdefghijklmnopqrstuvwxyz0123456789+-.") != "":
		return "has a broken scheme", form
	}
	host, port, ported := cutPort(authority)
	if n, err := strconv.Atoi(port); ported && (err != nil || n < 1 || n > 65535 || port[0] == '0') {
		return "has the port " + strconv.Quote(clip(port)), "write a port from 1 to 65535"
	}
	if scheme == "https" && port == "443" || scheme == "http" && port == "80" {
		return "writes out the default port, which browsers leave out", "write " + clip(scheme+"://"+host)
	}
	if tail, wild := strings.CutPrefix(host, "*."); wild {
		if !strings.Contains(tail, ".") {
			return "allows a whole top-level domain", "write https://*.example.com"
		}
		host = tail
	}
	if a, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil && a.Is6() && strings.HasPrefix(host, "[") {
		return "", ""
	}
	if wrong, fix := hostProblem(host); wrong != "" {
		return "has a host that " + wrong, fix
	}
	return "", ""
}

// cutPort splits host:port; an IPv6 address keeps its brackets.
func cutPort(authority string) (host, port string, found bool) {
	i := strings.LastIndexByte(authority, ':')
	if i < 0 || strings.HasSuffix(authority, "]") {
		return authority, "", false
	}
	return authority[:i], authority[i+1:], true
}

func (v *validator) trustedProxies() {
	v.words(Root.Key("trusted_proxies"), v.t.TrustedProxies, "an address or range", proxyProblem)
	v.words(Root.Key("proxy_protocol"), v.t.ProxyProtocol, "an address or range", proxyProblem)
}

// proxyProblem says what keeps p from being an address or a CIDR range that it
// is sane to trust.
func proxyProblem(p string) (wrong, fix string) {
	const form = "write an address such as 10.0.0.1 or a range such as 10.0.0.0/8"
	if !strings.Contains(p, "/") {
		if a, err := netip.ParseAddr(p); err != nil || a.Zone() != "" {
			return "is not an address", form
		} else if a.Is4In6() {
			return "is an IPv4 address written as IPv6", "write " + a.Unmap().String()
		}
		return "", ""
	}
	r, err := netip.ParsePrefix(p)
	switch {
	case err != nil:
		return "is not an address range", form
	case r.Addr().Is4In6():
		return "is an IPv4 range written as IPv6", "write it as IPv4, such as 10.0.0.0/8"
	case r.Bits() == 0:
		return "trusts everyone: any client could claim any address", "list the addresses of your load balancers"
	case r.Masked() != r:
		return "has bits set behind its length", "write " + r.Masked().String()
	}
	return "", ""
}

func (v *validator) healthPath() {
	p := v.t.HealthPath
	if p == "" {
		return
	}
	wrong, fix := pathProblem(p)
	if wrong == "" && strings.HasSuffix(p, "/*") {
		wrong, fix = "is a prefix, and the health path is one path", "write "+clip(strings.TrimSuffix(p, "/*"))
	}
	if wrong != "" {
		v.add(Root.Key("health_path"), fix, "health path %q %s", clip(p), wrong)
	}
}
