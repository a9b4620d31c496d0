package acme_test

import (
	"context"
	"crypto/tls"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/homeward/homeward/internal/serve/acme"
	"github.com/homeward/homeward/internal/testauthority"
	"github.com/homeward/homeward/internal/testcert"
	"github.com/homeward/homeward/internal/testjournal"
)

const (
	life  = 90 * 24 * 3600 // seconds
	alpn  = "acme-tls/1"
	proof = "/.well-known/acme-challenge/"
)

// deadPort is a port where nobody answers.
func deadPort(t *testing.T) int {
	l := listen(t)
	defer l.Close()
	return port(l)
}

func TestChallengeOverHTTP(t *testing.T) {
	ports := openPorts(t)
	a := newAuthority(t, port(ports.plain), deadPort(t))
	a.start()
	dir := t.TempDir() + "/acme"
	w := start(t, with{authority: a, ports: ports, dir: dir})
	cert := w.obtained(a)
	if len(cert.DNSNames) != 1 || cert.DNSNames[0] != name {
		t.Errorf("names %q", cert.DNSNames)
	}
	for _, path := range []string{proof + "somebody-elses-token", proof, proof + "a/b?c=d"} {
		if status, body := w.get(name, path); status != 200 || !strings.Contains(body, path) {
			t.Errorf("%s did not go on to the cell: %d %.200s", path, status, body)
		}
	}
	secrets(t, w, dir)
}

func TestChallengeOverTLS(t *testing.T) {
	ports := openPorts(t)
	a := newAuthority(t, deadPort(t), port(ports.secure))
	a.start()
	w := start(t, with{authority: a, ports: ports, tlsOnly: true})
	w.obtained(a)
	conn, err := tls.Dial("tcp", ports.secure.Addr().String(), &tls.Config{ServerName: name, NextProtos: []string{alpn}, InsecureSkipVerify: true})
	if err == nil {
		conn.Close()
		t.Error("a challenge that is not under way is answered")
	}
	conn, err = tls.Dial("tcp", ports.secure.Addr().String(), &tls.Config{ServerName: name, NextProtos: []string{alpn, "http/1.1"}, RootCAs: testauthority.Pool(a.Issuer())})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if got := conn.ConnectionState().NegotiatedProtocol; got != "http/1.1" {
		t.Errorf("a client that could do both speaks %q", got)
	}
}

// secrets looks at who may read the directory, and at what the log holds.
func secrets(t *testing.T, w *world, dir string) {
	t.Helper()
	keys := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if d.IsDir() {
			want = 0o700
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %04o, want %04o", path, got, want)
		}
		if strings.HasSuffix(path, ".key") {
			keys++
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for line := range strings.Lines(string(content)) {
				if line = strings.TrimSpace(line); len(line) > 16 && !strings.HasPrefix(line, "--") && strings.Contains(w.log.String(), line) {
					t.Errorf("the log holds a part of %s", path)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if keys < 2 {
		t.Errorf("%d keys in the directory, want the account's and the certificate's", keys)
	}
	if strings.Contains(w.log.String(), email) {
		t.Errorf("the log holds the account's address:\n%s", w.log)
	}
}

func TestUndeclaredNamesAreRefused(t *testing.T) {
	ports := openPorts(t)
	a := newAuthority(t, port(ports.plain), port(ports.secure))
	a.start()
	w := start(t, with{authority: a, ports: ports})
	w.obtained(a)
	for _, host := range []string{"api-na1.homeward.test", "x." + name, "homeward.test", "localhost"} {
		if _, err := w.shown(whatever(host)); err == nil || !strings.Contains(err.Error(), "unrecognized name") {
			t.Errorf("%s: %v, want the alert unrecognized_name", host, err)
		}
	}
	if cert, err := w.shown(whatever("")); err != nil || cert.DNSNames[0] != name {
		t.Errorf("a client that names no host: %v", err)
	}
	if got := w.counts(); got != "1 obtained, 0 failed" {
		t.Errorf("%s: something was asked for that was not declared", got)
	}
}

func TestFallbackServesTheRest(t *testing.T) {
	ports := openPorts(t)
	a := newAuthority(t, port(ports.plain), port(ports.secure))
	file := testcert.New(t, testcert.Options{Names: []string{"file.test"}}).TLS(t)
	w := start(t, with{authority: a, ports: ports, fallback: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &file, nil }})
	for _, host := range []string{name, "other.test", ""} {
		if cert, err := w.shown(whatever(host)); err != nil || cert.DNSNames[0] != "file.test" {
			t.Errorf("%q before the authority answers: %v", host, err)
		}
	}
	a.start()
	w.obtained(a)
	if cert, err := w.shown(whatever("other.test")); err != nil || cert.DNSNames[0] != "file.test" {
		t.Errorf("another name afterwards: %v", err)
	}
}

// The challenge arrives at another edge than the one that asked for it.
func TestEdgesWithOneDirectoryAnswerForEachOther(t *testing.T) {
	first, second := openPorts(t), openPorts(t)
	a := newAuthority(t, port(second.plain), deadPort(t))
	dir := t.TempDir() + "/acme"
	asking := start(t, with{authority: a, ports: first, dir: dir})
	answering := start(t, with{authority: a, ports: second, dir: dir})
	a.start()
	cert := asking.obtained(a)
	if other := answering.obtained(a); !other.Equal(cert) {
		t.Error("two certificates were obtained for one name")
	}
	once(t, asking, answering)
}

// once checks that the worlds together obtained one certificate.
func once(t *testing.T, worlds ...*world) {
	t.Helper()
	var sum uint64
	for _, w := range worlds {
		good, _ := w.manager.Counts()
		sum += good
	}
	if sum != 1 {
		t.Errorf("%d certificates were obtained, want one for all", sum)
	}
}

// An authority that takes connections and says nothing holds up nothing.
func TestSilentAuthority(t *testing.T) {
	ports := openPorts(t)
	a := newAuthority(t, port(ports.plain), port(ports.secure))
	l, err := net.Listen("tcp", a.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	reached := make(chan net.Conn, 64)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			reached <- c
		}
	}()
	w := start(t, with{authority: a, ports: ports})
	silent := <-reached
	defer silent.Close()
	if status, _ := w.get(name, "/x"); status != 200 {
		t.Errorf("plain HTTP answers %d", status)
	}
	if _, err := w.shown(whatever(name)); err == nil {
		t.Error("there is a certificate")
	}
	w.stop() // fails if it does not end
}

func TestOpenRefuses(t *testing.T) {
	good := acme.Config{Names: []string{name}, Email: email, CA: "https://authority.test/dir", Log: slog.New(slog.DiscardHandler), Now: time.Now}
	shared := t.TempDir()
	if err := os.Chmod(shared, 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*acme.Config){
		"no names":             func(c *acme.Config) { c.Names = nil },
		"is an address":        func(c *acme.Config) { c.Names = []string{"192.0.2.1"} },
		"email address":        func(c *acme.Config) { c.Email = "" },
		"begins with https://": func(c *acme.Config) { c.CA = "http://authority.test/dir" },
		"no directory":         func(c *acme.Config) { c.Dir = "" },
		"chmod 700 " + shared:  func(c *acme.Config) { c.Dir = shared },
		"; name one that":      func(c *acme.Config) { c.Dir = "acme_test.go" },
		file:                   func(c *acme.Config) { c.Dir = file },
	} {
		c := good
		c.Dir = filepath.Join(t.TempDir(), "acme")
		change(&c)
		if _, err := acme.Open(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error with %q", err, want)
		}
	}
}

func TestTheSameNameTwiceIsOne(t *testing.T) {
	var log testjournal.Buffer
	m, err := acme.Open(acme.Config{
		Names: []string{name, strings.ToUpper(name)}, Email: email, Dir: filepath.Join(t.TempDir(), "a", "b"), CA: "https://authority.test/dir",
		Log: slog.New(slog.NewTextHandler(&log, nil)), Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(log.String(), "no certificate on disk yet"); n != 1 {
		t.Errorf("%d names:\n%s", n, &log)
	}
	if err := m.Close(context.Background()); err != nil {
		t.Errorf("close before the start: %v", err)
	}
}

func TestCheckName(t *testing.T) {
	for name, ok := range map[string]bool{
		"api.example.com": true, "API.Example.com": true, "a-b.c1.example": true, "xn--bcher-kva.example": true,
		"": false, "localhost": false, "api.localhost": false, "api": false, "*.example.com": false, "192.0.2.1": false,
		"[2001:db8::1]": false, "2001:db8::1": false, "a..b": false, ".a.b": false, "a.b.": false, "-a.b": false, "a-.b": false,
		"a_b.example": false, "bücher.example": false, "../../x.example": false, "a.b/c": false, "a.example:443": false,
		strings.Repeat("a", 64) + ".example": false, strings.Repeat("a.", 130) + "example": false,
	} {
		if err := acme.CheckName(name); (err == nil) != ok {
			t.Errorf("CheckName(%q) = %v", name, err)
		}
	}
}

// The proof for a host is given to nobody who asks for another.
func TestAnswerBeforeTheStart(t *testing.T) {
	m, err := acme.Open(acme.Config{Names: []string{name}, Email: email, Dir: filepath.Join(t.TempDir(), "acme"), CA: "https://authority.test/dir", Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if body, ok := m.Answer(name, proof+"token"); ok || body != "" {
		t.Errorf("answered %q", body)
	}
	if pair, err := m.GetCertificate(&tls.ClientHelloInfo{ServerName: name, SupportedProtos: []string{alpn}}); pair != nil || err != nil {
		t.Errorf("shown %v, %v", pair, err)
	}
}
