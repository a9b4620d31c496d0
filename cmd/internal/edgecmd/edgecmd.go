// Package edgecmd is the command that runs an edge, shared by homeward and
// homeward-edge. What only one of them has is injected, so that the other is not
// linked with it.
package edgecmd

import (
	"crypto/tls"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/homeward/homeward/internal/proxy"
)

// Features are what a command has beyond the lean edge. Without a feature its
// flags do not exist.
type Features struct {
	// ACME prepares getting certificates from an authority; it asks nothing of
	// it yet.
	ACME func(ACMEConfig) (Obtainer, error)
	// HTTP3 makes what serves HTTP/3 before an edge. config is that of HTTPS.
	HTTP3 func(behind *proxy.Server, config *tls.Config) HTTP3
}

// New makes the command, named use. It ends when its context does.
func New(use string, features Features) *cobra.Command {
	o := options{features: features}
	example := use
	if use == "edge" {
		example = "homeward edge"
	}
	cmd := &cobra.Command{
		Use:   use,
		Short: "Run the edge in front of the cells of a topology",
		Long: `Run the edge: it reads the home cell out of each request's own credential and
sends the request there, unchanged.

  ` + example + ` -t topology.yaml --http 127.0.0.1:8080 --admin 127.0.0.1:8900

Signals: SIGHUP takes the changed topology file, whole or not at all, and opens the
file of the access log anew. SIGTERM and Ctrl-C end the edge: no new connections,
requests under way to their end, idle connections closed over timeouts.drain; a
second one ends it at once.
A changed certificate is taken by itself.` + features.missing(),
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			reload := make(chan os.Signal, 1)
			signal.Notify(reload, syscall.SIGHUP)
			defer signal.Stop(reload)
			return o.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), reload)
		},
	}
	o.flags(cmd.Flags())
	return cmd
}

// missing tells people what the other command has.
func (f Features) missing() string {
	if f.ACME == nil && f.HTTP3 == nil {
		return "\n\n'homeward edge' has more: certificates by ACME, and HTTP/3."
	}
	return ""
}
