package topology

import (
	"fmt"
	"slices"
	"strings"
)

// The most of each list that a topology may hold. The compiled table and the
// checks for shadowed rules are made for these figures.
const (
	MaxCells  = 4096
	MaxRules  = 1000 // of credentials, bodies, paths and lanes each
	MaxPlaces = 256  // different places that credential rules list
)

// maxProblems bounds the work on a file that is wrong all over.
const maxProblems = 1000

// Validate says everything that is wrong with the topology, in the order of
// the file and up to a thousand; nothing for a good one. It takes a topology
// with or without its defaults filled in and changes nothing. No message holds
// the fingerprint key.
func (t *Topology) Validate() []Problem {
	v := &validator{t: t, firstCell: make(map[string]int, len(t.Cells)), owners: map[string]string{}}
	for i := range t.Cells {
		name := t.Cells[i].Name
		if _, again := v.firstCell[name]; name != "" && !again {
			v.firstCell[name] = i
			v.cellNames = append(v.cellNames, name)
		}
	}
	v.head()
	v.facade()
	v.cells()
	v.credentials()
	v.bodies()
	v.paths()
	v.lanes()
	v.shadows()
	v.overrides()
	v.fingerprintKey()
	v.status()
	v.cors()
	v.trustedProxies()
	v.healthPath()
	v.timeouts()
	v.limits()
	return v.problems
}

// validator collects the problems of one topology.
type validator struct {
	t         *Topology
	problems  []Problem
	cellNames []string          // declared, without repetition, in order
	firstCell map[string]int    // index of the first cell with a name
	owners    map[string]string // who declared a host first, by its comparable form
}

func (v *validator) add(at Path, fix, format string, args ...any) {
	if v.full() {
		return
	}
	v.problems = append(v.problems, Problem{Path: string(at), Message: fmt.Sprintf(format, args...), Fix: fix})
}

func (v *validator) full() bool { return len(v.problems) >= maxProblems }

func (v *validator) head() {
	switch v.t.Version {
	case Version:
	case 0:
		v.add(Root.Key("version"), "write version: 1", "the file does not say its version")
	default:
		v.add(Root.Key("version"), "write version: 1", "version %d is unknown to this program", v.t.Version)
	}
	v.oneOf(Root.Key("mode"), "mode", string(v.t.Mode), string(Observe), string(Route))
}

func (v *validator) facade() {
	at, f := Root.Key("facade"), &v.t.Facade
	if len(f.Hosts) == 0 {
		v.add(at.Key("hosts"), "write hosts: [api.example.com], the names that all clients call", "the facade has no hosts")
	}
	v.hosts(at.Key("hosts"), "the facade", f.Hosts)
	if f.LegacyCell == "" {
		v.add(at.Key("legacy_cell"), "write legacy_cell: and the cell of the credentials that predate cells"+v.exampleCell(), "the facade has no legacy cell")
	} else {
		v.cellName(at.Key("legacy_cell"), f.LegacyCell)
	}
}

// exampleCell suggests a declared cell, if there is one.
func (v *validator) exampleCell() string {
	if len(v.cellNames) == 0 {
		return ""
	}
	return ", such as " + v.cellNames[0]
}

// cellName checks a reference to a cell that is not blank. Where no cell is
// declared at all, that is said once and not for every reference.
func (v *validator) cellName(at Path, name string) {
	if _, ok := v.firstCell[name]; ok || len(v.cellNames) == 0 || v.full() {
		return
	}
	fix := "declare it under cells"
	if near := Nearest(name, v.cellNames); near != "" {
		fix = fmt.Sprintf("did you mean %s? Else declare it under cells", near)
	} else if len(v.cellNames) > 0 {
		fix = "write " + orList(v.cellNames) + ", or declare it under cells"
	}
	v.add(at, fix, "cell %q is not declared", clip(name))
}

// requiredCell checks a reference to a cell that may not be blank.
func (v *validator) requiredCell(at Path, name, who string) {
	if name == "" {
		v.add(at, "write cell: and the name of a declared cell"+v.exampleCell(), "%s has no cell", who)
		return
	}
	v.cellName(at, name)
}

// oneOf checks a word that is blank or one of a few.
func (v *validator) oneOf(at Path, what, word string, words ...string) {
	if word == "" || slices.Contains(words, word) {
		return
	}
	fix := "write " + orList(words)
	if near := Nearest(word, words); near != "" {
		fix = fmt.Sprintf("did you mean %s? It is %s", near, orList(words))
	}
	v.add(at, fix, "%q is not a %s", clip(word), what)
}

// ranged checks a number that may be left out; 0 is left out.
func (v *validator) ranged(at Path, n, low, high int64, text func(int64) string) {
	if n != 0 && (n < low || n > high) {
		v.add(at, fmt.Sprintf("write a value from %s to %s", text(low), text(high)),
			"%s is %s, which is out of range", strings.TrimPrefix(string(at), string(Root)+"."), text(n))
	}
}

func (v *validator) count(at Path, what string, n, most int) {
	if n > most {
		v.add(at, fmt.Sprintf("keep to at most %d", most), "%d %s are too many", n, what)
	}
}

// repeated reports whether word was in seen before, and notes it.
func repeated(seen map[string]bool, word string) bool {
	again := seen[word]
	seen[word] = true
	return again
}

// words checks a list of words that are not blank and not repeated, each by a
// check that returns what is wrong and what to write, or "".
func (v *validator) words(at Path, list []string, what string, check func(string) (wrong, fix string)) {
	seen := make(map[string]bool, len(list))
	for i, w := range list {
		switch wrong, fix := check(w); {
		case strings.TrimSpace(w) == "":
			v.add(at.Index(i), "write "+what+" or remove the entry", "the entry is blank")
		case wrong != "":
			v.add(at.Index(i), fix, "%q %s", shown(w), wrong)
		case repeated(seen, w):
			v.add(at.Index(i), "remove one", "%q is listed twice", shown(w))
		}
	}
}
