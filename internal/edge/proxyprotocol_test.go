package edge_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/homeward/homeward/internal/proxy"
	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/topology"
)

// PROXY headers for a client at 192.0.2.7, or 2001:db8::7, port 12345.
const (
	text4   = "PROXY TCP4 192.0.2.7 10.0.0.1 12345 443\r\n"
	text6   = "PROXY TCP6 2001:db8::7 2001:db8::1 12345 443\r\n"
	binary4 = signature2 + "\x21\x11\x00\x0c\xc0\x00\x02\x07\x0a\x00\x00\x01\x30\x39\x01\xbb"
	// With the extension that says that the client spoke TLS 1.3.
	binaryTLS = signature2 + "\x21\x11\x00\x1e\xc0\x00\x02\x07\x0a\x00\x00\x01\x30\x39\x01\xbb" +
		"\x20\x00\x0f\x01\x00\x00\x00\x00\x21\x00\x07TLSv1.3"
	binaryLocal = signature2 + "\x20\x00\x00\x00"
	signature2  = "\r\n\r\n\x00\r\nQUIT\n"
)

// behindBalancer is a world whose edge expects PROXY headers from the tests.
func behindBalancer(t *testing.T, change func(*topology.Topology)) *world {
	t.Helper()
	return newWorld(t, func(top *topology.Topology) {
		top.ProxyProtocol = []string{"127.0.0.0/8"}
		if change != nil {
			change(top)
		}
	}, testcell.Options{})
}

// through makes the client send bytes before all others on its connections.
func (c client) through(header string) client {
	tr := c.http.Transport.(*http.Transport).Clone()
	tr.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		if err == nil {
			_, err = io.WriteString(conn, header)
		}
		return conn, err
	}
	c.http = &http.Client{Transport: tr, Timeout: patience}
	return c
}

// header is a field of the request as the cell got it.
func (r reply) header(name string) string {
	for _, h := range r.report.Headers {
		if strings.EqualFold(h[0], name) {
			return h[1]
		}
	}
	return ""
}

// The address in the header is the client's for the cell, the log and the
// record, whatever the client speaks, for each request of the connection.
func TestProxyHeaderNamesTheClient(t *testing.T) {
	w := behindBalancer(t, nil)
	for _, c := range w.clients() {
		for _, h := range []struct {
			name, header, client string
			secure               bool
		}{
			{"text", text4, "192.0.2.7", false},
			{"text, IPv6", text6, "2001:db8::7", false},
			{"text, unknown", "PROXY UNKNOWN\r\n", "127.0.0.1", false},
			{"binary", binary4, "192.0.2.7", false},
			{"binary, TLS", binaryTLS, "192.0.2.7", true},
			{"binary, its own", binaryLocal, "127.0.0.1", false},
		} {
			t.Run(c.name+" "+h.name, func(t *testing.T) {
				c := c.through(h.header)
				defer c.http.CloseIdleConnections()
				scheme := "http"
				if h.secure || strings.HasPrefix(c.base, "https") {
					scheme = "https"
				}
				for range 2 {
					w.seen.forget()
					req, _ := http.NewRequest("GET", c.base+"/x", nil)
					req.Host = "localhost"
					req.Header.Set("X-Forwarded-For", "198.51.100.9")
					r := c.do(t, req)
					if got := r.header("X-Forwarded-For"); got != h.client {
						t.Errorf("the cell is told of %q, want %s", got, h.client)
					}
					if got := r.header("X-Forwarded-Proto"); got != scheme {
						t.Errorf("the cell is told of %q, want %s", got, scheme)
					}
					rec := w.seen.await(t, func(proxy.Record) bool { return true })
					if rec.Client.String() != h.client {
						t.Errorf("the record has %s, want %s", rec.Client, h.client)
					}
				}
				eventually(t, "the access log has the client", func() bool {
					return strings.Contains(w.log.String(), `"client":"`+h.client+`"`)
				})
			})
		}
	}
}

// A header counts wherever the packets are cut, and takes nothing of what
// follows it.
func TestProxyHeaderInPieces(t *testing.T) {
	w := behindBalancer(t, nil)
	for name, header := range map[string]string{"text": text4, "binary": binaryTLS} {
		wire := header + get + get
		for _, size := range []int{1, 7, len(header) - 1, len(header) + 1, len(wire)} {
			c := w.dial()
			_ = c.(*net.TCPConn).SetNoDelay(true)
			go func() {
				for rest := wire; rest != ""; {
					n := min(size, len(rest))
					if _, err := io.WriteString(c, rest[:n]); err != nil {
						return
					}
					rest = rest[n:]
				}
			}()
			r := bufio.NewReader(c)
			for range 2 {
				if got := w.read(r, "GET").header("X-Forwarded-For"); got != "192.0.2.7" {
					t.Errorf("%s in pieces of %d: the cell is told of %q", name, size, got)
				}
			}
		}
	}
}

// The address in the header is asked whether it is a trusted proxy's, not that of
// the load balancer.
func TestProxyHeaderAndTrustedProxies(t *testing.T) {
	const told = "GET / HTTP/1.1\r\nHost: localhost\r\nForwarded: for=203.0.113.7\r\n\r\n"
	for _, c := range []struct {
		trusted   string
		client    string
		forwarded string
	}{
		{"127.0.0.1", "2001:db8::7", ""},
		{"2001:db8::/64", "203.0.113.7", `for=203.0.113.7, for="[2001:db8::7]";proto=http;host=localhost`},
	} {
		w := behindBalancer(t, func(top *topology.Topology) { top.TrustedProxies = []string{c.trusted} })
		conn := w.dial()
		_, _ = io.WriteString(conn, text6+told)
		r := w.read(bufio.NewReader(conn), "GET")
		if got := r.header("Forwarded"); got != c.forwarded {
			t.Errorf("trusting %s: the cell is told of %q", c.trusted, got)
		}
		rec := w.seen.await(t, func(proxy.Record) bool { return true })
		if got := rec.Client.String(); got != c.client {
			t.Errorf("trusting %s: the client is %s, want %s", c.trusted, got, c.client)
		}
	}
}

// A header that nobody asked for is refused with an answer that says so, and what
// it claims is nowhere. So is a second one, which a client puts behind its load
// balancer's.
func TestProxyHeaderFromAnybodyElse(t *testing.T) {
	elsewhere := func(top *topology.Topology) { top.ProxyProtocol = []string{"10.0.0.0/8"} }
	plain, secure := newWorld(t, elsewhere, testcell.Options{}), newWorld(t, elsewhere, testcell.Options{})
	secure.addr = secure.serve(newAuthority(t).config("localhost"))
	behind := behindBalancer(t, nil)
	for name, c := range map[string]struct {
		w      *world
		before string
	}{
		"plain": {plain, ""}, "TLS": {secure, ""}, "a second one": {behind, binaryLocal},
	} {
		for _, header := range []string{text4, text6, "PROXY UNKNOWN\r\n", binary4, binaryTLS, binaryLocal} {
			r := c.w.raw(c.before + header + get)
			if r.StatusCode != 400 || r.kind() != "bad-framing" || !strings.Contains(string(r.body), "list its address under proxy_protocol") {
				t.Errorf("%s, %q: %d %s", name, header, r.StatusCode, r.body)
			}
		}
	}
	for _, w := range []*world{plain, secure, behind} {
		eventually(t, "the refusals are logged", func() bool { return strings.Count(w.log.String(), "bad-framing") >= 6 })
		if log := w.log.String(); strings.Contains(log, "192.0.2.7") || strings.Contains(log, "2001:db8") {
			t.Errorf("what a header claimed is in the log:\n%s", log)
		}
		if n := w.cells["na1"].Requests(); n != 0 {
			t.Errorf("%d requests reached a cell", n)
		}
	}
}

// A request whose method is PROXY is a request.
func TestProxyAsAMethod(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{})
	if r := w.raw("PROXY /TCP4 HTTP/1.1\r\nHost: localhost\r\n\r\n"); r.report.Method != "PROXY" {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
}

// A declared load balancer that sends no header, a broken one, or none in time is
// hung up on without a word, counted, and told of once and not a hundred times.
func TestProxyHeaderThatIsNotAsItMustBe(t *testing.T) {
	t.Parallel()
	w := behindBalancer(t, func(top *topology.Topology) { top.Timeouts.Header = topology.Duration(brief) })
	secure := w.serve(newAuthority(t).config("localhost"))
	var under sync.WaitGroup
	hungUp := func(addr, wire string) {
		t.Helper()
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(patience))
		under.Go(func() {
			defer c.Close()
			_, _ = io.WriteString(c, wire)
			if b, err := io.ReadAll(c); len(b) > 0 || err != nil && isTimeout(err) {
				t.Errorf("%q: %q, %v", wire, b, err)
			}
		})
	}
	for _, addr := range []string{w.addr, secure} {
		hungUp(addr, get)
		hungUp(addr, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
		hungUp(addr, "PROXY TCP4 192.0.2.7 10.0.0.1 99999 443\r\n"+get)
		hungUp(addr, strings.Repeat("PROXY ", 100))
		hungUp(addr, signature2+"\x21\x11\xff\xff"+strings.Repeat("x", 5000))
		hungUp(addr, "PROXY TCP4 192.0.2.7 ")
		hungUp(addr, "")
	}
	under.Wait()
	probe, err := net.Dial("tcp", w.addr) // asks whether the port is open
	if err != nil {
		t.Fatal(err)
	}
	probe.Close()
	eventually(t, "all connections are gone", func() bool { return w.metric(t, "homeward_client_connections") == "0" })
	for header, want := range map[string]string{"missing": "4", "malformed": "6", "late": "4"} {
		if got := w.metric(t, `homeward_proxy_protocol_refused_total{header="`+header+`"}`); got != want {
			t.Errorf("%s: %s counted, want %s", header, got, want)
		}
	}
	if n := strings.Count(w.log.String(), "declared under proxy_protocol"); n != 1 {
		t.Errorf("told of %d times:\n%s", n, w.log.String())
	}
	if strings.Contains(w.log.String(), "192.0.2.7") {
		t.Errorf("what a header claimed is in the log:\n%s", w.log.String())
	}
}

func isTimeout(err error) bool {
	ne, ok := err.(net.Error)
	return ok && ne.Timeout()
}

// metric is a sample of the edge's metrics.
func (w *world) metric(t *testing.T, name string) string {
	t.Helper()
	admin := httptest.NewServer(w.edge.Admin())
	defer admin.Close()
	for line := range strings.Lines(fetch(t, admin.URL+"/metrics")) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	t.Fatalf("no metric %s", name)
	return ""
}

// A topology that is taken while connections are open says how the next ones
// begin, and ends none.
func TestProxyProtocolReload(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{})
	before := w.dial()
	reader := bufio.NewReader(before)
	ask := func(want string) {
		t.Helper()
		_, _ = io.WriteString(before, get)
		if got := w.read(reader, "GET").header("X-Forwarded-For"); got != want {
			t.Errorf("the cell is told of %q, want %s", got, want)
		}
	}
	ask("127.0.0.1")
	next := w.top.WithDefaults()
	next.ProxyProtocol = []string{"127.0.0.1"}
	if err := w.edge.Load(next); err != nil {
		t.Fatal(err)
	}
	ask("127.0.0.1")
	before, reader = w.dial(), nil
	reader = bufio.NewReader(before)
	_, _ = io.WriteString(before, text4)
	ask("192.0.2.7")
	if err := w.edge.Load(w.top.WithDefaults()); err != nil {
		t.Fatal(err)
	}
	ask("192.0.2.7")
	if r := w.raw(get); r.header("X-Forwarded-For") != "127.0.0.1" {
		t.Errorf("the cell is told of %q", r.header("X-Forwarded-For"))
	}
}

// The header comes before TLS, not within it.
func TestProxyHeaderWithinTLS(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{})
	a := newAuthority(t)
	c, err := tls.Dial("tcp", w.serve(a.config("localhost")), &tls.Config{RootCAs: a.pool, ServerName: "localhost"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	_, _ = io.WriteString(c, text4+get)
	if r := w.read(bufio.NewReader(c), "GET"); r.kind() != "bad-framing" {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
}
