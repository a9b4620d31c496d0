package config_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/homeward/homeward/internal/config"
	"github.com/homeward/homeward/route"
	"github.com/homeward/homeward/topology"
)

const good = `version: 1
facade: {hosts: [api.example.com], legacy_cell: na1}
cells:
  - {name: na1, region: us-east-1, jurisdiction: us, gateways: ["http://10.0.0.1:8080"]}
`

func TestExamplesAreGood(t *testing.T) {
	files, err := filepath.Glob("../../examples/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("Glob = %v, %v", files, err)
	}
	for _, name := range files {
		top, err := config.LoadFile(name)
		var wrong *config.Error
		if errors.As(err, &wrong) {
			t.Errorf("%s", wrong)
		} else if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if c := topology.Diff(top, top); len(c) != 0 {
			t.Errorf("%s differs from itself: %v", name, c)
		} else if _, err := route.Compile(top); err != nil {
			t.Errorf("%s does not compile: %v", name, err)
		}
	}
}

func TestLoadFillsInDefaults(t *testing.T) {
	top, err := config.Load("t.yaml", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if top.Mode != topology.Route || top.Limits.Headers != 100 || len(top.Lanes) != 1 || *top.Cells[0].Share != 100 {
		t.Errorf("defaults are missing: %+v", top)
	}
}

// A key that somebody emptied may have meant something.
func TestBlankValues(t *testing.T) {
	for _, key := range []string{"mode", "credentials", "paths", "limits", "cors", "status", "trusted_proxies"} {
		_, err := config.Load("t.yaml", []byte(good+key+":\n"))
		var e *config.Error
		if !errors.As(err, &e) || len(e.Diagnostics) == 0 || e.Diagnostics[0].Message != key+" is blank" {
			t.Errorf("%s: %v", key, err)
		}
	}
}

// TestTolerance: what editors and people do to a file without meaning anything.
func TestTolerance(t *testing.T) {
	want, err := config.Load("t.yaml", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"byte order mark":      "\xef\xbb\xbf" + good,
		"CRLF":                 strings.ReplaceAll(good, "\n", "\r\n"),
		"document markers":     "---\n" + good + "...\n",
		"an empty second one":  good + "---\n",
		"no final line feed":   strings.TrimSuffix(good, "\n"),
		"comments":             "# a\n" + strings.ReplaceAll(good, "\n", " # b\n"),
		"empty lists":          good + "credentials: []\noverrides: []\nlimits: {}\n",
		"anchors and aliases":  strings.ReplaceAll(strings.ReplaceAll(good, "legacy_cell: na1", "legacy_cell: &home na1"), "name: na1", "name: *home"),
		"a tab between values": strings.ReplaceAll(good, "version: 1", "version:\t1"),
	} {
		got, err := config.Load("t.yaml", []byte(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
}

func TestIDsOfGitLabCellsNeedNoQuotes(t *testing.T) {
	top, err := config.Load("t.yaml", []byte(good+"credentials:\n  - {name: gl, in: [bearer], gitlab_routable: {cells: {1: na1, 2s: na1}}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"1": "na1", "2s": "na1"}, top.Credentials[0].GitLabRoutable.Cells); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestBounds: files that would exhaust the parser or memory are refused, with a
// word about it.
func TestBounds(t *testing.T) {
	bomb := good + "credentials:\n"
	bomb += "  - {name: a, in: &a [" + strings.Repeat("bearer, ", 4000) + "], pattern: 'a-{cell}'}\n"
	for range 1000 {
		bomb += "  - {name: a, in: *a, pattern: 'a-{cell}'}\n"
	}
	for name, tc := range map[string]struct{ text, want string }{
		"too large":     {strings.Repeat("#\n", config.MaxFileSize), "larger than 16 MiB"},
		"long line":     {"a: " + strings.Repeat("x", 1<<17), "longer than 64 KiB"},
		"deep flow":     {strings.Repeat("[", 100000), "longer than 64 KiB"},
		"deep flow 2":   {strings.Repeat("[\n", 100000), "nested too deep"},
		"deep block":    {strings.Repeat("- ", 20000), "nested too deep"},
		"deep keys":     {strings.Repeat("? ", 20000), "nested too deep"},
		"deep indent":   {strings.Repeat(" ", 5000) + "a: 1", "indented too deep"},
		"deep value":    {"cells: " + strings.Repeat("[", 60) + strings.Repeat("]", 60), "cells"},
		"aliases":       {bomb, "unfolds to too much"},
		"control":       {"a: \x00", "control character"},
		"not UTF-8":     {"a: \xff", "not UTF-8"},
		"UTF-16":        {"\xff\xfea\x00", "not UTF-8"},
		"an alias loop": {"cells: &a [*a]", "no anchor before it"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := config.Load("t.yaml", []byte(tc.text))
			var wrong *config.Error
			if !errors.As(err, &wrong) || !strings.Contains(wrong.String(), tc.want) {
				t.Errorf("Load = %.300v, want %q", err, tc.want)
			}
		})
	}
}

func TestErrorInOneLine(t *testing.T) {
	_, err := config.Load("t.yaml", []byte("version: 2\n"))
	if got, want := err.Error(), "4 errors, the first: t.yaml:1:1: the facade has no hosts"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
	if strings.Contains(err.Error(), "\n") {
		t.Error("the error has more than one line")
	}
}

// TestFingerprintKeyIsNeverShown however it is misspelt.
func TestFingerprintKeyIsNeverShown(t *testing.T) {
	const secret = "5ec4e7aa5ec4e7aa5ec4e7aa5ec4e7aa"
	for _, line := range []string{
		"fingerprint_key: " + secret + "0",
		"fingerprint_key: '" + strings.ToUpper(secret) + "'",
		"fingerprint_kay: " + secret,
		"fingerprint_key: " + secret[:20],
		"fingerprint_key: [" + secret + "]",
		"fingerprint_key: {a: " + secret[:20] + "}",
		"fingerprint_key: " + secret + ": x",
		"fingerprint_key: '" + secret[:20],
		"fingerprint_key: !!str " + secret[:20],
		"fingerprint_key: 50000000000000000000",
		"fingerprint_key: 5000000000000000000e2",
		"overrides: [{fingerprint: " + secret[:20] + ", cell: na1}]",
		"status: &k " + secret + "\nfingerprint_key: *k",
	} {
		_, err := config.Load("t.yaml", []byte(good+line+"\n"))
		var wrong *config.Error
		if !errors.As(err, &wrong) {
			t.Errorf("%s: Load = %v", line, err)
			continue
		}
		for _, hidden := range []string{secret[:16], strings.ToUpper(secret[:16]), "50000000000000"} {
			if strings.Contains(wrong.String()+wrong.Error(), hidden) {
				t.Errorf("%s is shown:\n%s", line, wrong)
			}
		}
	}
}

func TestLoadFileResolvesTLSFiles(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "t.yaml")
	text := strings.ReplaceAll(good, `["http://10.0.0.1:8080"]`, `["https://10.0.0.1"], tls: {ca: tls/ca.pem, cert: /etc/c.pem, key: k.pem}`)
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	top, err := config.LoadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	want := &topology.TLS{CA: filepath.Join(dir, "tls/ca.pem"), Cert: "/etc/c.pem", Key: filepath.Join(dir, "k.pem")}
	if diff := cmp.Diff(want, top.Cells[0].TLS); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if _, err := config.LoadFile(filepath.Join(dir, "none.yaml")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("LoadFile of no file = %v", err)
	}
}

func TestRenderInColor(t *testing.T) {
	_, err := config.Load("t.yaml", []byte("version: 2\n"))
	var wrong *config.Error
	if !errors.As(err, &wrong) {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := wrong.Render(&b, true); err != nil || !strings.Contains(b.String(), "\x1b[31m^\x1b[0m") {
		t.Errorf("Render = %v:\n%q", err, b.String())
	}
}

func TestLongLinesAreCutAroundTheCaret(t *testing.T) {
	hosts := "api.example.com, "
	for i := range 40 {
		hosts += "host" + strings.Repeat("x", i) + ".example.com, "
	}
	_, err := config.Load("t.yaml", []byte(strings.ReplaceAll(good, "api.example.com", hosts+"b:1")))
	var wrong *config.Error
	if !errors.As(err, &wrong) {
		t.Fatal(err)
	}
	lines := strings.Split(wrong.String(), "\n")
	caret := strings.IndexByte(lines[2], '^')
	if len(lines[1]) > 150 || caret < 0 || !strings.HasPrefix(lines[1][caret:], "b:1") {
		t.Errorf("the caret is not below the place:\n%s", wrong)
	}
}
