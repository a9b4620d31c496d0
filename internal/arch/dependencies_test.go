package arch_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the dependency list of the edge anew")

const dependenciesHead = `# All that the command homeward-edge is built from beside the standard library:
# for linux/amd64, by module. A new line here is a decision for a review.
# Write it anew with: go test ./internal/arch -run Dependencies -update
`

// TestDependenciesOfTheEdge compares what the data plane is built from with
// the list that was last agreed on.
func TestDependenciesOfTheEdge(t *testing.T) {
	const command = "cmd/homeward-edge"
	if _, err := os.Stat(filepath.Join(root, command, "main.go")); err != nil {
		t.Fatalf("the data plane alone has no command: %v", err)
	}
	got := dependencies(list(t, []string{"GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0"}, "-deps", "./"+command))
	name := filepath.Join(root, command, "dependencies.txt")
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatalf("%v\nWrite it with: go test ./internal/arch -run Dependencies -update", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("the edge is built from other packages than %s/dependencies.txt says (- listed, + built):\n%s", command, diff)
	}
}

func dependencies(packages []listed) string {
	byModule := map[string][]string{}
	for _, p := range packages {
		if p.Standard || p.Module == nil {
			continue
		}
		byModule[p.Module.Path] = append(byModule[p.Module.Path], p.ImportPath)
	}
	modules := make([]string, 0, len(byModule))
	for m := range byModule {
		modules = append(modules, m)
	}
	slices.Sort(modules)
	var b strings.Builder
	b.WriteString(dependenciesHead)
	for _, m := range modules {
		slices.Sort(byModule[m])
		b.WriteString("\nmodule " + m + "\n" + strings.Join(byModule[m], "\n") + "\n")
	}
	return b.String()
}

func TestDependenciesSeesANewPackage(t *testing.T) {
	own := &struct{ Path string }{module}
	before := []listed{{ImportPath: "fmt", Standard: true}, {ImportPath: module + "/cell", Module: own}}
	after := append(slices.Clone(before), listed{ImportPath: "database.test/driver", Module: &struct{ Path string }{"database.test"}})
	if dependencies(before) == dependencies(after) {
		t.Error("a new module is not seen")
	}
	if strings.Contains(dependencies(before), "fmt") {
		t.Error("the standard library is listed")
	}
}
