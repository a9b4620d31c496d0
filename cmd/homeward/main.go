// Command homeward is the whole of Homeward in one binary: the edge, the
// demonstration, and the tools that explain and check what they do.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/homeward/homeward/cmd/internal/edgecmd"
	"github.com/homeward/homeward/internal/config"
)

// Exit statuses: scripts tell a bad input from a command that was used wrongly.
const (
	exitFailed = 1
	exitUsage  = 2
)

// errReported ends a command whose output already says what is wrong.
var errReported = errors.New("reported")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	code := run(ctx, newRoot())
	stop()
	os.Exit(code)
}

func run(ctx context.Context, root *cobra.Command) int {
	cmd, err := root.ExecuteContextC(ctx)
	var usage usageError
	var invalid *config.Error
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errReported):
		return exitFailed
	case errors.As(err, &invalid):
		_ = invalid.Render(root.ErrOrStderr(), colored(root.ErrOrStderr())) // nobody is left to tell
		return exitFailed
	case errors.As(err, &usage):
		fmt.Fprintf(root.ErrOrStderr(), "homeward: %v\nSee '%s --help'.\n", err, cmd.CommandPath())
		return exitUsage
	}
	fmt.Fprintf(root.ErrOrStderr(), "homeward: %v\n", err)
	return exitFailed
}

// usageError is a command line that cannot be understood.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "homeward",
		Short: "Send every request home to the cell that its own credential names",
		Long: `Homeward stands in front of a platform that is split into cells (na1, eu1, ...)
behind one global API domain. It reads the home cell out of each request's own
credential and sends the request there, unchanged.

Start with 'homeward demo'.`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          noArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(newValidate(), newDiff(), newSchema(), newToken())
	root.AddCommand(newExplain(), edgecmd.New("edge", edgeFeatures()), newDemo())
	return root
}

// args demands from least to most arguments, no end when most is 0. want says
// what else to give.
func args(least, most int, want string) cobra.PositionalArgs {
	return func(_ *cobra.Command, a []string) error {
		if len(a) < least || most > 0 && len(a) > most {
			return usageError{errors.New(want)}
		}
		return nil
	}
}

// noArgs is for commands without arguments. It repeats only what may be the name
// of a command that was meant: what is pasted here may as well be a credential.
func noArgs(cmd *cobra.Command, a []string) error {
	switch {
	case len(a) == 0:
		return nil
	case commandLike(a[0]):
		return usageError{fmt.Errorf("unknown command %q", a[0])}
	case cmd.Name() == "token":
		return usageError{errors.New("to read a credential, give it to 'homeward token inspect' on the standard input")}
	}
	return usageError{fmt.Errorf("'%s' does not take what stands behind it", cmd.CommandPath())}
}

// commandLike reports whether s is at most 12 small letters and hyphens.
func commandLike(s string) bool {
	return len(s) <= 12 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz-") == ""
}
