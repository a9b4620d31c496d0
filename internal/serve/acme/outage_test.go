package acme_test

import (
	"crypto/x509"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/homeward/homeward/internal/testcert"
)

func selfSigned(t *testing.T, host string, from, to time.Time) testcert.Pair {
	t.Helper()
	return testcert.New(t, testcert.Options{Names: []string{host}, Serial: 7, From: from, To: to})
}

// seed fills a directory by a world that obtains a certificate and stops, and
// leaves the authority down. It returns the files of certificate and key.
func seed(t *testing.T, a *authority, p ports, dir string) (certFile, keyFile string, cert *x509.Certificate) {
	t.Helper()
	a.start()
	w := start(t, with{authority: a, ports: p, dir: dir})
	cert = w.obtained(a)
	w.stop()
	a.Stop()
	err := filepath.WalkDir(filepath.Join(dir, "certificates"), func(path string, _ fs.DirEntry, err error) error {
		switch filepath.Ext(path) {
		case ".crt":
			certFile = path
		case ".key":
			keyFile = path
		}
		return err
	})
	if err != nil || certFile == "" || keyFile == "" {
		t.Fatalf("files %q and %q, %v", certFile, keyFile, err)
	}
	return certFile, keyFile, cert
}

// reopen opens the ports again that a stopped edge had.
func reopen(t *testing.T, p ports) ports {
	t.Helper()
	return ports{again(t, p.plain.Addr().String()), again(t, p.secure.Addr().String())}
}

func write(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestOutageAtTheFirstStart(t *testing.T) {
	p := openPorts(t)
	a := newAuthority(t, port(p.plain), port(p.secure))
	w := start(t, with{authority: a, ports: p})
	w.eventually("attempts fail and go on", func() bool { _, failed := w.manager.Counts(); return failed >= 2 })
	if status, _ := w.get(name, "/x"); status != 200 {
		t.Errorf("plain HTTP answers %d", status)
	}
	for range 20 {
		if _, err := w.shown(whatever(name)); err == nil || !strings.Contains(err.Error(), "unrecognized name") {
			t.Fatalf("a handshake without a certificate: %v, want the alert unrecognized_name", err)
		}
	}
	if n := w.logged("handshakes refused", name); n != 1 {
		t.Errorf("20 refused handshakes made %d log lines:\n%s", n, w.log)
	}
	if w.logged("level=ERROR", "no certificate could be obtained", "connection refused") == 0 {
		t.Errorf("the log does not say why:\n%s", w.log)
	}
	a.start()
	w.obtained(a)
}

func TestOutageAtALaterStart(t *testing.T) {
	p := openPorts(t)
	a := newAuthority(t, port(p.plain), port(p.secure))
	dir := t.TempDir() + "/acme"
	_, _, cert := seed(t, a, p, dir)
	w := start(t, with{authority: a, ports: reopen(t, p), dir: dir})
	if got, err := w.shown(whatever(name)); err != nil || !got.Equal(cert) {
		t.Errorf("the first handshake is not shown what is on disk: %v", err)
	}
	if got := w.counts(); got != "0 obtained, 0 failed" {
		t.Errorf("%s: the authority was asked without need", got)
	}
}

func TestOutageAtRenewal(t *testing.T) {
	now := time.Now()
	for what, kept := range map[string]struct {
		from, to time.Time
		level    string
		says     string
	}{
		"due":      {now.Add(-70 * 24 * time.Hour), now.Add(20 * 24 * time.Hour), "WARN", "could not be renewed"},
		"expiring": {now.Add(-80 * 24 * time.Hour), now.Add(10 * 24 * time.Hour), "ERROR", "expires soon"},
		"expired":  {now.Add(-90 * 24 * time.Hour), now.Add(-time.Hour), "ERROR", "has expired"},
	} {
		t.Run(what, func(t *testing.T) {
			p := openPorts(t)
			a := newAuthority(t, port(p.plain), port(p.secure))
			dir := t.TempDir() + "/acme"
			certFile, keyFile, _ := seed(t, a, p, dir)
			old := selfSigned(t, name, kept.from, kept.to)
			write(t, certFile, old.Cert)
			write(t, keyFile, old.Key)
			w := start(t, with{authority: a, ports: reopen(t, p), dir: dir})
			w.eventually("renewals fail and go on", func() bool { _, failed := w.manager.Counts(); return failed >= 2 })
			if got, err := w.shown(whatever(name)); err != nil || !got.Equal(old.TLS(t).Leaf) {
				t.Errorf("the old certificate is not served on: %v", err)
			}
			if w.logged("level="+kept.level, kept.says, "not_after") == 0 {
				t.Errorf("no %s with %q:\n%s", kept.level, kept.says, w.log)
			}
			a.start()
			w.obtained(a)
			secrets(t, w, dir)
		})
	}
}

// Both find the certificate due at the same time, and one of them renews it.
func TestEdgesWithOneDirectoryRenewOnce(t *testing.T) {
	p := openPorts(t)
	a := newAuthority(t, port(p.plain), port(p.secure))
	dir := t.TempDir() + "/acme"
	certFile, keyFile, _ := seed(t, a, p, dir)
	old := selfSigned(t, name, time.Now().Add(-70*24*time.Hour), time.Now().Add(20*24*time.Hour))
	write(t, certFile, old.Cert)
	write(t, keyFile, old.Key)
	a.start()
	first := start(t, with{authority: a, ports: reopen(t, p), dir: dir})
	second := start(t, with{authority: a, ports: openPorts(t), dir: dir})
	if !first.obtained(a).Equal(second.obtained(a)) {
		t.Error("two certificates were obtained for one name")
	}
	once(t, first, second)
}

// Another process renews while this one waits for the lock that both use.
func TestWhatAnotherRenewedIsTaken(t *testing.T) {
	p := openPorts(t)
	a := newAuthority(t, port(p.plain), port(p.secure))
	dir := t.TempDir() + "/acme"
	certFile, keyFile, _ := seed(t, a, p, dir)
	now := time.Now()
	old := selfSigned(t, name, now.Add(-70*24*time.Hour), now.Add(20*24*time.Hour))
	write(t, certFile, old.Cert)
	write(t, keyFile, old.Key)
	lock := filepath.Join(dir, "locks", "issue_cert_"+name+".lock")
	write(t, lock, []byte(now.Add(time.Hour).Format(`{"created":"`+time.RFC3339+`"}`))) // never stale
	a.start()
	w := start(t, with{authority: a, ports: reopen(t, p), dir: dir})
	w.eventually("the renewal begins", func() bool { return w.logged("asking the authority") == 1 })
	renewed := selfSigned(t, name, now.Add(-time.Hour), now.Add(life*time.Second))
	write(t, keyFile, renewed.Key)
	write(t, certFile, renewed.Cert)
	if err := os.Remove(lock); err != nil {
		t.Fatal(err)
	}
	w.eventually("the other's certificate is taken", func() bool { return w.logged("certificate taken from disk") == 2 })
	if got, err := w.shown(whatever(name)); err != nil || !got.Equal(renewed.TLS(t).Leaf) {
		t.Errorf("the other's certificate is not served: %v", err)
	}
	if got := w.counts(); got != "0 obtained, 0 failed" {
		t.Errorf("%s: the authority was asked without need", got)
	}
}

// What was damaged on disk is replaced, and never keeps an edge from starting.
func TestDamagedFiles(t *testing.T) {
	valid := selfSigned(t, name, time.Now().Add(-time.Hour), time.Now().Add(life*time.Second))
	other := selfSigned(t, "other.test", time.Now().Add(-time.Hour), time.Now().Add(life*time.Second))
	for what, damage := range map[string]func(t *testing.T, certFile, keyFile string){
		"mismatch":  func(t *testing.T, certFile, _ string) { write(t, certFile, valid.Cert) },
		"half":      func(t *testing.T, certFile, _ string) { write(t, certFile, valid.Cert[:99]) },
		"empty key": func(t *testing.T, _, keyFile string) { write(t, keyFile, nil) },
		"other name": func(t *testing.T, certFile, keyFile string) {
			write(t, certFile, other.Cert)
			write(t, keyFile, other.Key)
		},
		"no key": func(t *testing.T, _, keyFile string) {
			if err := os.Remove(keyFile); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(what, func(t *testing.T) {
			p := openPorts(t)
			a := newAuthority(t, port(p.plain), port(p.secure))
			dir := t.TempDir() + "/acme"
			certFile, keyFile, _ := seed(t, a, p, dir)
			damage(t, certFile, keyFile)
			a.start()
			w := start(t, with{authority: a, ports: reopen(t, p), dir: dir})
			if w.logged("level=ERROR", "cannot be used", filepath.Base(dir)) != 1 {
				t.Errorf("the log does not name the file:\n%s", w.log)
			}
			w.obtained(a)
		})
	}
}
