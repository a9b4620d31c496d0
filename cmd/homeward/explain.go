package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/homeward/homeward/internal/config"
	"github.com/homeward/homeward/internal/explain"
	"github.com/homeward/homeward/internal/proxy"
	"github.com/homeward/homeward/internal/upstream"
	"github.com/homeward/homeward/route"
)

// explainFlags are the flags of homeward explain.
type explainFlags struct {
	topology, har string
	json          bool
}

func newExplain() *cobra.Command {
	var f explainFlags
	cmd := &cobra.Command{
		Use:   "explain -t FILE [--json] (-- curl ARG... | 'curl ...' | - | --har FILE)",
		Short: "Tell why a request would go where it goes",
		Long: `Explain reads a request from a curl command or a HAR file, decides on it with the
code of the edge, and tells where it would go and why: the host, each
credential and the rule that claims it, the cell, the lane, and the edge's own
answer if there is one. Nothing is sent.

No credential is shown, only its fingerprint, and no other value of the request.

The command may stand behind --, as one quoted word, or on the standard input
with -, which keeps it out of the shell's history. Variables are not expanded.`,
		Example: `  homeward explain -t topology.yaml -- curl -H 'Authorization: Bearer ...' https://api.example.com/contacts
  pbpaste | homeward explain -t topology.yaml -
  homeward explain -t topology.yaml --har session.har --json`,
		RunE: func(cmd *cobra.Command, args []string) error { return runExplain(cmd, f, args) },
	}
	cmd.Flags().StringVarP(&f.topology, "topology", "t", "", "topology `file`")
	cmd.Flags().StringVar(&f.har, "har", "", "explain the requests of a HAR `file`; - is the standard input")
	cmd.Flags().BoolVar(&f.json, "json", false, "write JSON instead of text")
	cmd.Flags().SetInterspersed(false) // what follows the command's first word is its own
	return cmd
}

func runExplain(cmd *cobra.Command, f explainFlags, args []string) error {
	switch {
	case f.topology == "":
		return usageError{errors.New("explain needs a topology: -t FILE")}
	case f.har != "" && len(args) > 0:
		return usageError{errors.New("explain takes a command or --har FILE, not both; flags stand before the command")}
	case f.har == "" && len(args) == 0:
		return usageError{errors.New("explain needs a request: -- curl ..., a quoted command, - or --har FILE")}
	case len(args) > 1 && strings.ContainsAny(args[0], " \t\n"):
		return usageError{errors.New("a command that is one quoted word comes last; flags stand before it")}
	}
	state, err := loadState(f.topology)
	if err != nil {
		return err
	}
	inputs, err := readInputs(cmd.InOrStdin(), f.har, args)
	if err != nil {
		return fmt.Errorf("explain: %w", err)
	}
	reports := make([]explain.Report, len(inputs))
	for i, in := range inputs {
		reports[i] = explain.Explain(state, in)
	}
	if f.json {
		return explain.WriteJSON(cmd.OutOrStdout(), reports)
	}
	return explain.WriteText(cmd.OutOrStdout(), reports, colored(cmd.OutOrStdout()))
}

// loadState compiles a topology file for explaining, without connections.
func loadState(file string) (*proxy.State, error) {
	top, err := config.LoadFile(file)
	if err != nil {
		return nil, err
	}
	table, err := route.Compile(top)
	if err != nil {
		return nil, fmt.Errorf("compile %s: %w", file, err)
	}
	return proxy.NewState(table, upstream.Applied{})
}

func readInputs(stdin io.Reader, har string, args []string) ([]*explain.Input, error) {
	switch {
	case har == "-":
		return explain.ParseHAR(stdin)
	case har != "":
		file, err := os.Open(har)
		if err != nil {
			return nil, err
		}
		inputs, err := explain.ParseHAR(file)
		return inputs, errors.Join(err, file.Close())
	case len(args) == 1 && args[0] == "-":
		line, err := io.ReadAll(io.LimitReader(stdin, explain.MaxInput+1))
		if err != nil {
			return nil, fmt.Errorf("read the command: %w", err)
		}
		return explain.ParseCommand(string(line))
	case len(args) == 1:
		return explain.ParseCommand(args[0])
	}
	return explain.ParseCurl(args)
}

// colored reports whether w is a terminal whose user has not asked for plain
// text (no-color.org).
func colored(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
