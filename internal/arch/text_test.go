package arch_test

import (
	"bytes"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The patterns are put together from pieces, so that this file does not
// contain what it looks for.
var (
	machinePath = regexp.MustCompile(`(^|[^\w.~/-])/(` + `work|root|Users` + `)/|(^|[^\w.~/-])/home/\w+/|/tmp/[a-z]+_`)
	registries  = []string{
		"proxy" + ".golang.org", "sum" + ".golang.org", "goproxy" + ".io", "goproxy" + ".cn",
		"registry" + ".npmjs.org", "registry" + ".yarnpkg.com", "pypi" + ".org", "crates" + ".io",
	}
)

// TestTextIsPortable reads every file of the repository: none names a folder
// of one machine or the address of a package registry, so that a clone builds
// anywhere with the settings of who builds it.
func TestTextIsPortable(t *testing.T) {
	hosts := append(proxies(t), registries...)
	files := repository(t)
	if len(files) < 20 {
		t.Fatalf("%d files found: the rule looks at the wrong folder", len(files))
	}
	for _, name := range files {
		text, err := os.ReadFile(filepath.Join(root, name))
		if os.IsNotExist(err) {
			continue // deleted and not yet committed
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range unportable(string(text), hosts) {
			t.Errorf("%s:%s", name, found)
		}
	}
}

func unportable(text string, hosts []string) []string {
	if strings.ContainsRune(text, 0) {
		return nil // not text
	}
	var found []string
	n := 0
	for line := range strings.Lines(text) {
		n++
		if m := machinePath.FindString(line); m != "" {
			found = append(found, fmt.Sprintf("%d: a path of one machine: %s", n, strings.TrimSpace(m)))
		}
		for _, h := range hosts {
			if strings.Contains(line, h) {
				found = append(found, fmt.Sprintf("%d: the address of a registry: %s", n, h))
			}
		}
	}
	return found
}

// repository is the files that are or would be committed.
func repository(t *testing.T) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", "-c", "safe.directory=*", "ls-files", "-co", "--exclude-standard", "-z")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v", cmd, err)
	}
	var files []string
	for name := range bytes.SplitSeq(bytes.TrimRight(out, "\x00"), []byte{0}) {
		if info, err := os.Lstat(filepath.Join(root, string(name))); err != nil || info.Mode().IsRegular() {
			files = append(files, string(name))
		}
	}
	return files
}

// proxies is the hosts that this machine fetches modules from.
func proxies(t *testing.T) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "env", "GOPROXY").Output()
	if err != nil {
		t.Fatal(err)
	}
	var hosts []string
	for entry := range strings.FieldsFuncSeq(string(out), func(r rune) bool { return r == ',' || r == '|' || r == '\n' }) {
		if u, err := url.Parse(entry); err == nil && u.Hostname() != "" && !strings.HasPrefix(u.Hostname(), "127.") && u.Hostname() != "localhost" {
			hosts = append(hosts, u.Hostname())
		}
	}
	return hosts
}

func TestPortabilityCanFail(t *testing.T) {
	slash := "/"
	for _, bad := range []string{
		"see " + slash + "work/main/a.go", "`" + slash + "root/go/pkg`", "cd " + slash + "home/ada/homeward", "https://" + registries[0] + "/x",
	} {
		if len(unportable("a\n"+bad+"\n", registries)) == 0 {
			t.Errorf("let through: %s", bad)
		}
	}
	for _, good := range []string{"go.dev/dl", "../home/index.html", "https://api.test/v1/root/items", "/etc/homeward/edge.yaml", "a network/root/b"} {
		if found := unportable(good, registries); found != nil {
			t.Errorf("%s: %v", good, found)
		}
	}
}
