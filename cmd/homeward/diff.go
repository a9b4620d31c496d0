package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/homeward/homeward/internal/config"
	"github.com/homeward/homeward/topology"
)

// difference is what diff says in JSON.
type difference struct {
	Changes []topology.Change `json:"changes"`
	Cells   []string          `json:"cells"` // touched by any change
}

func newDiff() *cobra.Command {
	var asJSON, exitCode bool
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Tell what differs in meaning between two topologies, and which cells it touches",
		Long: `Tell what differs in meaning between two topology files. Comments, the order of
cells, hosts and overrides, and defaults that are written out mean nothing.

  + added    - removed    ~ changed    > moved to another place in an order

Each change has a scope: the cells whose requests it can touch. '-' is standard
input. Exit status: 0, or with --exit-code 1 if there is a difference; 1 if a file
has errors.`,
		Example: "  homeward diff topology.yaml new.yaml\n  git show HEAD:topology.yaml | homeward diff - topology.yaml",
		Args:    args(2, 2, "compare which files? Give two: OLD NEW"),
		RunE: func(cmd *cobra.Command, files []string) error {
			if files[0] == "-" && files[1] == "-" {
				return usageError{errors.New("only one of OLD and NEW can be standard input")}
			}
			sides, err := bothTopologies(cmd, files)
			if err != nil {
				return err
			}
			changes := topology.Diff(sides[0], sides[1])
			if err := printChanges(cmd.OutOrStdout(), changes, asJSON); err != nil {
				return err
			}
			if exitCode && len(changes) > 0 {
				return errReported
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the changes as JSON")
	cmd.Flags().BoolVar(&exitCode, "exit-code", false, "exit with status 1 if there is a difference")
	return cmd
}

// bothTopologies loads both files and tells the errors of both.
func bothTopologies(cmd *cobra.Command, files []string) (sides [2]*topology.Topology, err error) {
	for i, name := range files {
		t, loadErr := readTopology(cmd.InOrStdin(), name)
		sides[i] = t
		var wrong *config.Error
		switch {
		case loadErr == nil:
		case errors.As(loadErr, &wrong):
			if renderErr := wrong.Render(cmd.ErrOrStderr(), colored(cmd.ErrOrStderr())); renderErr != nil {
				return sides, renderErr
			}
			err = errReported
		default:
			return sides, loadErr
		}
	}
	return sides, err
}

func printChanges(w io.Writer, changes []topology.Change, asJSON bool) error {
	touched := touchedCells(changes)
	if asJSON {
		if changes == nil {
			changes = []topology.Change{}
		}
		return printJSON(w, difference{changes, touched})
	}
	if len(changes) == 0 {
		_, err := fmt.Fprintln(w, "no semantic difference")
		return err
	}
	var b strings.Builder
	for _, c := range changes {
		switch c.Op {
		case topology.Added:
			fmt.Fprintf(&b, "+ %s: %s\n", c.Path, c.New)
		case topology.Removed:
			fmt.Fprintf(&b, "- %s: %s\n", c.Path, c.Old)
		case topology.Changed:
			fmt.Fprintf(&b, "~ %s: %s -> %s\n", c.Path, c.Old, c.New)
		case topology.Moved:
			fmt.Fprintf(&b, "> %s: %s -> %s\n", c.Path, c.Old, c.New)
		}
	}
	cells := "none"
	if len(touched) > 0 {
		cells = strings.Join(touched, ", ")
	}
	fmt.Fprintf(&b, "touches cells: %s\n", cells)
	_, err := io.WriteString(w, b.String())
	return err
}

// touchedCells lists the cells that any of the changes touches.
func touchedCells(changes []topology.Change) []string {
	touched := []string{}
	for _, c := range changes {
		for _, name := range c.Cells {
			if !slices.Contains(touched, name) {
				touched = append(touched, name)
			}
		}
	}
	slices.Sort(touched)
	return touched
}
