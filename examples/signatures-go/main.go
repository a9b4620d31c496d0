// Command signatures-go shows that what a Go client signs for the facade
// verifies at the origin, over what arrived there: AWS Signature Version 4 and
// HTTP Message Signatures (RFC 9421), both written out here over the standard
// library.
//
//	signatures-go origin CELL
//	signatures-go client EDGE_HTTP EDGE_HTTPS CA_FILE CREDENTIAL
package main

import (
	"errors"
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 2 && args[0] == "origin":
		return serveOrigin(os.Stdout, args[1])
	case len(args) == 5 && args[0] == "client":
		routes, err := routes(args[1], args[2], args[3])
		if err != nil {
			return err
		}
		c := &client{out: os.Stdout, credential: args[4]}
		for _, r := range routes {
			if err := c.accepted(r); err != nil {
				return fmt.Errorf("%s: %w", r.name, err)
			}
		}
		return c.refused(routes[0])
	}
	return errors.New("usage: signatures-go origin CELL | client EDGE_HTTP EDGE_HTTPS CA_FILE CREDENTIAL")
}
