package explain

import (
	"strings"
	"unicode/utf8"
)

// dollar reads $'…' and $"…", and refuses what a shell would expand.
func (s *shell) dollar() error {
	switch {
	case s.text[s.i] == '`':
		return s.expansion()
	case s.peek(1) == '\'':
		s.i += 2
		return s.ansi()
	case s.peek(1) == '"': // a translated string: without a catalogue it is itself
		s.i++
		return s.double()
	case expands(s.peek(1)):
		return s.expansion()
	}
	s.put('$')
	s.i++
	return nil
}

// ansiEscapes holds the single-letter escapes of $'…'.
var ansiEscapes = map[byte]byte{
	'a': 7, 'b': 8, 'e': 27, 'E': 27, 'f': 12, 'n': '\n', 'r': '\r', 't': '\t', 'v': 11,
	'\\': '\\', '\'': '\'', '"': '"', '?': '?',
}

// ansi reads the rest of a $'…', in which browsers write what they copy as
// curl for bash.
func (s *shell) ansi() error {
	begin := s.line
	s.open = true
	for ; s.i < len(s.text); s.i++ {
		switch c := s.text[s.i]; {
		case c == '\'':
			s.i++
			return nil
		case c == '\\' && s.i+1 < len(s.text):
			s.i++
			s.ansiEscape()
		default:
			if c == '\n' {
				s.line++
			}
			s.put(c)
		}
	}
	s.line = begin
	return s.wrong("the quote $' is not closed", `close it, and write a ' within it as \'`)
}

// ansiEscape reads what follows a backslash and leaves s.i at its last byte.
func (s *shell) ansiEscape() {
	c := s.text[s.i]
	if b, ok := ansiEscapes[c]; ok {
		s.put(b)
		return
	}
	switch c {
	case 'x':
		s.number(1, 2, 16, false)
	case 'u':
		s.number(1, 4, 16, true)
	case 'U':
		s.number(1, 8, 16, true)
	case '0', '1', '2', '3', '4', '5', '6', '7':
		s.number(0, 3, 8, false)
	case 'c':
		if s.i+1 < len(s.text) {
			s.i++
			s.put(s.text[s.i] & 0x1f)
		}
	default:
		s.put('\\')
		s.put(c)
	}
}

// number reads up to limit digits from skip bytes ahead: a byte or a code point.
func (s *shell) number(skip, limit, base int, codepoint bool) {
	letter := s.text[s.i]
	n, digits := 0, 0
	for digits < limit {
		d, ok := digit(s.peek(skip + digits))
		if !ok || d >= base {
			break
		}
		n = n*base + d
		digits++
	}
	if digits == 0 {
		s.put('\\')
		s.put(letter)
		return
	}
	s.i += skip + digits - 1
	if codepoint {
		s.word, s.open = utf8.AppendRune(s.word, rune(n)), true
		return
	}
	s.put(byte(n))
}

func digit(c byte) (int, bool) {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0'), true
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10, true
	}
	return 0, false
}

// typographic finds quotes and dashes that a text processor made.
func (s *shell) typographic() error {
	if s.text[s.i] != 0xe2 {
		return nil
	}
	for _, q := range []string{"“", "”", "‘", "’"} {
		if strings.HasPrefix(s.text[s.i:], q) {
			return s.wrong("a typographic quote stands where a shell wants a plain one", `write " or '`)
		}
	}
	for _, d := range []string{"–", "—"} {
		if !s.open && strings.HasPrefix(s.text[s.i:], d) {
			return s.wrong("a long dash stands where an option begins", "write - or --")
		}
	}
	return nil
}

// operator reads what ends or redirects a command.
func (s *shell) operator(c byte) (done bool, err error) {
	inWord := s.open
	before := string(s.word)
	switch c {
	case '<':
		return false, s.wrong("input from a file or here-document is not read", "write the data into the command, as in -d '…'")
	case '(', ')':
		return false, s.wrong("a parenthesis outside quotes means something to a shell", "put the word into '…'")
	case '>':
		descriptor := before == "1" || before == "2" || before == ""
		if !descriptor {
			return false, s.wrong("a > outside quotes sends the output to a file", "put the word into '…'")
		}
		s.word, s.open = s.word[:0], false
		return false, s.redirect()
	}
	next := s.peek(1)
	if c == '&' && next == '>' {
		s.i++
		return false, s.redirect()
	}
	if inWord && next != 0 && next != ' ' && next != '\n' && next != '\t' && next != c {
		return false, s.wrong("a "+string(c)+" outside quotes ends the command in a shell", "put the URL into '…'")
	}
	s.end()
	if rest := strings.TrimLeft(s.text[s.i:], "&|; \t\n"); rest != "" {
		s.notes = append(s.notes, "only the first command was read")
	}
	return len(s.words) > 0, s.skipOperator()
}

// skipOperator steps over an operator before the first word, so that reading goes on.
func (s *shell) skipOperator() error {
	s.i++
	return nil
}

// redirect steps over > FILE, >> FILE and >&1.
func (s *shell) redirect() error {
	for s.i < len(s.text) && strings.IndexByte(">&", s.text[s.i]) >= 0 {
		s.i++
	}
	for s.i < len(s.text) && (s.text[s.i] == ' ' || s.text[s.i] == '\t') {
		s.i++
	}
	for s.i < len(s.text) && strings.IndexByte(" \t\n|&;<>", s.text[s.i]) < 0 {
		s.i++
	}
	return nil
}

func (s *shell) skipLine() {
	for s.i < len(s.text) && s.text[s.i] != '\n' {
		s.i++
	}
}
