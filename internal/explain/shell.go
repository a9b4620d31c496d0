package explain

import (
	"strconv"
	"strings"
)

// ParseCommand reads a command line as a person pastes it: words as a POSIX
// shell splits them, with '…', "…", $'…' and \, over several lines if they end
// in \; or, when its carets say so, as cmd.exe of Windows does. Nothing is
// expanded: what a shell would replace is an error that asks for the result.
// A prompt "$ " before the command is left out, and what follows a pipe too.
// The error is an *InputError.
func ParseCommand(line string) ([]*Input, error) {
	if len(line) > MaxInput {
		return nil, wrong("", "the command is longer than 1 MiB", "put a long body into a file and write -d @FILE")
	}
	var words, notes []string
	var err error
	if isCmd(line) {
		words, err = splitCmd(line)
	} else {
		words, notes, err = splitShell(line)
	}
	if err != nil {
		return nil, err
	}
	if len(words) > 0 && (words[0] == "$" || words[0] == "%" || words[0] == ">") {
		words = words[1:]
	}
	inputs, err := ParseCurl(words)
	for _, in := range inputs {
		for _, n := range notes {
			in.note("%s", n)
		}
	}
	return inputs, err
}

// shell splits a line into words as a POSIX shell does (IEEE 1003.1, XCU
// section 2.2), with the $'…' of bash.
type shell struct {
	text  string
	i     int
	line  int // from 1
	word  []byte
	open  bool // word has begun; "" is a word too
	words []string
	notes []string
}

func splitShell(text string) (words, notes []string, err error) {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	s := &shell{text: text, line: 1}
	for s.i < len(s.text) {
		if len(s.words) > maxWords {
			return nil, nil, wrong("", "the command has more than "+strconv.Itoa(maxWords)+" words", "")
		}
		done, err := s.step()
		if err != nil {
			return nil, nil, err
		}
		if done {
			break
		}
	}
	s.end()
	return s.words, s.notes, nil
}

func (s *shell) end() {
	if s.open {
		s.words = append(s.words, string(s.word))
	}
	s.word, s.open = s.word[:0], false
}

func (s *shell) put(c byte) { s.word, s.open = append(s.word, c), true }

func (s *shell) wrong(problem, cure string) error {
	return wrong("line "+strconv.Itoa(s.line), problem, cure)
}

// peek is the byte n places ahead, 0 at the end.
func (s *shell) peek(n int) byte {
	if s.i+n < len(s.text) {
		return s.text[s.i+n]
	}
	return 0
}

// step takes the next byte or quoted part. done says that the command ends here.
func (s *shell) step() (done bool, err error) {
	switch c := s.text[s.i]; c {
	case ' ', '\t':
		s.end()
	case '\n':
		return s.newline()
	case '\\':
		s.backslash()
	case '\'':
		return false, s.single()
	case '"':
		return false, s.double()
	case '$', '`':
		return false, s.dollar()
	case '#':
		if !s.open {
			s.skipLine()
			return false, nil
		}
		s.put(c)
	case '|', '&', ';', '<', '>', '(', ')':
		return s.operator(c)
	default:
		if err := s.typographic(); err != nil {
			return false, err
		}
		s.put(c)
	}
	s.i++
	return false, nil
}

// newline ends the command, unless nothing came before it.
func (s *shell) newline() (done bool, err error) {
	s.end()
	s.i++
	s.line++
	rest := strings.TrimLeft(s.text[s.i:], " \t\n")
	switch {
	case rest == "" || len(s.words) == 0:
		return false, nil
	case rest[0] == '-' || strings.HasPrefix(rest, "http://") || strings.HasPrefix(rest, "https://"):
		return false, s.wrong("a shell ends the command before this line", `end the line before it with a \`)
	}
	s.notes = append(s.notes, "only the first command was read")
	return true, nil
}

// backslash keeps the next byte as it is; before a line end it joins lines.
func (s *shell) backslash() {
	s.i++
	switch s.peek(0) {
	case 0: // at the very end of a paste: a continuation of nothing
		if s.i < len(s.text) {
			s.put(0)
		}
	case '\n':
		s.line++
	default:
		s.put(s.text[s.i])
	}
}

func (s *shell) single() error {
	end := strings.IndexByte(s.text[s.i+1:], '\'')
	if end < 0 {
		return s.wrong("the quote ' is not closed", "close it, and write a ' within it as '\\''")
	}
	quoted := s.text[s.i+1 : s.i+1+end]
	s.word, s.open = append(s.word, quoted...), true
	s.line += strings.Count(quoted, "\n")
	s.i += end + 2
	return nil
}

func (s *shell) double() error {
	begin := s.line
	s.open = true
	for s.i++; s.i < len(s.text); s.i++ {
		c := s.text[s.i]
		switch {
		case c == '"':
			s.i++
			return nil
		case c == '$' && expands(s.peek(1)) || c == '`':
			return s.expansion()
		case c == '\\' && s.peek(1) == '\n':
			s.i++
			s.line++
			continue
		case c == '\\' && s.peek(1) != 0 && strings.IndexByte("$`\"\\", s.peek(1)) >= 0:
			s.i++
			c = s.text[s.i]
		case c == '\n':
			s.line++
		}
		s.put(c)
	}
	s.line = begin
	return s.wrong(`the quote " is not closed`, `close it, and write a " within it as \"`)
}

// expands reports whether a $ before c makes a shell replace something.
func expands(c byte) bool {
	return c == '{' || c == '(' || c == '_' || 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' ||
		c != 0 && strings.IndexByte("@*#?!-$", c) >= 0
}

func (s *shell) expansion() error {
	return s.wrong("a shell would replace a variable or a command here, and nothing is run or looked up",
		"expand it first, or put it into '…' if it is meant as it stands")
}
