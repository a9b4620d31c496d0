package main

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/homeward/homeward/cell"
	"github.com/homeward/homeward/credential"
	"github.com/homeward/homeward/topology"
)

// mintFlags are the flags of homeward token mint.
type mintFlags struct {
	formatFlags
	rule          string
	cell          string
	account       string
	rest          string
	gitlabVersion int
	gitlabPrefix  string
	claims        string
	keyFile       string
	count         int
}

func newTokenMint() *cobra.Command {
	var f mintFlags
	cmd := &cobra.Command{
		Use:   "mint --cell CELL [flags]",
		Short: "Make new credentials that name their cell",
		Long: `Mint makes credentials from the system's secure random source and prints them,
one a line. Nothing else is written to the standard output, and nothing is kept.

The format is described by flags, or taken from a rule of a topology with
-t FILE --rule NAME. Without either it is the Homeward credential.

A JSON Web Token is signed with the key of --key-file: an Ed25519 private key in
PEM (PKCS #8) signs with EdDSA, any other content is the secret of HS256, without
the line break at its end. Without --key-file the key is random and thrown away:
good for trying out where a token goes, and for nothing else.`,
		Example: `  homeward token mint --cell eu1 --account 42
  homeward token mint --cell eu1 --pattern 'pat-{cell}-{uuid}' -n 10
  homeward token mint --cell eu1 --format gitlab-routable --gitlab-id 2s --gitlab-version 0
  homeward token mint --cell eu1 --format jwt --claims '{"sub":"demo"}' --key-file key.pem
  homeward token mint --cell eu1 -t topology.yaml --rule private-app`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runMint(cmd, f) },
	}
	f.register(cmd, "homeward")
	flags := cmd.Flags()
	flags.StringVar(&f.rule, "rule", "", "`name` of the credential rule to take from the topology")
	flags.StringVar(&f.cell, "cell", "", "home `cell`, such as eu1")
	flags.StringVar(&f.account, "account", "", "account, a decimal `number`, for formats that hold one")
	flags.StringVar(&f.rest, "rest", "", "pattern: `text` for {rest}")
	flags.StringVar(&f.gitlabID, "gitlab-id", "1", "gitlab-routable: GitLab's `id` of the cell, in base 36")
	flags.IntVar(&f.gitlabVersion, "gitlab-version", 1, "gitlab-routable: `version`, 0 or 1")
	flags.StringVar(&f.gitlabPrefix, "gitlab-prefix", "glpat-", "gitlab-routable: `text` before the payload")
	flags.StringVar(&f.claims, "claims", "", "jwt: other claims, a `JSON` object")
	flags.StringVar(&f.keyFile, "key-file", "", "jwt: `file` of the signing key")
	flags.IntVarP(&f.count, "count", "n", 1, "how many")
	return cmd
}

func runMint(cmd *cobra.Command, f mintFlags) error {
	if err := f.settle(cmd); err != nil {
		return err
	}
	if f.count < 1 {
		return usageError{fmt.Errorf("--count %d: it is at least 1", f.count)}
	}
	rule, err := f.pick(cmd)
	if err != nil {
		return err
	}
	mint, err := f.minter(cmd, rule)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(cmd.OutOrStdout())
	for range f.count {
		text, err := mint()
		if err != nil {
			return err
		}
		fmt.Fprintln(out, text)
	}
	return out.Flush()
}

// pick is the rule whose format is to be minted.
func (f *mintFlags) pick(cmd *cobra.Command) (*topology.CredentialRule, error) {
	if f.topology == "" {
		if f.rule != "" {
			return nil, usageError{errors.New("--rule is the name of a rule of a topology: give -t FILE")}
		}
		return f.formatFlags.rule(f.cell)
	}
	top, err := readTopology(cmd.InOrStdin(), f.topology)
	if err != nil {
		return nil, err
	}
	if f.cell != "" && !hasCell(top, f.cell) {
		fmt.Fprintf(cmd.ErrOrStderr(), "note: %s has no cell %s, so edges will refuse this credential\n", f.topology, f.cell)
	}
	return findRule(top, f.topology, f.rule)
}

// minter checks the flags against the format and returns what mints it.
func (f *mintFlags) minter(cmd *cobra.Command, rule *topology.CredentialRule) (func() (string, error), error) {
	home, err := f.home(rule)
	if err != nil {
		return nil, err
	}
	account, err := f.accountOf(rule)
	if err != nil {
		return nil, err
	}
	format, err := rule.Format()
	if err != nil {
		return nil, usageError{err}
	}
	switch format := format.(type) {
	case *credential.Homeward:
		return func() (string, error) { return format.Mint(nil, home, account) }, nil
	case *credential.Pattern:
		fields := credential.Fields{Cell: home, Account: account, Rest: f.rest}
		return func() (string, error) { return format.Mint(nil, fields) }, nil
	case *credential.GitLabRoutable:
		token := credential.GitLabToken{Cell: home, Version: f.gitlabVersion, Prefix: f.gitlabPrefix}
		return func() (string, error) { return format.Mint(nil, token) }, nil
	case *credential.Protobuf:
		return func() (string, error) { return format.Mint(nil, home, nil) }, nil
	case *credential.JWT:
		claims, err := f.otherClaims()
		if err != nil {
			return nil, err
		}
		signer, err := f.signer(cmd)
		if err != nil {
			return nil, err
		}
		return func() (string, error) { return format.Mint(nil, home, claims, signer) }, nil
	}
	return nil, fmt.Errorf("%v cannot be minted", format)
}

// home is the cell to write; only a pattern without {cell} has none.
func (f *mintFlags) home(rule *topology.CredentialRule) (cell.Name, error) {
	if f.cell == "" {
		if rule.Pattern != "" && !strings.Contains(rule.Pattern, "{cell}") {
			return cell.Name{}, nil
		}
		return cell.Name{}, usageError{errors.New("which cell is its home? Give --cell, such as --cell eu1")}
	}
	name, err := cell.ParseName(f.cell)
	if err != nil {
		return cell.Name{}, usageError{fmt.Errorf("--cell %w", err)}
	}
	return name, nil
}

func (f *mintFlags) accountOf(rule *topology.CredentialRule) (cell.Account, error) {
	needed := rule.Homeward != nil || strings.Contains(rule.Pattern, "{account}")
	switch {
	case needed && f.account == "":
		return 0, usageError{errors.New("whose is it? The format holds the account: give --account, such as --account 42")}
	case !needed && f.account != "":
		return 0, usageError{errors.New("--account: the format holds no account")}
	case !needed:
		return 0, nil
	}
	account, err := cell.ParseAccount(f.account)
	if err != nil {
		return 0, usageError{fmt.Errorf("--account %q is %w", f.account, err)}
	}
	return account, nil
}

func (f *mintFlags) otherClaims() (map[string]any, error) {
	if f.claims == "" {
		return nil, nil
	}
	decoder := json.NewDecoder(strings.NewReader(f.claims))
	decoder.UseNumber() // numbers are written as they were given
	var claims map[string]any
	if err := decoder.Decode(&claims); err != nil || claims == nil || decoder.More() {
		return nil, usageError{errors.New(`--claims is not a JSON object, as in '{"sub":"demo"}'`)}
	}
	return claims, nil
}

// signer signs with the key of --key-file, else with a random one.
func (f *mintFlags) signer(cmd *cobra.Command) (credential.Signer, error) {
	if f.keyFile == "" {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return credential.Signer{}, fmt.Errorf("make a signing key: %w", err)
		}
		fmt.Fprintln(cmd.ErrOrStderr(), "note: signed with a random key that is thrown away; to sign with yours give --key-file")
		return credential.EdDSA(key)
	}
	data, err := os.ReadFile(f.keyFile)
	if err != nil {
		return credential.Signer{}, fmt.Errorf("read the signing key: %w", err)
	}
	signer, err := parseKey(data)
	if err != nil {
		return credential.Signer{}, fmt.Errorf("signing key %s: %w", f.keyFile, err)
	}
	return signer, nil
}

func parseKey(data []byte) (credential.Signer, error) {
	block, _ := pem.Decode(data)
	if block == nil {
		return credential.HS256(bytes.TrimRight(data, "\r\n"))
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	ed, ok := key.(ed25519.PrivateKey)
	if err != nil || !ok {
		return credential.Signer{}, fmt.Errorf("its PEM block %q is not an Ed25519 private key in PKCS #8: %w", block.Type, credential.ErrSigningKey)
	}
	return credential.EdDSA(ed)
}

func hasCell(top *topology.Topology, name string) bool {
	for i := range top.Cells {
		if top.Cells[i].Name == name {
			return true
		}
	}
	return false
}
