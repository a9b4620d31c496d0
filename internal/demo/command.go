package demo

import (
	"net"
	"strings"

	"github.com/homeward/homeward/topology"
)

// base is how curl reaches a port of the edge as the facade.
type base struct {
	url     string
	options []string
}

// reach says how to reach a listener that stands for the facade. By
// 127.0.0.1, which is a facade host of the demo; on any other address by the
// facade's name.
func reach(scheme string, l net.Listener, facade string) base {
	host, port := where(l)
	if scheme == "http" && host == "127.0.0.1" {
		return base{url: "http://127.0.0.1:" + port}
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return base{url: scheme + "://" + facade + ":" + port, options: []string{"--resolve", facade + ":" + port + ":" + host}}
}

// where is an address of this machine at which the listener is reached.
func where(l net.Listener) (host, port string) {
	host, port, _ = net.SplitHostPort(l.Addr().String())
	ip := net.ParseIP(host)
	if ip.IsUnspecified() {
		ip = net.IPv4(127, 0, 0, 1)
	}
	return ip.String(), port
}

// get is curl's arguments for a path, with headers.
func (b base) get(path string, headers ...string) []string {
	args := append([]string{"-s", b.url + path}, b.options...)
	for _, h := range headers {
		args = append(args, "-H", h)
	}
	return args
}

// show adds the head of the answer, where Homeward-Error stands.
func show(args []string) []string { return append([]string{"-i"}, args...) }

func bearer(credential string) string { return "Authorization: Bearer " + credential }

// quote is the words as a shell reads them back.
func quote(words ...string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=@%+,"
	var b strings.Builder
	for i, w := range words {
		if i > 0 {
			b.WriteByte(' ')
		}
		if w == "" || strings.ContainsFunc(w, func(r rune) bool { return !strings.ContainsRune(plain, r) }) {
			w = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		b.WriteString(w)
	}
	return b.String()
}

// facade is the name that the platform's clients call.
func facade(t *topology.Topology) string { return t.Facade.Hosts[0] }
