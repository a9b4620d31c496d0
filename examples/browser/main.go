//go:build unix

// Command browser shows a page in Chromium that uses cells through the edge:
// fetch with preflights, server-sent events, WebSockets, and the edge's own
// errors, from another origin than the API's.
//
//	browser origin CELL
//	browser page -edge ADDR -cert FILE -key FILE -log FILE -chromium PROGRAM -na1 KEY -na2 KEY -na2-query KEY -lost KEY [-http1]
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"
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
	case len(args) > 1 && args[0] == "page":
		return page(args[1:])
	}
	return errors.New("usage: browser origin CELL | browser page FLAGS")
}

// patience is how long the browser may take for everything.
const patience = 5 * time.Minute

func page(args []string) error {
	var b browser
	var keys credentials
	var certFile, keyFile, log string
	flags := flag.NewFlagSet("page", flag.ContinueOnError)
	flags.StringVar(&b.edge, "edge", "", "`address` of the edge for TLS")
	flags.StringVar(&certFile, "cert", "", "`file` of the certificate of edge and page")
	flags.StringVar(&keyFile, "key", "", "`file` of its private key")
	flags.StringVar(&log, "log", "", "access log `file` of the edge")
	flags.StringVar(&b.program, "chromium", "", "`program` to run")
	flags.BoolVar(&b.http1, "http1", false, "let the browser speak no HTTP/2")
	flags.StringVar(&keys.NA1, "na1", "", "bearer credential of na1, which is down")
	flags.StringVar(&keys.NA2, "na2", "", "bearer credential of na2")
	flags.StringVar(&keys.NA2Query, "na2-query", "", "credential of na2 for a query")
	flags.StringVar(&keys.Lost, "lost", "", "bearer credential of a cell that does not exist")
	if err := flags.Parse(args); err != nil {
		return err
	}
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return err
	}
	s, err := openSite(cert, keys)
	if err != nil {
		return err
	}
	defer s.close()
	b.page, b.cert = s.address(), cert

	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	began := time.Now()
	end, err := b.open(ctx)
	if err != nil {
		return err
	}
	defer end()
	select {
	case r := <-s.reports:
		if err := r.judge(os.Stdout); err != nil {
			return err
		}
	case <-ctx.Done():
		return fmt.Errorf("the page did not report within %v; Chromium said:\n%s", patience, b.said())
	}
	return spoken(os.Stdout, log, began, b.http1)
}
