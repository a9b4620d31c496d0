package arch_test

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// globalRules keep state out of packages: what a package holds from its start
// to the end of the process is a table that nobody changes.
func globalRules() []rule {
	return []rule{{
		name:  "no init functions",
		check: inits,
		bad:   in("route/table.go", "func init() { register() }"),
		good:  in("route/table.go", "type t struct{}\nfunc (t) init() {}"),
	}, {
		name:  "no mutable variables in packages",
		check: globals,
		bad: in("route/table.go",
			"var count int",
			"var count = 1\nfunc f() { count++ }",
			"var table = [...]int{1}\nfunc f() { table[0] = 2 }",
			"var table = map[string]int{}\nfunc f() { delete(table, `a`) }",
			"var table = [...]int{1}\nfunc f() *int { return &table[0] }",
			"type c struct{ n int }\nfunc (c *c) add() { c.n++ }\nvar all = c{}\nfunc f() { all.add() }",
			"import \"errors\"\nvar ErrX = errors.New(`x`)\nfunc f() { ErrX = nil }",
			"import \"errors\"\nvar NotThere = errors.New(`x`)",
			"var Table = [...]int{1}",
			"import \"sync\"\nvar mu sync.Mutex",
			"import \"sync\"\nvar pool = sync.Pool{}",
			"import \"sync/atomic\"\nvar n = atomic.Int64{}",
			"var cache = make(map[string]int)",
			"var c = &struct{ n int }{}",
			"type c struct{}\nfunc newC() *c { return nil }\nvar one = newC()",
			"import \"math/rand\"\nvar r = rand.New(rand.NewSource(1))",
			"import \"net/http\"\nvar shared = http.DefaultClient",
			"import \"net/http\"\nfunc f() { http.DefaultClient.Timeout = 1 }",
		),
		good: in("route/table.go",
			"import \"errors\"\nvar ErrX = errors.New(`x`)",
			"import \"io\"\nvar _ io.Reader = (*r)(nil)\ntype r struct{}",
			"var table = [...]string{1: `a`}\nfunc f(i int) string { return table[i] }",
			"var table = func() (t [256]bool) { t['a'] = true; return t }()",
			"var table = map[string]int{`a`: 1}\nfunc f() { table := 1; table++; _ = table }",
			"import _ \"embed\"\n//go:embed a.txt\nvar text string",
			"type broken struct{}\nvar errBroken = &broken{}",
			"import \"net/http\"\nvar ErrClosed = http.ErrServerClosed",
			"import \"regexp\"\nvar form = regexp.MustCompile(`a`)",
		),
	}}
}

func inits(p *pkg) []string {
	var found []string
	for _, src := range p.code() {
		for _, d := range src.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				found = append(found, src.at(f.Pos())+": func init: build it where it is used, or pass it in")
			}
		}
	}
	return found
}

// globals checks what the variables of a package start as, then that nothing
// changes them.
func globals(p *pkg) []string {
	files := p.code()
	if len(files) == 0 {
		return nil
	}
	info := resolve(p.dir, files)
	var found []string
	for _, src := range files {
		for _, d := range src.file.Decls {
			decl, ok := d.(*ast.GenDecl)
			if !ok || decl.Tok != token.VAR {
				continue
			}
			for _, spec := range decl.Specs {
				found = append(found, startsMutable(p, src, info, decl, spec.(*ast.ValueSpec))...)
			}
		}
		found = append(found, changes(p, src, info)...)
	}
	return found
}

// noImports stands for all other packages: empty, so that only what the
// package itself declares is resolved, and nothing needs to be compiled.
type noImports struct{}

func (noImports) Import(name string) (*types.Package, error) {
	p := types.NewPackage(name, guessName(name))
	p.MarkComplete()
	return p, nil
}

func resolve(dir string, files []*source) *types.Info {
	info := &types.Info{
		Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{},
		Selections: map[*ast.SelectorExpr]*types.Selection{}, Types: map[ast.Expr]types.TypeAndValue{},
	}
	parsed := make([]*ast.File, len(files))
	for i, src := range files {
		parsed[i] = src.file
	}
	conf := types.Config{Importer: noImports{}, Error: func(error) {}}
	_, _ = conf.Check(dir, files[0].fset, parsed, info) // errors about the empty packages are expected
	return info
}

// startsMutable reports variables that can change by what they are.
func startsMutable(p *pkg, src *source, info *types.Info, decl *ast.GenDecl, spec *ast.ValueSpec) []string {
	if embedded(decl.Doc) || embedded(spec.Doc) {
		return nil
	}
	var found []string
	for i, name := range spec.Names {
		if name.Name == "_" {
			continue
		}
		why := ""
		var value ast.Expr
		if i < len(spec.Values) {
			value = spec.Values[i]
		}
		switch {
		case sentinel(src, name.Name, value):
			if !errorName(name.Name) {
				why = "is an error and not called ErrX or errX"
			}
		case ast.IsExported(name.Name):
			why = "is exported: any package could assign it"
		case len(spec.Values) == 0:
			why = "starts empty: something must assign it"
		default:
			why = mutable(src, info.Defs[name], spec.Type, value)
		}
		if why != "" && !excepted("global", p.dir+"."+name.Name) {
			found = append(found, src.at(name.Pos())+": variable "+name.Name+" "+why)
		}
	}
	return found
}

func embedded(doc *ast.CommentGroup) bool {
	if doc != nil {
		for _, c := range doc.List {
			if strings.HasPrefix(c.Text, "//go:embed ") {
				return true
			}
		}
	}
	return false
}

func errorName(name string) bool {
	return strings.HasPrefix(name, "Err") || strings.HasPrefix(name, "err")
}

// sentinel reports whether a value is an error to compare with: made by
// errors.New or fmt.Errorf, a literal of an error type called like one, or
// another sentinel.
func sentinel(src *source, name string, value ast.Expr) bool {
	switch v := value.(type) {
	case *ast.CallExpr:
		made := qualified(src, v.Fun)
		return made == "errors.New" || made == "fmt.Errorf"
	case *ast.UnaryExpr:
		_, literal := v.X.(*ast.CompositeLit)
		return literal && errorName(name)
	case *ast.SelectorExpr: // another package's sentinel under a name of this one's
		return errorName(name) && errorName(v.Sel.Name)
	}
	return false
}

// qualified is a selection from another package, with the path of that.
func qualified(src *source, e ast.Expr) string {
	sel, ok := e.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	if x, ok := sel.X.(*ast.Ident); ok {
		if p := src.imports()[x.Name]; p != "" {
			return p + "." + sel.Sel.Name
		}
		return ""
	}
	if inner := qualified(src, sel.X); inner != "" {
		return inner + "." + sel.Sel.Name
	}
	return ""
}

// mutable says why a variable with this type and value can change without
// being assigned, "" if it cannot.
func mutable(src *source, object types.Object, declared, value ast.Expr) string {
	if object != nil && object.Type() != nil {
		switch object.Type().Underlying().(type) {
		case *types.Pointer:
			return "is a pointer"
		case *types.Chan:
			return "is a channel"
		}
	}
	why := ""
	look := func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.UnaryExpr:
			if n.Op == token.AND {
				why = "holds a pointer"
			}
		case *ast.CallExpr:
			if id, ok := n.Fun.(*ast.Ident); ok && (id.Name == "make" || id.Name == "new") {
				why = "is made to be filled"
			}
			name := qualified(src, n.Fun)
			if name != "" && !makers[name] {
				why = "holds what " + name + " returns, which may change"
			}
			return !makers[name]
		case *ast.SelectorExpr:
			name := qualified(src, n)
			if strings.HasPrefix(name, "sync.") || strings.HasPrefix(name, "sync/atomic.") {
				why = "is made to change: " + name
			}
		}
		return true
	}
	if declared != nil {
		ast.Inspect(declared, look)
	}
	if value == nil {
		return why
	}
	if name := qualified(src, value); strings.Contains(name, ".Default") {
		return "shares " + name + " with the whole process"
	}
	ast.Inspect(value, look)
	return why
}
