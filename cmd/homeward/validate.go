package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/homeward/homeward/internal/config"
	"github.com/homeward/homeward/topology"
)

// validated is what validate says of one file in JSON.
type validated struct {
	File        string              `json:"file"`
	OK          bool                `json:"ok"`
	Error       string              `json:"error,omitempty"` // why the file could not be read
	Diagnostics []config.Diagnostic `json:"diagnostics,omitempty"`
	Summary     string              `json:"summary,omitempty"`
}

func newValidate() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "validate FILE...",
		Short: "Check topology files and say everything that is wrong, with its cure",
		Long: `Check topology files. Each error is told with file, line and column, the line
itself, and what to write instead; all at once. '-' is standard input.
The TLS files that a topology names are not opened: the edge does that when it
starts or takes the topology, and refuses it if one is missing.

Exit status: 0 if all files are good, 1 if not.`,
		Example: "  homeward validate topology.yaml\n  homeward validate --json topology.yaml",
		Args:    args(1, 0, "check which file? Give at least one, or - for the standard input"),
		RunE: func(cmd *cobra.Command, files []string) error {
			return validate(cmd, files, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document with the result of each file")
	return cmd
}

func validate(cmd *cobra.Command, files []string, asJSON bool) error {
	results, good := make([]validated, 0, len(files)), true
	for _, name := range files {
		t, err := readTopology(cmd.InOrStdin(), name)
		r := validated{File: name, OK: err == nil}
		var wrong *config.Error
		switch {
		case err == nil:
			r.Summary = summary(t)
		case errors.As(err, &wrong):
			r.Diagnostics = wrong.Diagnostics
		default:
			r.Error = err.Error()
		}
		good = good && r.OK
		results = append(results, r)
		if !asJSON {
			if err := r.print(cmd, wrong); err != nil {
				return err
			}
		}
	}
	if asJSON {
		if err := printJSON(cmd.OutOrStdout(), results); err != nil {
			return err
		}
	}
	if !good {
		return errReported
	}
	return nil
}

// print writes the result for people: a good one to the output, errors to the
// error output.
func (r *validated) print(cmd *cobra.Command, wrong *config.Error) error {
	var err error
	switch {
	case r.OK:
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: ok, %s\n", r.File, r.Summary)
	case wrong != nil:
		if err = wrong.Render(cmd.ErrOrStderr(), colored(cmd.ErrOrStderr())); err == nil {
			_, err = fmt.Fprintf(cmd.ErrOrStderr(), "%s: %s\n", r.File, plural(len(wrong.Diagnostics), "error", "errors"))
		}
	default:
		_, err = fmt.Fprintf(cmd.ErrOrStderr(), "homeward: %s\n", r.Error)
	}
	return err
}

// readTopology reads and checks a topology; "-" is the given standard input. The
// names of TLS files stay as they are written.
func readTopology(stdin io.Reader, name string) (*topology.Topology, error) {
	if name == "-" {
		data, err := config.Read(stdin)
		if err != nil {
			return nil, fmt.Errorf("read standard input: %w", err)
		}
		return config.Load("stdin", data)
	}
	data, err := config.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return config.Load(name, data)
}

// summary counts what a topology declares.
func summary(t *topology.Topology) string {
	hosts := len(t.Facade.Hosts)
	for i := range t.Cells {
		hosts += len(t.Cells[i].Hosts)
	}
	parts := []string{
		plural(len(t.Cells), "cell", "cells"),
		plural(hosts, "host", "hosts"),
		plural(len(t.Credentials), "credential rule", "credential rules"),
		plural(len(t.Paths), "path rule", "path rules"),
		plural(len(t.Lanes), "lane", "lanes"),
		plural(len(t.Overrides), "override", "overrides"),
		"mode " + string(t.Mode),
	}
	return strings.Join(parts, ", ")
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// printJSON writes a value as indented JSON that leaves < and > as they are.
func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
