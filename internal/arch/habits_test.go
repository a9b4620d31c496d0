package arch_test

import (
	"go/ast"
	"strings"
)

// testRules are about how tests are written.
func testRules() []rule {
	return []rule{{
		name:  "assertions are plain Go",
		check: testify,
		bad:   in("route/a_test.go", `import "github.com/stretchr/testify/require"`, `import "github.com/stretchr/testify"`),
		good:  in("route/a_test.go", `import "github.com/google/go-cmp/cmp"`),
	}, {
		name:  "no test is skipped",
		check: skips,
		bad: in("route/a_test.go", "import \"testing\"\nfunc TestA(t *testing.T) { t.Skip(`no curl`) }",
			"import \"testing\"\nfunc BenchmarkA(b *testing.B) { b.SkipNow() }", "import \"testing\"\nfunc help(tb testing.TB) { tb.Skipf(`no %s`, `curl`) }"),
		good: in("route/a_test.go", "func TestA() { s.Skip(3) }"),
	}}
}

func testify(p *pkg) []string {
	var found []string
	for _, src := range p.files {
		for _, spec := range src.file.Imports {
			if strings.Contains(spec.Path.Value, "/testify") {
				found = append(found, src.at(spec.Pos())+": write the check out, or compare with go-cmp")
			}
		}
	}
	return found
}

// skips reports tests that pass without having run: what a test needs of the
// machine, test.sh installs or asks for.
func skips(p *pkg) []string {
	var found []string
	for _, src := range p.files {
		ast.Inspect(src.file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			sel, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || (sel.Sel.Name != "Skip" && sel.Sel.Name != "Skipf" && sel.Sel.Name != "SkipNow") {
				return true
			}
			if x, ok := sel.X.(*ast.Ident); ok && (x.Name == "t" || x.Name == "b" || x.Name == "f" || x.Name == "tb") {
				found = append(found, src.at(call.Pos())+": a skipped test hides what it would show")
			}
			return true
		})
	}
	return found
}
