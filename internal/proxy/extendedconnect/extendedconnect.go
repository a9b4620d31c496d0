// Package extendedconnect makes the HTTP/2 server of the standard library accept
// extended CONNECT (RFC 8441), by which WebSockets travel over HTTP/2.
//
// The library has it behind a setting that it reads once, from the environment,
// when package net/http is initialised; there is no other way to set it. The
// language says in which order packages are initialised: of those whose imports
// are ready, the first by import path (Go specification, "Program
// initialization"). This package needs nothing but package os, and its path
// sorts before net/http. A test of the proxy holds that the server announces it.
package extendedconnect

import "os"

var _ = ask(os.Getenv("GODEBUG"))

func ask(debug string) error {
	if debug != "" {
		debug += ","
	}
	return os.Setenv("GODEBUG", debug+"http2xconnect=1")
}
