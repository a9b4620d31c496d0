package arch_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReadmeShowsTheExample keeps the topology that the README has people copy
// the same as the example that other tests load.
func TestReadmeShowsTheExample(t *testing.T) {
	readme, example := document(t, "README.md"), document(t, "examples/two-cells.yaml")
	_, after, found := strings.Cut(readme, "```yaml\n")
	shown, _, closed := strings.Cut(after, "```\n")
	if !found || !closed {
		t.Fatal("README.md shows no topology")
	}
	if diff := cmp.Diff(example, shown); diff != "" {
		t.Errorf("README.md differs from examples/two-cells.yaml (- example, + README):\n%s", diff)
	}
}

var link = regexp.MustCompile(`\]\(([^)#]+)`)

// TestLinksLeadSomewhere checks the links between the documents.
func TestLinksLeadSomewhere(t *testing.T) {
	for _, name := range repository(t) {
		if !strings.HasSuffix(name, ".md") {
			continue
		}
		for _, m := range link.FindAllStringSubmatch(document(t, name), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(root, filepath.Dir(name), m[1])); err != nil {
				t.Errorf("%s links to %s, which is not there", name, m[1])
			}
		}
	}
}

func document(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
