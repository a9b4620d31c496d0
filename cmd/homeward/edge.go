package main

import (
	"crypto/tls"

	"github.com/homeward/homeward/cmd/internal/edgecmd"
	"github.com/homeward/homeward/internal/http3"
	"github.com/homeward/homeward/internal/proxy"
	"github.com/homeward/homeward/internal/serve/acme"
)

// edgeFeatures is what the edge of this command has and homeward-edge has not.
func edgeFeatures() edgecmd.Features {
	return edgecmd.Features{
		ACME:  obtainer,
		HTTP3: func(behind *proxy.Server, config *tls.Config) edgecmd.HTTP3 { return http3.New(behind, config) },
	}
}

func obtainer(c edgecmd.ACMEConfig) (edgecmd.Obtainer, error) {
	m, err := acme.Open(acme.Config{
		Names: c.Names, Email: c.Email, Dir: c.Dir, CA: c.CA, Roots: c.Roots, Fallback: c.Fallback, Log: c.Log, Now: c.Now,
	})
	if err != nil {
		return nil, err // not m, which would be an Obtainer that is nil
	}
	return m, nil
}
