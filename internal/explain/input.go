// Package explain tells why a request would go where it goes. It reads a
// pasted curl command or a HAR file into a request, runs the very code with
// which the edge decides, and reports each step in words.
//
// What comes in holds live credentials more often than not. An Input keeps
// them, since deciding needs them; a Report, its text and its JSON never do,
// and neither does any error of this package: they name options, headers and
// places, and show a fingerprint where a credential stood.
package explain

import (
	"fmt"
	"strconv"

	"github.com/homeward/homeward/route"
)

// Input is one request as a client would send it over HTTP/1.1.
type Input struct {
	From   string        // where it was read, for people: curl, or entry 3
	Scheme string        // http or https
	Method string        // as sent
	Target string        // request-target as sent
	Minor  int           // of the version: 1 for HTTP/1.1, 0 for HTTP/1.0
	Fields []route.Field // in the order sent, with Host
	Body   []byte        // as far as it is known

	// HasBody says that the request has a body, perhaps an empty one.
	HasBody bool
	// BodyUnknown says that the body comes from a file or a program, neither of
	// which is read; Body is then nil.
	BodyUnknown bool

	// Notes say what was assumed, left out or not read. They hold nothing of
	// the values in the request.
	Notes []string
}

// String names the input without its content, which is secret.
func (in *Input) String() string { return "request of " + in.From }

// GoString hides the content from %#v.
func (in *Input) GoString() string { return "explain.Input{" + in.From + "}" }

// note adds a note once.
func (in *Input) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	for _, n := range in.Notes {
		if n == text {
			return
		}
	}
	in.Notes = append(in.Notes, text)
}

// InputError says what is wrong with an input, where, and what to do. It
// repeats option and field names, never a value.
type InputError struct {
	Where   string // word 5, line 2, log.entries[3].request.url; may be empty
	Problem string // what is wrong
	Cure    string // what to write instead; may be empty
}

func (e *InputError) Error() string {
	text := e.Problem
	if e.Where != "" {
		text = e.Where + ": " + text
	}
	if e.Cure != "" {
		text += "; " + e.Cure
	}
	return text
}

func wrong(where, problem, cure string) error {
	return &InputError{Where: where, Problem: problem, Cure: cure}
}

// word is the place of a word of a command, counted from 1 for the command's name.
func word(i int) string { return "word " + strconv.Itoa(i+1) }

// MaxInput is the number of bytes of a command that are read at most.
const MaxInput = 1 << 20

// maxWords is the number of words of a command that are read at most.
const maxWords = 4096
