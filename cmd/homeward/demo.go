package main

import (
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/homeward/homeward/internal/demo"
)

func newDemo() *cobra.Command {
	var c demo.Config
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run a whole world on this machine: three cells, an edge, sample credentials",
		Long: `Run a whole world in one process: the cells na1, na2 and eu1, an edge in front of
them, and sample accounts with credentials made at start. It prints curl and
grpcurl commands that show each outcome, the line "ready: ..." when it serves, and
then a line for each request: where it went and why. Ctrl-C ends it.

Nothing is kept: the development CA and the credentials are new each time.`,
		Example: `  homeward demo
  homeward demo --http 127.0.0.1:9080 --https 127.0.0.1:9443 --admin 127.0.0.1:9900 --cell-port 9101
  homeward demo --http 127.0.0.1:0 --https 127.0.0.1:0 --admin 127.0.0.1:0 --cell-port 0`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.Out, c.Colored, c.Command = cmd.OutOrStdout(), colored(cmd.OutOrStdout()), invocation()
			c.Log = slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelWarn}))
			return demo.Run(cmd.Context(), c)
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.HTTP, "http", "127.0.0.1:8080", "`address` of the edge for HTTP/1.1 and HTTP/2 with prior knowledge; port 0 takes any free one")
	f.StringVar(&c.HTTPS, "https", "127.0.0.1:8443", "`address` of the edge for TLS")
	f.StringVar(&c.Admin, "admin", "127.0.0.1:8900", "`address` of the admin port, on loopback")
	f.IntVar(&c.CellPort, "cell-port", 8101, "`port` of the first cell, the others count on; 0 takes any free ones")
	f.BoolVar(&c.Quiet, "quiet", false, "leave out the tour: print the line \"ready: ...\" and the requests only")
	return cmd
}

// invocation is how the user can call this program again: by the name it was
// called by, or, when the go command built it for one run, through that.
func invocation() string {
	if strings.Contains(os.Args[0], "go-build") {
		return "go run ./cmd/homeward"
	}
	return os.Args[0]
}
