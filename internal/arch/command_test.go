package arch_test

import (
	"go/ast"
	"go/token"
	"strings"
)

// commandRules keep the process itself, its flags, environment, signals,
// streams and end, in the hands of the commands.
func commandRules() []rule {
	return []rule{{
		name:  "only cmd reads flags, environment and signals, or exits",
		check: outsideCommands(processOnly),
		bad: in("internal/edge/edge.go",
			`import "flag"`,
			`import "os/signal"`,
			`import "github.com/spf13/cobra"`,
			"import \"os\"\nfunc f() { os.Exit(1) }",
			"import \"os\"\nfunc f() string { return os.Getenv(`HOME`) }",
			"import \"os\"\nfunc f() { get := os.LookupEnv; get(`HOME`) }",
			"import \"os\"\nvar name = os.Args[0]",
			"import \"log\"\nfunc f() { log.Fatalf(`no`) }",
			"import system \"os\"\nfunc f() { system.Exit(1) }",
		),
		good: append(in("cmd/homeward/main.go", "import \"os\"\nfunc f() { os.Exit(1) }"),
			append(in("internal/edge/edge.go", "import \"os\"\nfunc f() ([]byte, error) { return os.ReadFile(`a`) }"),
				in("internal/edge/edge_test.go", "import \"flag\"\nvar update = flag.Bool(`update`, false, ``)")...)...),
	}, {
		name:  "loggers and streams are passed in",
		check: outsideCommands(passedIn),
		bad: in("internal/edge/edge.go",
			"import \"log/slog\"\nfunc f() { slog.Info(`started`) }",
			"import \"log/slog\"\nfunc f() { g(slog.Default()) }",
			"import \"log\"\nfunc f() { log.Println(`started`) }",
			"import \"fmt\"\nfunc f() { fmt.Println(`started`) }",
			"import \"os\"\nfunc f() { g(os.Stderr) }",
		),
		good: in("internal/edge/edge.go",
			"import \"log/slog\"\nfunc f(l *slog.Logger) { l.Info(`started`, slog.Int(`n`, 1)) }",
			"import (\"fmt\"; \"io\")\nfunc f(w io.Writer) { fmt.Fprintln(w, `started`) }",
		),
	}}
}

// ban is names of one package that may not be used; no names ban the import.
type ban struct {
	path  string
	names string // separated by spaces; a last * stands for any rest
}

var processOnly = []ban{
	{path: "flag"}, {path: "os/signal"}, {path: "github.com/spf13/cobra"}, {path: "github.com/spf13/pflag"},
	{"os", "Exit Getenv LookupEnv Environ ExpandEnv Setenv Args"},
	{"syscall", "Exit Getenv Environ Kill"},
	{"log", "Fatal*"},
}

var passedIn = []ban{
	{"log/slog", "Default SetDefault Debug* Info* Warn* Error* Log"},
	{"log", "Print* Panic* Default SetOutput SetFlags Writer"},
	{"fmt", "Print Printf Println Scan*"},
	{"os", "Stdin Stdout Stderr"},
}

func outsideCommands(bans []ban) func(*pkg) []string {
	return func(p *pkg) []string {
		if p.command() || p.dir == "internal/proxy/extendedconnect" { // which says why it sets the environment
			return nil
		}
		var found []string
		for _, src := range p.code() {
			found = append(found, banned(src, bans)...)
		}
		return found
	}
}

func banned(src *source, bans []ban) []string {
	var found []string
	names := src.imports()
	report := func(pos token.Pos, what string) {
		found = append(found, src.at(pos)+": "+what+" belongs into cmd; take what is needed as an argument")
	}
	for _, spec := range src.file.Imports {
		for _, b := range bans {
			if b.names == "" && spec.Path.Value == `"`+b.path+`"` {
				report(spec.Pos(), "import of "+b.path)
			}
		}
	}
	ast.Inspect(src.file, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		x, ok := sel.X.(*ast.Ident)
		if !ok {
			return true
		}
		for _, b := range bans {
			if names[x.Name] == b.path && b.covers(sel.Sel.Name) {
				report(sel.Pos(), b.path+"."+sel.Sel.Name)
			}
		}
		return true
	})
	return found
}

func (b ban) covers(name string) bool {
	for word := range strings.FieldsSeq(b.names) {
		if stem, open := strings.CutSuffix(word, "*"); name == word || (open && strings.HasPrefix(name, stem)) {
			return true
		}
	}
	return false
}
