package arch_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const (
	module = "github.com/homeward/homeward"
	root   = "../.."
)

// source is one parsed Go file.
type source struct {
	path string // from the root, with slashes
	text string
	fset *token.FileSet
	file *ast.File
}

func (s *source) test() bool { return strings.HasSuffix(s.path, "_test.go") }

// at names a place for messages.
func (s *source) at(pos token.Pos) string {
	return fmt.Sprintf("%s:%d", s.path, s.fset.Position(pos).Line)
}

// imports maps the name by which the file knows each import to its path.
func (s *source) imports() map[string]string {
	names := map[string]string{}
	for _, spec := range s.file.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		name := guessName(p)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = p
	}
	return names
}

// guessName is the name of a package as its import path suggests it.
func guessName(p string) string {
	base := path.Base(p)
	if len(base) > 1 && base[0] == 'v' && strings.Trim(base[1:], "0123456789") == "" {
		base = path.Base(path.Dir(p))
	}
	return base
}

// pkg is a folder with the Go files in it, test files included.
type pkg struct {
	dir   string // from the root, with slashes
	files []*source
}

// code is the files that are not tests.
func (p *pkg) code() []*source {
	return slices.DeleteFunc(slices.Clone(p.files), (*source).test)
}

// command reports whether the package is a command, the comparison with
// peers, or an example's program.
func (p *pkg) command() bool {
	return p.dir == "bench" || strings.HasPrefix(p.dir, "cmd/") || strings.HasPrefix(p.dir, "examples/")
}

func parse(fset *token.FileSet, name, text string) (*source, error) {
	file, err := parser.ParseFile(fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	return &source{path: name, text: text, fset: fset, file: file}, nil
}

// tree is every package of the module, read once for all rules.
var tree = sync.OnceValues(readTree)

func readTree() ([]*pkg, error) {
	fset := token.NewFileSet()
	byDir := map[string]*pkg{}
	var all []*pkg
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if n := d.Name(); name != root && (n[0] == '.' || n[0] == '_' || n == "testdata" || n == "node_modules" || n == "vendor") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		src, err := parse(fset, rel, string(text))
		if err != nil {
			return err
		}
		if strings.HasSuffix(rel, ".pb.go") && ast.IsGenerated(src.file) {
			return nil // its generator's habits are not ours to judge
		}
		dir := path.Dir(rel)
		if byDir[dir] == nil {
			byDir[dir] = &pkg{dir: dir}
			all = append(all, byDir[dir])
		}
		byDir[dir].files = append(byDir[dir].files, src)
		return nil
	})
	return all, err
}

func packages(t *testing.T) []*pkg {
	t.Helper()
	all, err := tree()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 5 {
		t.Fatalf("%d packages found from %s: the rules look at the wrong folder", len(all), root)
	}
	return all
}
