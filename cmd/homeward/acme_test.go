package main

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/homeward/homeward/internal/testauthority"
)

// TestCertificatesByACME runs the edge against an authority that goes away.
func TestCertificatesByACME(t *testing.T) {
	plain, secure := freePort(t), freePort(t)
	a, err := testauthority.Open(testauthority.Config{Life: 90 * 24 * 3600, HTTPPort: plain.Port, TLSPort: secure.Port, Setenv: t.Setenv})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	if err := a.Start(); err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Files: []string{"testdata/acme.txtar"}, RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("HTTP", plain.String())
			env.Setenv("HTTPS", secure.String())
			env.Setenv("CA", a.Directory())
			if err := os.WriteFile(filepath.Join(env.WorkDir, "root.pem"), a.Root(), 0o600); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(env.WorkDir, "issuer.pem"), a.Issuer(), 0o600)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"outage": func(*testscript.TestScript, bool, []string) { a.Stop() },
		},
	})
}

// freePort is an address of this machine where nobody listens.
func freePort(t *testing.T) *net.TCPAddr {
	l, err := testauthority.Listen()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr)
}
