package arch_test

import (
	"go/token"
	"path"
	"strings"
	"testing"
)

// rule is one rule of the house about the text of packages.
type rule struct {
	name  string
	check func(*pkg) []string // what breaks it, each with its place
	bad   []sample            // every one breaks the rule
	good  []sample            // none does
}

// sample is one file of a package made up for a test.
type sample struct{ path, text string }

func rules() []rule {
	var all []rule
	for _, some := range [][]rule{commandRules(), globalRules(), nameRules(), sizeRules(), testRules()} {
		all = append(all, some...)
	}
	return all
}

func TestRules(t *testing.T) {
	for _, r := range rules() {
		t.Run(r.name, func(t *testing.T) {
			for _, p := range packages(t) {
				for _, found := range r.check(p) {
					t.Error(found)
				}
			}
		})
	}
}

func TestEveryRuleCanFail(t *testing.T) {
	for _, r := range rules() {
		t.Run(r.name, func(t *testing.T) {
			if len(r.bad) == 0 {
				t.Error("no sample breaks this rule")
			}
			for _, s := range r.bad {
				if len(r.check(s.pkg(t))) == 0 {
					t.Errorf("let through:\n%s", s.text)
				}
			}
			for _, s := range r.good {
				for _, found := range r.check(s.pkg(t)) {
					t.Errorf("%s\nfound in:\n%s", found, s.text)
				}
			}
		})
	}
}

// pkg is the package whose only file is s. A text without a package clause is
// given the one that its path suggests.
func (s sample) pkg(t *testing.T) *pkg {
	t.Helper()
	if !strings.Contains(s.text, "package ") {
		s.text = "package " + path.Base(path.Dir(s.path)) + "\n" + s.text
	}
	src, err := parse(token.NewFileSet(), s.path, s.text)
	if err != nil {
		t.Fatal(err)
	}
	return &pkg{dir: path.Dir(s.path), files: []*source{src}}
}

// in makes samples of one file's path.
func in(name string, texts ...string) []sample {
	var all []sample
	for _, text := range texts {
		all = append(all, sample{name, text})
	}
	return all
}
