package config

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Bounds of what is given to the YAML parser, which recurses without any.
const (
	maxLine    = 64 << 10 // bytes of one line
	maxNesting = 200      // brackets open at once, and columns of indentation by 2
)

// source is the text of a topology file.
type source struct {
	name    string
	text    []byte // UTF-8 without byte order mark, lines ending in \n
	lines   []string
	secrets []string // values that no excerpt may show
}

// place is a place in a source, both from 1.
type place struct{ line, column int }

// newSource brings the content of a file into one form and checks the bounds.
func newSource(name string, data []byte) (*source, error) {
	if len(data) > MaxFileSize {
		return nil, fileError(name, fmt.Sprintf("the file is larger than %d MiB", MaxFileSize>>20), "keep only the topology in it; large sets of overrides have their own table")
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) || !utf8.Valid(data) {
		return nil, fileError(name, "the file is not UTF-8", "save it as UTF-8")
	}
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	s := &source{name: name, text: data, lines: strings.Split(string(data), "\n")}
	return s, s.checkBounds()
}

func fileError(name, message, fix string) *Error {
	return &Error{[]Diagnostic{{File: name, Message: message, Fix: fix}}}
}

// checkBounds keeps from the parser what would exhaust its stack, and tells of
// bytes that no YAML holds. Counting brackets without regard to quotes is good
// enough: balanced ones in texts do no harm.
func (s *source) checkBounds() error {
	open := 0
	for i, line := range s.lines {
		at := place{i + 1, 1}
		if len(line) > maxLine {
			return s.errorAt(at, "the line is longer than 64 KiB", "write lists and mappings on lines of their own")
		}
		indent := len(line) - len(strings.TrimLeft(line, " "))
		if indent > 2*maxNesting {
			return s.errorAt(at, "the line is indented too deep", "no topology needs more than 20 columns")
		}
		if dashes(line[indent:]) > maxNesting {
			return s.errorAt(at, "lists are nested too deep", "no topology nests lists")
		}
		for j, c := range line {
			switch {
			case c == '[' || c == '{':
				open++
			case (c == ']' || c == '}') && open > 0:
				open--
			case c < ' ' && c != '\t' || c == 0x7f:
				return s.errorAt(place{i + 1, utf8.RuneCountInString(line[:j]) + 1}, "the line has a control character", "remove it")
			}
			if open > maxNesting {
				return s.errorAt(at, "lists and mappings are nested too deep", "no topology needs more than 10 levels")
			}
		}
	}
	return nil
}

// dashes counts the indicators (- ? :) with which a line opens a block inside
// a block.
func dashes(line string) int {
	n := 0
	for len(line) > 1 && strings.IndexByte("-?:", line[0]) >= 0 && (line[1] == ' ' || line[1] == '\t') {
		line = strings.TrimLeft(line[1:], " \t")
		n++
	}
	return n
}

// errorAt is the one error after which nothing else can be said.
func (s *source) errorAt(at place, message, fix string) *Error {
	d := Diagnostic{File: s.name, Line: at.line, Column: at.column, Message: message, Fix: fix}
	d.Excerpt = s.excerpt(at.line)
	return &Error{[]Diagnostic{d}}
}

// excerpt is a line with everything starred out that is secret or may be: the
// fingerprint key, users in URLs, values of headers that hold credentials.
// Columns stay.
func (s *source) excerpt(line int) string {
	if line < 1 || line > len(s.lines) {
		return ""
	}
	text := s.lines[line-1]
	if len(text) > maxLine {
		text = strings.ToValidUTF8(text[:maxLine], "")
	}
	for _, pattern := range secretPatterns() {
		text = pattern.ReplaceAllStringFunc(text, stars)
	}
	for _, secret := range s.secrets {
		text = strings.ReplaceAll(text, secret, stars(secret))
	}
	if i := strings.Index(text, "fingerprint_key"); i >= 0 {
		if j := strings.IndexByte(text[i:], ':'); j >= 0 {
			text = text[:i+j+1] + valueText().ReplaceAllStringFunc(text[i+j+1:], stars)
		}
	}
	return text
}

// secretPatterns finds what no excerpt shows.
func secretPatterns() []*regexp.Regexp {
	return []*regexp.Regexp{
		longHex(),
		regexp.MustCompile(`//[^/@\s"']*@`),
		regexp.MustCompile(`(?i)(authorization|cookie):[^"',\]}]+`),
	}
}

// longHex finds what is as long as a key and of its digits.
func longHex() *regexp.Regexp { return regexp.MustCompile(`[0-9a-fA-F]{32,}`) }

// valueText finds the words of a value.
func valueText() *regexp.Regexp { return regexp.MustCompile(`[^\s"'#,{}]+`) }

func stars(s string) string { return strings.Repeat("*", utf8.RuneCountInString(s)) }

// hide keeps a value out of excerpts.
func (s *source) hide(secret string) {
	for line := range strings.SplitSeq(secret, "\n") {
		if line = strings.TrimSpace(line); len(line) > 3 {
			s.secrets = append(s.secrets, line)
		}
	}
}
