package explain

import (
	"net/netip"
	"strconv"
	"strings"
)

// hostport is the Host header of an authority without its user.
func hostport(authority, scheme, where string) (string, error) {
	host, port := authority, ""
	if strings.HasPrefix(authority, "[") {
		end := strings.IndexByte(authority, ']')
		if end < 0 {
			return "", wrong(where, "the URL's IPv6 address has no closing ]", "write it as [::1]")
		}
		address, _, _ := strings.Cut(authority[1:end], "%") // the zone stays with the client
		if ip, err := netip.ParseAddr(address); err != nil || !ip.Is6() {
			return "", wrong(where, "the URL's [ ] hold no IPv6 address", "write it as [::1]")
		}
		host, port = "["+address+"]", authority[end+1:]
	} else {
		if i := strings.IndexByte(authority, ':'); i >= 0 {
			host, port = authority[:i], authority[i:]
		}
		host = dotted(unescape(host))
		if err := checkHost(host, where); err != nil {
			return "", err
		}
	}
	if port == "" || port == ":" {
		return host, nil
	}
	n, err := strconv.ParseUint(strings.TrimPrefix(port, ":"), 10, 16)
	if err != nil || port[0] != ':' {
		return "", wrong(where, "the URL's port is not a number up to 65535", "is a quote missing, or a user before @?")
	}
	if n == 80 && scheme == "http" || n == 443 && scheme == "https" {
		return host, nil
	}
	return host + ":" + strconv.FormatUint(n, 10), nil
}

// dotted is a number that stands for an IPv4 address, such as 127.1 or
// 0x7f000001, in its usual form; any other host as it is.
func dotted(host string) string {
	parts := strings.Split(host, ".")
	var ip uint64
	for i, p := range parts {
		room := 8 // bits that the part may fill: the last one all that are left
		if i == len(parts)-1 {
			room = 8 * (5 - len(parts))
		}
		n, err := strconv.ParseUint(p, 0, 32)
		if err != nil || len(parts) > 4 || n>>room != 0 || strings.Contains(p, "_") {
			return host
		}
		ip = ip<<room | n
	}
	return netip.AddrFrom4([4]byte{byte(ip >> 24), byte(ip >> 16), byte(ip >> 8), byte(ip)}).String()
}

func checkHost(host, where string) error {
	if host == "" {
		return wrong(where, "the URL has no host", "write it as https://HOST/PATH")
	}
	for i := 0; i < len(host); i++ {
		c := host[i]
		if c >= 0x80 {
			return wrong(where, "the URL's host has letters outside ASCII", "write it in punycode, as xn--…")
		}
		if c <= ' ' || c == 0x7f || strings.IndexByte("\\!$'\"^`*<>=;,(){}|&+", c) >= 0 {
			return wrong(where, "the URL's host holds a character that no host name has", "write it as https://HOST/PATH")
		}
	}
	return nil
}
