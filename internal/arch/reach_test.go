package arch_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// barrier keeps packages from reaching others, directly or through any chain
// of imports.
type barrier struct {
	name string
	from []string // import paths without the module; a last /... includes all below
	to   func(importPath string) bool
}

func barriers() []barrier {
	pure := []string{"cell", "credential", "topology", "route"}
	return []barrier{{
		name: "cell, credential, topology and route import std and each other only",
		from: pure,
		to: func(p string) bool {
			local, ok := strings.CutPrefix(p, module+"/")
			return !slices.Contains(pure, local) && (ok || !std(p))
		},
	}, {
		name: "route stands on the other three, never under them",
		from: pure[:3],
		to:   below("route/..."),
	}, {
		name: "what carries requests reaches no database and no control plane",
		from: []string{"internal/proxy/...", "internal/upstream/...", "internal/admission/...", "internal/edge/...", "internal/gateway/...", "cmd/homeward-edge/..."},
		to:   below("internal/control/...", "internal/store/...", "database/sql/..."),
	}, {
		name: "what carries requests holds no test world",
		from: []string{"internal/proxy/...", "internal/upstream/...", "internal/admission/...", "internal/edge/...", "internal/gateway/...", "cmd/homeward-edge/..."},
		to:   below("internal/testcell/...", "internal/testauthority/...", "internal/testcert/...", "internal/testleak", "internal/faultnet/...", "testing/..."),
	}, {
		name: "stores know the control plane, never the reverse",
		from: []string{"internal/control/..."},
		to:   below("internal/store/..."),
	}}
}

// std reports whether an import path belongs to the standard library: its
// first element has no dot.
func std(p string) bool {
	first, _, _ := strings.Cut(p, "/")
	return !strings.Contains(first, ".")
}

// below matches packages, of the module or of the standard library.
func below(patterns ...string) func(string) bool {
	return func(p string) bool {
		p = strings.TrimPrefix(p, module+"/")
		for _, pattern := range patterns {
			stem, open := strings.CutSuffix(pattern, "/...")
			if p == stem || (open && strings.HasPrefix(p, stem+"/")) {
				return true
			}
		}
		return false
	}
}

// crossings is what breaks the barrier; deps holds for each import path all
// that it reaches.
func (b barrier) crossings(deps map[string][]string) []string {
	var found []string
	guarded := below(b.from...)
	for p, reaches := range deps {
		if !strings.HasPrefix(p, module+"/") || !guarded(p) {
			continue
		}
		for _, d := range reaches {
			if b.to(d) {
				found = append(found, p+" reaches "+d)
			}
		}
	}
	slices.Sort(found)
	return found
}

// reached is what each package of the module reaches.
func reached(t *testing.T) map[string][]string {
	t.Helper()
	deps := map[string][]string{}
	for _, p := range list(t, nil, "./...") {
		deps[p.ImportPath] = p.Deps
	}
	return deps
}

func TestBarriers(t *testing.T) {
	deps := reached(t)
	for _, b := range barriers() {
		t.Run(b.name, func(t *testing.T) {
			for _, found := range b.crossings(deps) {
				t.Error(found)
			}
		})
	}
}

func TestEveryBarrierCanFail(t *testing.T) {
	broken := map[string][2]string{
		"cell, credential, topology and route import std and each other only": {"topology", "github.com/goccy/go-yaml"},
		"route stands on the other three, never under them":                   {"topology", module + "/route"},
		"what carries requests reaches no database and no control plane":      {"internal/proxy/http1", "database/sql"},
		"what carries requests holds no test world":                           {"cmd/homeward-edge", module + "/internal/testcell"},
		"stores know the control plane, never the reverse":                    {"internal/control", module + "/internal/store/sqlite"},
	}
	for _, b := range barriers() {
		edge, ok := broken[b.name]
		if !ok {
			t.Errorf("%s: no sample breaks this rule", b.name)
			continue
		}
		if len(b.crossings(map[string][]string{module + "/" + edge[0]: {"fmt", edge[1]}})) != 1 {
			t.Errorf("%s: let through %s reaching %s", b.name, edge[0], edge[1])
		}
		if found := b.crossings(map[string][]string{module + "/" + edge[0]: {"fmt", module + "/cell"}}); found != nil {
			t.Errorf("%s: found %v in good code", b.name, found)
		}
	}
}

// listed is what go list tells of one package.
type listed struct {
	ImportPath string
	Standard   bool
	Deps       []string
	Module     *struct{ Path string }
}

// list asks the go command about packages, with further settings of its
// environment.
func list(t *testing.T, env []string, args ...string) []listed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-e", "-json=ImportPath,Standard,Deps,Module"}, args...)...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.Output()
	if err != nil {
		var failed *exec.ExitError
		if errors.As(err, &failed) {
			t.Fatalf("%v: %v\n%s", cmd, err, failed.Stderr)
		}
		t.Fatal(err)
	}
	var all []listed
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}
