package explain

import "strings"

// isCmd reports whether a line was copied for cmd.exe: it escapes quotes with
// carets, or joins lines with them.
func isCmd(line string) bool {
	return strings.Contains(line, `^"`) || strings.Contains(line, "^\n") || strings.Contains(line, "^\r\n")
}

// splitCmd splits a line as cmd.exe and then the C runtime of Windows do.
func splitCmd(line string) ([]string, error) {
	words, ok := splitArgv(uncaret(strings.ReplaceAll(line, "\r\n", "\n")))
	if !ok {
		return nil, wrong("", `the quote " is not closed`, `close it with ^" or "`)
	}
	return words, nil
}

// uncaret does what cmd.exe does to carets: outside of its own quotes a caret
// keeps the next character as it is, and joins lines. An escaped quote does not
// open quotes for cmd.exe.
func uncaret(line string) string {
	out := make([]byte, 0, len(line))
	quoted := false
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case c == '^' && !quoted && i+1 < len(line):
			i++
			if line[i] == '\n' {
				i++ // the line end goes, and what follows it is as if escaped
			}
			if i < len(line) {
				out = append(out, line[i])
			}
			continue
		case c == '"':
			quoted = !quoted
		case c == '\n':
			quoted = false
		}
		out = append(out, c)
	}
	return string(out)
}

// splitArgv splits as the C runtime of Windows does: quotes group, backslashes
// escape before a quote only, and "" within quotes is a quote.
func splitArgv(line string) (words []string, ok bool) {
	var w []byte
	open, quoted := false, false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\\':
			n := 0
			for i+n < len(line) && line[i+n] == '\\' {
				n++
			}
			open = true
			if i+n < len(line) && line[i+n] == '"' {
				w = append(w, strings.Repeat(`\`, n/2)...)
				if i += n - 1; n%2 == 1 {
					i++
					w = append(w, '"')
				}
				continue
			}
			w = append(w, strings.Repeat(`\`, n)...)
			i += n - 1
		case c == '"' && quoted && i+1 < len(line) && line[i+1] == '"':
			w = append(w, '"')
			i++
		case c == '"':
			quoted, open = !quoted, true
		case !quoted && (c == ' ' || c == '\t' || c == '\n'):
			if open {
				words = append(words, string(w))
			}
			w, open = w[:0], false
		default:
			w, open = append(w, c), true
		}
	}
	if open {
		words = append(words, string(w))
	}
	return words, !quoted && len(words) <= maxWords
}
