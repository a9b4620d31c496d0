package main

import (
	"github.com/homeward/homeward/cmd/internal/edgecmd"
	"github.com/homeward/homeward/internal/serve/acme"
)

// edgeFeatures is what the edge of this command has and homeward-edge has not.
func edgeFeatures() edgecmd.Features {
	return edgecmd.Features{ACME: obtainer}
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
