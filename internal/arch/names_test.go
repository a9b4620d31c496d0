package arch_test

import (
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxMethods is the most methods that an interface has.
const maxMethods = 5

func nameRules() []rule {
	return []rule{{
		name:  "a package is a noun for what it provides",
		check: packageNames,
		bad:   append(in("internal/util/a.go", ""), in("internal/pkg/route/a.go", "")...),
		good:  in("internal/upstream/a.go", ""),
	}, {
		name:  "no stutter",
		check: stutter,
		bad:   in("route/a.go", "type RouteTable struct{}", "func RouteOf() {}", "const RouteMax = 1"),
		good:  in("route/a.go", "type Route struct{}", "type Routes struct{}", "func (Route) RouteTo() {}"),
	}, {
		name:  "every package says what it is for, once",
		check: packageDocs,
		bad:   in("route/a.go", "package route", "// Decides.\npackage route"),
		good:  append(in("route/a.go", "// Package route decides.\npackage route"), in("cmd/homeward/a.go", "// Command homeward is it.\npackage main")...),
	}, {
		name:  "what is exported is documented",
		check: exportedDocs,
		bad: in("route/a.go", "func Decide() {}", "type Table struct{}\nfunc (t *Table) Peek() {}", "const None = 1",
			"type (\n// A is.\nA int\nB int\n)", "const (\nA = 1\n)"),
		good: in("route/a.go", "// Decide decides.\nfunc Decide() {}", "type table struct{}\nfunc (t *table) Peek() {}", "// The outcomes.\nconst (\nHome = 1\n)",
			"const (\nA = 1 // the first\n)", "func decide() {}"),
	}, {
		name:  "an interface has at most five methods",
		check: interfaceSizes,
		bad:   in("route/a.go", "type T interface { A(); B(); C(); D(); E(); F() }"),
		good:  in("route/a.go", "type T interface { A(); B(); C(); D(); E() }"),
	}}
}

func packageNames(p *pkg) []string {
	const forbidden = " util utils common helper helpers model models type types pkg misc lib base shared "
	var found []string
	for elem := range strings.SplitSeq(p.dir, "/") {
		if strings.Contains(forbidden, " "+elem+" ") {
			found = append(found, p.dir+": the name "+elem+" says nothing about what the package provides")
		}
	}
	for _, src := range p.files {
		if name := strings.TrimSuffix(src.file.Name.Name, "_test"); name != "main" && name != path.Base(p.dir) {
			found = append(found, src.path+": package "+name+" is not called like its folder")
		}
	}
	return found
}

// declared calls visit with each top-level name of a package and its comments;
// methods only of exported types.
func declared(src *source, visit func(id *ast.Ident, method bool, docs ...*ast.CommentGroup)) {
	for _, d := range src.file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil || ast.IsExported(receiverName(d.Recv)) {
				visit(d.Name, d.Recv != nil, d.Doc)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					if d.Lparen == token.NoPos {
						visit(spec.Name, false, d.Doc)
					} else {
						visit(spec.Name, false, spec.Doc, spec.Comment)
					}
				case *ast.ValueSpec:
					for _, id := range spec.Names {
						visit(id, false, d.Doc, spec.Doc, spec.Comment)
					}
				}
			}
		}
	}
}

func receiverName(list *ast.FieldList) string {
	e := list.List[0].Type
	for {
		switch x := e.(type) {
		case *ast.StarExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.IndexListExpr:
			e = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}

func stutter(p *pkg) []string {
	var found []string
	for _, src := range p.code() {
		name := src.file.Name.Name
		declared(src, func(id *ast.Ident, method bool, _ ...*ast.CommentGroup) {
			if method || !ast.IsExported(id.Name) || len(id.Name) <= len(name) || !strings.EqualFold(id.Name[:len(name)], name) {
				return
			}
			if next, _ := utf8.DecodeRuneInString(id.Name[len(name):]); unicode.IsUpper(next) {
				found = append(found, fmt.Sprintf("%s: callers write %s.%s", src.at(id.Pos()), name, id.Name))
			}
		})
	}
	return found
}

func packageDocs(p *pkg) []string {
	code := p.code()
	if len(code) == 0 {
		return []string{p.dir + ": tests only: a doc.go says what they are for"}
	}
	var docs []string
	for _, src := range code {
		if src.file.Doc != nil {
			docs = append(docs, src.file.Doc.Text())
		}
	}
	want := "Package " + code[0].file.Name.Name + " "
	if code[0].file.Name.Name == "main" {
		want = "Command " + path.Base(p.dir) + " "
	}
	if len(docs) != 1 || !strings.HasPrefix(docs[0], want) {
		return []string{fmt.Sprintf("%s: %d package comments; one starts with %q", p.dir, len(docs), want)}
	}
	return nil
}

func exportedDocs(p *pkg) []string {
	var found []string
	for _, src := range p.code() {
		if src.file.Name.Name == "main" {
			continue
		}
		declared(src, func(id *ast.Ident, method bool, docs ...*ast.CommentGroup) {
			if !ast.IsExported(id.Name) || (method && (id.Name == "Error" || id.Name == "Unwrap")) {
				return
			}
			for _, doc := range docs {
				if doc != nil && strings.TrimSpace(doc.Text()) != "" {
					return
				}
			}
			found = append(found, src.at(id.Pos())+": "+id.Name+" has no comment")
		})
	}
	return found
}

func interfaceSizes(p *pkg) []string {
	var found []string
	for _, src := range p.code() {
		ast.Inspect(src.file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if i, ok := spec.Type.(*ast.InterfaceType); ok && i.Methods.NumFields() > maxMethods && !excepted("large interface", p.dir+"."+spec.Name.Name) {
				found = append(found, fmt.Sprintf("%s: interface %s has %d methods, more than %d", src.at(spec.Pos()), spec.Name.Name, i.Methods.NumFields(), maxMethods))
			}
			return true
		})
	}
	return found
}
