package acme_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/homeward/homeward/internal/config"
	"github.com/homeward/homeward/internal/edge"
	"github.com/homeward/homeward/internal/serve/acme"
	"github.com/homeward/homeward/internal/testauthority"
	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/internal/testjournal"
	"github.com/homeward/homeward/internal/testleak"
)

const (
	name  = "api.homeward.test" // a facade host of the demo's topology
	email = "ops@operator.test"
	// patience is how long a test waits for what must come; it decides nothing.
	patience = 60 * time.Second
)

func TestMain(m *testing.M) {
	testleak.Main(m,
		// These two libraries have goroutines that nothing ends, or only time.
		goleak.IgnoreAnyFunction("github.com/letsencrypt/pebble/v2/va.VAImpl.processTasks"),
		goleak.IgnoreAnyFunction("github.com/caddyserver/certmagic.(*RingBufferRateLimiter).loop"),
		goleak.IgnoreAnyFunction("github.com/caddyserver/certmagic.keepLockfileFresh"),
	)
}

// ports are an edge's listeners, open before anything answers on them: the
// authority must know them first.
type ports struct{ plain, secure net.Listener }

func openPorts(t *testing.T) ports { return ports{listen(t), listen(t)} }

func port(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }

// world is an edge in front of a cell, with a manager of its certificates.
type world struct {
	t       *testing.T
	ports   ports
	manager *acme.Manager
	edge    *edge.Edge
	log     *testjournal.Buffer
}

// with is what a test changes of a world.
type with struct {
	dir       string // "" for a new one
	tlsOnly   bool
	fallback  func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	authority *authority
	ports     ports
}

func start(t *testing.T, c with) *world {
	t.Helper()
	if c.dir == "" {
		c.dir = t.TempDir() + "/acme"
	}
	w := &world{t: t, ports: c.ports, log: &testjournal.Buffer{}}
	logger := slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	w.manager, err = acme.Open(acme.Config{
		Names: []string{name}, Email: email, Dir: c.dir, CA: c.authority.Directory(), Roots: testauthority.Pool(c.authority.Root()), Fallback: c.fallback,
		Log: logger, Now: time.Now, Check: 50 * time.Millisecond, Retry: 50 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	top, err := config.LoadFile("../../../examples/demo.yaml")
	if err != nil {
		t.Fatal(err)
	}
	cell := testcell.New("na1", testcell.Options{})
	behind := listen(t)
	go func() { _ = cell.Serve(behind) }()
	t.Cleanup(cell.Close)
	for i := range top.Cells {
		top.Cells[i].Gateways = []string{"http://" + behind.Addr().String()}
	}
	w.edge, err = edge.Open(edge.Config{Topology: top, Log: logger, ObtainedCertificates: w.manager, Challenges: w.manager.Answer})
	if err != nil {
		t.Fatal(err)
	}
	plain := c.ports.plain.Addr().(*net.TCPAddr)
	if c.tlsOnly {
		plain = nil
	}
	w.manager.Start(plain, c.ports.secure.Addr().(*net.TCPAddr))
	go func() { _ = w.edge.Serve(c.ports.plain, nil) }()
	go func() {
		_ = w.edge.Serve(c.ports.secure, &tls.Config{GetCertificate: w.manager.GetCertificate, NextProtos: []string{acme.Protocol}, MinVersion: tls.VersionTLS12})
	}()
	t.Cleanup(w.stop)
	return w
}

func (w *world) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := w.manager.Close(ctx); err != nil {
		w.t.Errorf("close: %v", err)
	}
	_ = w.edge.Shutdown(ctx, 0)
}

// eventually waits for what must come.
func (w *world) eventually(what string, ok func() bool) {
	w.t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("never: %s\n%s", what, w.log)
		}
	}
}

// shown makes a handshake and returns the certificate that it was shown.
func (w *world) shown(config *tls.Config) (*x509.Certificate, error) {
	conn, err := tls.Dial("tcp", w.ports.secure.Addr().String(), config)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0], nil
}

// whatever takes whatever certificate there is for a host.
func whatever(host string) *tls.Config {
	return &tls.Config{ServerName: host, InsecureSkipVerify: true} // the test looks at the certificate itself
}

// obtained waits for a certificate that clients of the authority believe.
func (w *world) obtained(a *authority) *x509.Certificate {
	w.t.Helper()
	var cert *x509.Certificate
	w.eventually("a certificate of the authority is served", func() (ok bool) {
		var err error
		cert, err = w.shown(&tls.Config{ServerName: name, RootCAs: testauthority.Pool(a.Issuer())})
		return err == nil
	})
	return cert
}

// get asks the plain port.
func (w *world) get(host, path string) (status int, body string) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, "http://"+w.ports.plain.Addr().String()+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	req.Host, req.Close = host, true
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// logged counts the log lines that hold all of the texts.
func (w *world) logged(texts ...string) (n int) {
lines:
	for line := range strings.Lines(w.log.String()) {
		for _, text := range texts {
			if !strings.Contains(line, text) {
				continue lines
			}
		}
		n++
	}
	return n
}

func (w *world) counts() string {
	good, bad := w.manager.Counts()
	return fmt.Sprintf("%d obtained, %d failed", good, bad)
}
