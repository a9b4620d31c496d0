package route

import (
	"strings"
	"testing"

	"github.com/homeward/homeward/topology"
)

// Looking that a path needs no change says the same as changing it would.
func TestRedactedPathIsTheTargetsOwn(t *testing.T) {
	const token = "pat-eu1-20b81d7f-8e9e-4bb8-b4a3-7b2b926271f2"
	table, err := Compile(&topology.Topology{
		Version: topology.Version,
		Facade:  topology.Facade{Hosts: []string{"api.test"}, LegacyCell: "eu1"},
		Cells:   []topology.Cell{{Name: "eu1", Region: "r", Jurisdiction: "eu", Gateways: []string{"http://127.0.0.1:1"}}},
		Credentials: []topology.CredentialRule{
			{Name: "private-app", In: []string{"bearer", "path /tokens/{credential}/x"}, Pattern: "pat-{cell}-{uuid}"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	whole := func(target string) string {
		return cut(string(table.appendPath(nil, string(AppendNormalPath(nil, target)))), maxRedactedPath)
	}
	pieces := []string{
		"", "/", "a", "x", "/tokens/", "/tokens", token, token[:20], "?a=/../b", "?", "%", "%70", "//", "/.", ".", "..", "/..", "é", " ", "\x7f", "~", "!",
		"/crm/v3/objects", "/tokens/0123456789abcdef", ":" + token, "*", strings.Repeat("y", 508), strings.Repeat("/z", 128),
	}
	same := 0
	for _, a := range pieces {
		for _, b := range pieces {
			for _, c := range pieces {
				target := a + b + c
				got := table.RedactPath(target)
				if want := whole(target); got != want {
					t.Fatalf("%q is shown as %q, want %q", target, got, want)
				}
				if path, _, _ := strings.Cut(target, "?"); got == path {
					same++
				}
			}
		}
	}
	if same < 100 {
		t.Errorf("only %d stay as they are: the quick way is hardly tried", same)
	}
}

func TestVisible(t *testing.T) {
	for n := 1; n <= 17; n++ {
		for at := range n {
			for c := range 256 {
				b := []byte(strings.Repeat("!", n))
				b[at] = byte(c)
				if got, want := visible(string(b)), c > ' ' && c < 0x7F; got != want {
					t.Fatalf("byte %#x at %d of %d is visible: %v", c, at, n, got)
				}
			}
		}
	}
}
