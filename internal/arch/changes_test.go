package arch_test

import (
	"go/ast"
	"go/token"
	"go/types"
)

// changes reports statements that change a variable of a package, this one's
// or another's: assignments to it or into it, its address taken, and methods
// called on it through a pointer.
func changes(p *pkg, src *source, info *types.Info) []string {
	var found []string
	report := func(e ast.Expr, how string) {
		id := rootOf(e)
		if id == nil {
			return
		}
		switch object := info.Uses[id].(type) {
		case *types.Var:
			if object.Pkg() == nil || object.Parent() != object.Pkg().Scope() || excepted("global", p.dir+"."+id.Name) {
				return
			}
		case *types.PkgName:
			if how != "assigned" {
				return
			}
		default:
			return
		}
		found = append(found, src.at(e.Pos())+": a variable of a package is "+how+": "+id.Name)
	}
	ast.Inspect(src.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok != token.DEFINE {
				for _, left := range n.Lhs {
					report(left, "assigned")
				}
			}
		case *ast.IncDecStmt:
			report(n.X, "assigned")
		case *ast.RangeStmt:
			if n.Tok == token.ASSIGN {
				report(n.Key, "assigned")
				report(n.Value, "assigned")
			}
		case *ast.UnaryExpr:
			if _, literal := n.X.(*ast.CompositeLit); n.Op == token.AND && !literal {
				report(n.X, "pointed to")
			}
		case *ast.CallExpr:
			if target, how := changedByCall(n, info); target != nil {
				report(target, how)
			}
		}
		return true
	})
	return found
}

// changedByCall is the operand that a call changes, nil if it changes none.
func changedByCall(call *ast.CallExpr, info *types.Info) (ast.Expr, string) {
	switch fun := call.Fun.(type) {
	case *ast.Ident:
		if _, builtin := info.Uses[fun].(*types.Builtin); builtin && len(call.Args) > 0 &&
			(fun.Name == "delete" || fun.Name == "clear" || fun.Name == "copy") {
			return call.Args[0], "changed by " + fun.Name
		}
	case *ast.SelectorExpr:
		selection := info.Selections[fun]
		if selection == nil || selection.Kind() != types.MethodVal {
			return nil, ""
		}
		receiver := selection.Obj().(*types.Func).Signature().Recv()
		if _, pointer := receiver.Type().(*types.Pointer); pointer && receiver.Type() != selection.Recv() {
			if _, held := selection.Recv().Underlying().(*types.Pointer); !held {
				return fun.X, "changed through a method"
			}
		}
	}
	return nil, ""
}

// rootOf is the identifier that an expression starts from: a of a.b[1].c.
func rootOf(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.SliceExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil
		}
	}
}
