//go:build unix

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"os"
	"os/exec"
	"sync"
	"syscall"
)

// browser is one run of Chromium with a folder of its own.
type browser struct {
	program    string
	edge, page string // addresses
	cert       tls.Certificate
	http1      bool

	mu  sync.Mutex
	out bytes.Buffer
}

// open starts it with the page. end kills it and all that it started, and may be
// called twice.
func (b *browser) open(ctx context.Context) (end func(), err error) {
	leaf, err := x509.ParseCertificate(b.cert.Certificate[0])
	if err != nil {
		return nil, err
	}
	pin := sha256.Sum256(leaf.RawSubjectPublicKeyInfo)
	dir, err := os.MkdirTemp("", "chromium-")
	if err != nil {
		return nil, err
	}
	flags := []string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-port=0", "--user-data-dir=" + dir,
		"--ignore-certificate-errors-spki-list=" + base64.StdEncoding.EncodeToString(pin[:]),
		"--host-resolver-rules=MAP api.homeward.test:443 " + b.edge + ", MAP app.homeward.test:443 " + b.page + ", MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
	}
	if b.http1 {
		flags = append(flags, "--disable-http2")
	}
	cmd := exec.CommandContext(ctx, b.program, append(flags, "https://app.homeward.test/")...)
	cmd.Stdout, cmd.Stderr = b, b
	cmd.Env = append(os.Environ(), "HOME="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // its own children end with it
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return sync.OnceFunc(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
		_ = os.RemoveAll(dir)
	}), nil
}

// Write takes what Chromium says.
func (b *browser) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.out.Write(p)
}

func (b *browser) said() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.out.String()
}
