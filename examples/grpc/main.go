// Command grpc calls the cells of the demo with grpc-go through the edge: all
// kinds of calls, two cells on one connection, deadlines, and what the edge
// itself has to say.
//
//	grpc -http ADDR -https ADDR -ca FILE -na2 KEY -eu1 KEY -lost KEY [-down KEY]
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// facade is the name that calls are for; connections go to the edge's address.
const facade = "api.homeward.test"

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	var c caller
	var plain, secure, caFile, down string
	flags := flag.NewFlagSet("grpc", flag.ContinueOnError)
	flags.StringVar(&plain, "http", "", "`address` of the edge without TLS")
	flags.StringVar(&secure, "https", "", "`address` of the edge with TLS")
	flags.StringVar(&caFile, "ca", "", "`file` of the authority to trust")
	flags.StringVar(&c.keys.na2, "na2", "", "credential of na2")
	flags.StringVar(&c.keys.eu1, "eu1", "", "credential of eu1")
	flags.StringVar(&c.keys.lost, "lost", "", "credential of a cell that does not exist")
	flags.StringVar(&down, "down", "", "only show what a call with this `credential` gets, whose cell is down")
	if err := flags.Parse(args); err != nil {
		return err
	}
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return fmt.Errorf("%s holds no certificate", caFile)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, route := range []struct {
		name, address string
		credentials   credentials.TransportCredentials
	}{
		{"HTTP/2 over TLS", secure, credentials.NewTLS(&tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12})},
		{"HTTP/2 without TLS", plain, insecure.NewCredentials()},
	} {
		conn, err := grpc.NewClient("passthrough:///"+route.address, grpc.WithTransportCredentials(route.credentials), grpc.WithAuthority(facade))
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close() }()
		fmt.Println(route.name + ":")
		c.conn = conn
		if down != "" {
			err = c.cellDown(ctx, down)
		} else {
			err = c.all(ctx)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", route.name, err)
		}
	}
	return nil
}
