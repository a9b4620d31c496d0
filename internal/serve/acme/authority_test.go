package acme_test

import (
	"net"
	"testing"

	"github.com/homeward/homeward/internal/testauthority"
)

// authority is one for a test.
type authority struct {
	t *testing.T
	*testauthority.Authority
}

// newAuthority makes an authority that is down and validates on these ports.
func newAuthority(t *testing.T, httpPort, tlsPort int) *authority {
	t.Helper()
	a, err := testauthority.Open(testauthority.Config{Life: life, HTTPPort: httpPort, TLSPort: tlsPort, Setenv: t.Setenv})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return &authority{t, a}
}

func (a *authority) start() {
	a.t.Helper()
	if err := a.Start(); err != nil {
		a.t.Fatal(err)
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := testauthority.Listen()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// again listens on an address that was in use a moment ago.
func again(t *testing.T, addr string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return l
}
