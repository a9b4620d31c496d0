package arch_test

import (
	"fmt"
	"go/ast"
	"strings"
)

// Lengths in lines.
const (
	longFile = 400 // code beyond it needs an exception with a reason
	maxFile  = 600
	maxFunc  = 60
)

func sizeRules() []rule {
	lines := func(n int) string { return strings.Repeat("//\n", n) }
	body := func(n int) string { return "func f() {\n" + strings.Repeat("g()\n", n-2) + "}" }
	return []rule{{
		name:  "files have at most 600 lines, code beyond 400 has a reason",
		check: fileSizes,
		bad:   append(in("route/a.go", lines(longFile+1)), in("route/a_test.go", lines(maxFile+1))...),
		good:  append(in("route/a.go", lines(longFile-2)), in("route/a_test.go", lines(longFile+1))...),
	}, {
		name:  "functions have at most 60 lines",
		check: funcSizes,
		bad:   in("route/a.go", body(maxFunc+1), "type t struct{}\nfunc (t) f() {\n"+lines(maxFunc)+"}"),
		good:  append(in("route/a.go", body(maxFunc)), in("route/a_test.go", body(maxFunc+1))...),
	}}
}

func fileSizes(p *pkg) []string {
	var found []string
	for _, src := range p.files {
		switch n := strings.Count(src.text, "\n"); {
		case n > maxFile:
			found = append(found, fmt.Sprintf("%s: %d lines, more than %d: split it by concept", src.path, n, maxFile))
		case n > longFile && !src.test() && !excepted("long file", src.path):
			found = append(found, fmt.Sprintf("%s: %d lines, more than %d: split it, or give the reason in exceptions_test.go", src.path, n, longFile))
		}
	}
	return found
}

func funcSizes(p *pkg) []string {
	var found []string
	for _, src := range p.code() {
		for _, d := range src.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if n := src.fset.Position(f.End()).Line - src.fset.Position(f.Pos()).Line + 1; n > maxFunc {
				found = append(found, fmt.Sprintf("%s: %s has %d lines, more than %d", src.at(f.Pos()), f.Name.Name, n, maxFunc))
			}
		}
	}
	return found
}
