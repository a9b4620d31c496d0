package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/homeward/homeward/topology"
)

func newToken() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Mint credentials, and tell what a credential says",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newTokenMint(), newTokenInspect())
	return cmd
}

// formatFlags describe one format of credential on the command line, or the
// topology that declares the formats.
type formatFlags struct {
	format   string
	prefix   string
	pattern  string
	gitlabID string
	claim    string
	field    int
	topology string
}

func (f *formatFlags) register(cmd *cobra.Command, format string) {
	flags := cmd.Flags()
	flags.StringVar(&f.format, "format", format, "`format`: homeward, pattern, gitlab-routable, jwt or protobuf")
	flags.StringVar(&f.prefix, "prefix", "hw", "homeward: what stands before the first underscore")
	flags.StringVar(&f.pattern, "pattern", "", "pattern: literals and the fields {cell} {account} {uuid} {hex:N} {base62:N} {rest}")
	flags.StringVar(&f.claim, "claim", "cell", "jwt: `name` of the claim that holds the cell")
	flags.IntVar(&f.field, "field", 9, "protobuf: `number` of the field that holds the cell")
	flags.StringVarP(&f.topology, "topology", "t", "", "take the formats from a topology `file`")
}

// rule is the format of the flags as a rule of a topology would declare it.
// The cell is the one that --gitlab-id stands for.
func (f *formatFlags) rule(cell string) (*topology.CredentialRule, error) {
	r := &topology.CredentialRule{Name: f.format}
	switch f.format {
	case "homeward":
		r.Homeward = &topology.HomewardFormat{Prefix: f.prefix}
	case "pattern":
		if f.pattern == "" {
			return nil, usageError{errors.New("--format pattern needs --pattern, such as --pattern 'pat-{cell}-{uuid}'")}
		}
		r.Pattern = f.pattern
	case "gitlab-routable":
		r.GitLabRoutable = &topology.GitLabFormat{Cells: map[string]string{f.gitlabID: cell}}
	case "jwt":
		r.JWT = &topology.JWTFormat{Claim: f.claim}
	case "protobuf":
		r.Protobuf = &topology.ProtobufFormat{Field: f.field}
	default:
		return nil, usageError{fmt.Errorf("there is no format %q: use homeward, pattern, gitlab-routable, jwt or protobuf", f.format)}
	}
	return r, nil
}

// formatOf tells which format each flag is about.
func formatOf(flag string) string {
	switch flag {
	case "prefix":
		return "homeward"
	case "pattern":
		return "pattern"
	case "gitlab-id", "gitlab-version", "gitlab-prefix":
		return "gitlab-routable"
	case "claim", "claims", "key-file":
		return "jwt"
	case "field":
		return "protobuf"
	}
	return ""
}

// settle makes out what the flags mean together: one that is about a single
// format chooses it, two formats contradict each other, and with a topology
// the formats are its own.
func (f *formatFlags) settle(cmd *cobra.Command) error {
	chosen := cmd.Flags().Changed("format")
	var wrong error
	cmd.Flags().Visit(func(flag *pflag.Flag) {
		format := formatOf(flag.Name)
		switch {
		case wrong != nil || format == "" && flag.Name != "format":
		case f.topology != "":
			if slices.Contains([]string{"format", "prefix", "pattern", "gitlab-id", "claim", "field"}, flag.Name) {
				wrong = fmt.Errorf("--%s describes a format, and -t takes the formats from the topology: give one of them", flag.Name)
			}
		case !chosen && format != "":
			f.format, chosen = format, true
		case format != "" && format != f.format:
			wrong = fmt.Errorf("--%s is about the format %s, not %s", flag.Name, format, f.format)
		}
	})
	if wrong != nil {
		return usageError{wrong}
	}
	return nil
}

// findRule finds a credential rule of a topology by its name.
func findRule(top *topology.Topology, file, name string) (*topology.CredentialRule, error) {
	var names []string
	for i := range top.Credentials {
		if top.Credentials[i].Name == name {
			return &top.Credentials[i], nil
		}
		names = append(names, top.Credentials[i].Name)
	}
	return nil, usageError{fmt.Errorf("%s has no credential rule %q; it has %s", file, name, strings.Join(names, ", "))}
}
