package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/homeward/homeward/credential"
	"github.com/homeward/homeward/topology"
)

// maxToken bounds the credential that is inspected, in bytes.
const maxToken = 1 << 20

func newTokenInspect() *cobra.Command {
	var (
		f      formatFlags
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "inspect [TOKEN | -] [flags]",
		Short: "Tell what a credential says, without showing it",
		Long: `Inspect reads a credential with the rules of a topology (-t FILE), with one format
described by flags, or with the built-in formats and their defaults. It tells
which of them claims it, the cell and the account that it names, its
fingerprint, and why. Nothing is verified and nothing is sent.

Without TOKEN, or with -, the credential is read from the standard input. Prefer
that: arguments end up in the history of the shell and in the list of
processes. The credential itself is never written out.

The exit status is 1 when nothing claims the credential or it is malformed.`,
		Example: `  pbpaste | homeward token inspect
  homeward token inspect -t topology.yaml < token.txt
  homeward token mint --cell eu1 --account 42 | homeward token inspect --json`,
		Args: args(0, 1, "one credential at a time: give it on the standard input"),
		RunE: func(cmd *cobra.Command, a []string) error {
			if err := f.settle(cmd); err != nil {
				return err
			}
			return runInspect(cmd, &f, asJSON, strings.Join(a, ""))
		},
	}
	f.register(cmd, "")
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON instead of text")
	return cmd
}

// tokenReport is what homeward token inspect tells. Accounts are texts, since
// not every reader of JSON keeps 64 bits.
type tokenReport struct {
	Fingerprint string        `json:"fingerprint"`
	ClaimedBy   string        `json:"claimed_by,omitempty"` // the first rule that claims
	Rules       []ruleVerdict `json:"rules"`
}

// ruleVerdict is what one rule or format says.
type ruleVerdict struct {
	Rule    string   `json:"rule"`
	Format  string   `json:"format"`
	In      []string `json:"in,omitempty"` // places of the rule
	Verdict string   `json:"verdict"`
	Cell    string   `json:"cell,omitempty"`
	Known   *bool    `json:"cell_in_topology,omitempty"`
	Account string   `json:"account,omitempty"`
	Why     string   `json:"why,omitempty"`

	claim credential.Claim
}

// namedFormat is a format under the name of its rule.
type namedFormat struct {
	name   string
	in     []string
	format credential.Format
}

func runInspect(cmd *cobra.Command, f *formatFlags, asJSON bool, arg string) error {
	formats, top, err := f.formats(cmd)
	if err != nil {
		return err
	}
	text, err := readToken(cmd, arg)
	if err != nil {
		return err
	}
	var key credential.FingerprintKey
	if top != nil {
		if key, err = credential.ParseFingerprintKey(top.FingerprintKey); err != nil {
			return err
		}
	}
	report := tokenReport{Fingerprint: key.Fingerprint(text).String()}
	var first *ruleVerdict
	for _, f := range formats {
		report.Rules = append(report.Rules, judge(f, top, text))
	}
	for i := range report.Rules {
		if report.Rules[i].claim.Verdict != credential.Unclaimed {
			first = &report.Rules[i]
			report.ClaimedBy = first.Rule
			break
		}
	}
	if asJSON {
		err = printJSON(cmd.OutOrStdout(), report)
	} else {
		err = report.write(cmd.OutOrStdout(), first)
	}
	if err == nil && (first == nil || first.claim.Verdict == credential.Malformed) {
		return errReported
	}
	return err
}

// formats are those of the topology, of the flags, or the built-in ones. The
// topology is nil when there is none.
func (f *formatFlags) formats(cmd *cobra.Command) ([]namedFormat, *topology.Topology, error) {
	if f.topology != "" {
		top, err := readTopology(cmd.InOrStdin(), f.topology)
		if err != nil {
			return nil, nil, err
		}
		var list []namedFormat
		for i := range top.Credentials {
			rule := &top.Credentials[i]
			format, err := rule.Format()
			if err != nil {
				return nil, nil, fmt.Errorf("rule %s: %w", rule.Name, err)
			}
			list = append(list, namedFormat{rule.Name, rule.In, format})
		}
		return list, top, nil
	}
	names := []string{"homeward", "gitlab-routable", "jwt", "protobuf"}
	if f.format != "" {
		names = []string{f.format}
	}
	var list []namedFormat
	for _, name := range names {
		if name == "gitlab-routable" { // no cell belongs to the id yet
			list = append(list, namedFormat{name: name, format: &credential.GitLabRoutable{}})
			continue
		}
		one := *f
		one.format = name
		rule, err := one.rule("")
		if err != nil {
			return nil, nil, err
		}
		format, err := rule.Format()
		if err != nil {
			return nil, nil, usageError{err}
		}
		list = append(list, namedFormat{name: name, format: format})
	}
	return list, nil, nil
}

// readToken reads the credential from the argument or the standard input.
func readToken(cmd *cobra.Command, arg string) (string, error) {
	if arg == "" || arg == "-" {
		in := cmd.InOrStdin()
		if f, ok := in.(*os.File); ok {
			if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
				fmt.Fprintln(cmd.ErrOrStderr(), "Paste the credential, then press Enter and Ctrl-D.")
			}
		}
		data, err := io.ReadAll(io.LimitReader(in, maxToken+1))
		if err != nil {
			return "", fmt.Errorf("read the credential: %w", err)
		}
		arg = strings.TrimSpace(string(data))
	}
	switch {
	case arg == "":
		return "", usageError{errors.New("there is no credential on the standard input")}
	case len(arg) > maxToken:
		return "", fmt.Errorf("the credential has more than %d bytes", maxToken)
	}
	return arg, nil
}

func judge(f namedFormat, top *topology.Topology, text string) ruleVerdict {
	c := f.format.Read(text)
	v := ruleVerdict{Rule: f.name, Format: f.format.String(), In: f.in, Verdict: c.Verdict.String(), Cell: c.Cell.String(), Why: c.Reason.String(), claim: c}
	if c.HasAccount {
		v.Account = c.Account.String()
	}
	if c.Verdict == credential.Home && top != nil {
		known := hasCell(top, v.Cell)
		v.Known = &known
		if !known {
			v.Why = "the topology has no such cell"
		}
	}
	return v
}

// write tells the report to people: what settles it, then every rule.
func (r *tokenReport) write(w io.Writer, first *ruleVerdict) error {
	rows := [][]string{{"fingerprint", r.Fingerprint}, {"claimed by", "nothing"}}
	if first != nil {
		rows[1][1] = first.Rule + " (" + first.Format + ")"
		rows = append(rows, [][]string{
			{"in", strings.Join(first.In, ", ")}, {"verdict", first.Verdict}, {"cell", first.Cell},
			{"account", first.Account}, {"why", first.Why},
		}...)
	}
	rows = slices.DeleteFunc(rows, func(row []string) bool { return row[1] == "" })
	if err := writeTable(w, rows); err != nil || len(r.Rules) == 1 {
		return err
	}
	rows = [][]string{{}, {"RULE", "VERDICT", "CELL", "ACCOUNT", "WHY"}}
	for i := range r.Rules {
		v := &r.Rules[i]
		rows = append(rows, []string{v.Rule, v.Verdict, v.Cell, v.Account, v.Why})
	}
	return writeTable(w, rows)
}

// writeTable aligns columns, without spaces at the ends of lines.
func writeTable(w io.Writer, rows [][]string) error {
	var widths []int
	for _, row := range rows {
		for i, text := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], len(text))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		line := ""
		for i, text := range row {
			line += fmt.Sprintf("%-*s  ", widths[i], text)
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
