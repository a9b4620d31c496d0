package acme

import (
	"fmt"
	"net/netip"
	"strings"
)

// CheckName says why no certificate can be had for a name: only for DNS names of
// two labels or more, of letters, digits and hyphens (RFC 5890 section 2.3.1).
func CheckName(name string) error {
	if _, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return fmt.Errorf("%q is an address: certificates are got for DNS names only", name)
	}
	if strings.HasPrefix(name, "*.") {
		return fmt.Errorf("%q: a wildcard can be proved through DNS only, which is not built: name each host, or give a certificate file", name)
	}
	labels := strings.Split(normal(name), ".")
	if len(labels) < 2 || len(name) > 253 || labels[len(labels)-1] == "localhost" {
		return fmt.Errorf("%q is not a DNS name that an authority can reach", name)
	}
	for _, label := range labels {
		if !plainLabel(label) {
			return fmt.Errorf("%q is not a DNS name of letters, digits, hyphens and dots; write others as xn--", name)
		}
	}
	return nil
}

func plainLabel(s string) bool {
	if s == "" || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// normal is the form in which names are compared.
func normal(name string) string { return strings.ToLower(name) }
