package config

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Diagnostic is one thing that is wrong in a topology file, with its cure.
type Diagnostic struct {
	File    string `json:"file"`
	Line    int    `json:"line"`   // from 1; 0 when it is about the file as a whole
	Column  int    `json:"column"` // in characters, from 1
	Path    string `json:"path"`   // $.cells[2].hosts[0]; "" when the file is not YAML
	Message string `json:"message"`
	Fix     string `json:"fix"`
	Excerpt string `json:"excerpt"` // the line, with the fingerprint key starred out
}

// Error is everything that is wrong in a topology file, sorted by place. There
// is at least one diagnostic.
type Error struct{ Diagnostics []Diagnostic }

// Error says in one line how much is wrong and what comes first.
func (e *Error) Error() string {
	first := e.Diagnostics[0]
	if n := len(e.Diagnostics); n > 1 {
		return fmt.Sprintf("%d errors, the first: %s", n, first.head())
	}
	return first.head()
}

func (d *Diagnostic) head() string {
	if d.Line == 0 {
		return fmt.Sprintf("%s: %s", d.File, d.Message)
	}
	return fmt.Sprintf("%s:%d:%d: %s", d.File, d.Line, d.Column, d.Message)
}

// String is Render without color.
func (e *Error) String() string {
	var b strings.Builder
	_ = e.Render(&b, false) // a strings.Builder takes everything
	return b.String()
}

// Render writes each diagnostic for people: place and message, the line with a
// caret below the place, and the fix. The error is that of w.
func (e *Error) Render(w io.Writer, color bool) error {
	var bold, red, cyan, off string
	if color {
		bold, red, cyan, off = "\x1b[1m", "\x1b[31m", "\x1b[36m", "\x1b[0m"
	}
	var b strings.Builder
	for i := range e.Diagnostics {
		d := &e.Diagnostics[i]
		fmt.Fprintf(&b, "%s%s%s\n", bold, d.head(), off)
		if d.Excerpt != "" {
			text, column := window(d.Excerpt, d.Column)
			fmt.Fprintf(&b, "%6d | %s\n       | %s%s^%s\n", d.Line, text, indentTo(text, column), red, off)
		}
		fmt.Fprintf(&b, "  %sfix:%s %s\n", cyan, off, d.Fix)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// window is the part of a long line around a column, and the column in it.
func window(line string, column int) (string, int) {
	const width, before = 120, 60
	runes := []rune(line)
	if len(runes) <= width {
		return line, column
	}
	from := max(0, min(column-before, len(runes)-width))
	to := min(len(runes), from+width)
	text, shift := string(runes[from:to]), from
	if from > 0 {
		text, shift = "... "+text, from-len("... ")
	}
	if to < len(runes) {
		text += " ..."
	}
	return text, column - shift
}

// indentTo is white space as wide as the line before a column; tabs stay tabs.
func indentTo(line string, column int) string {
	var b strings.Builder
	for _, r := range line {
		if column--; column < 1 {
			break
		}
		if r != '\t' {
			r = ' '
		}
		b.WriteRune(r)
	}
	return b.String()
}

// sorted orders diagnostics by place, those of one place as they were found, and
// drops those that say the same of the same place, as when two aliases lead to
// one mistake.
func sorted(list []Diagnostic) []Diagnostic {
	type said struct {
		line, column int
		message      string
	}
	seen := make(map[said]bool, len(list))
	list = slices.DeleteFunc(list, func(d Diagnostic) bool {
		k := said{d.Line, d.Column, d.Message}
		again := seen[k]
		seen[k] = true
		return again
	})
	slices.SortStableFunc(list, func(a, b Diagnostic) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return list
}
