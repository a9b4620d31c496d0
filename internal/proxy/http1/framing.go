package http1

// Framing says how the body of a message is delimited and whether the
// connection goes on after it (RFC 9112 sections 6 and 9).
type Framing struct {
	Length  int64 // of the body; -1 when it is not declared
	Chunked bool
	Close   bool // the sender ends the connection after this message
}

// maxOptions bounds the options of Connection: each may name a field, and is looked
// for among all of them.
const maxOptions = 100

// frame reads the framing fields. A message with two answers to the question
// where it ends is refused, and one with a field that another reader could take
// for a framing field.
func (f *Framing) frame(fields []Field, minor int) error {
	f.Length = -1
	lengths, codings, options := 0, 0, 0
	closes, keeps := false, false
	for _, field := range fields {
		switch name := field.Name; {
		case Same(name, "Content-Length"):
			n, ok := parseLength(field.Value)
			if !ok {
				return syntax("Content-Length is not one whole number")
			}
			f.Length = n
			lengths++
		case Same(name, "Transfer-Encoding"):
			if !Same(field.Value, "chunked") {
				return syntax("Transfer-Encoding is other than a single chunked")
			}
			f.Chunked = true
			codings++
		case Same(name, "Connection"):
			well := Elements(field.Value, func(option string) bool {
				options++
				closes = closes || Same(option, "close")
				keeps = keeps || Same(option, "keep-alive")
				return options <= maxOptions && isToken(option)
			})
			if !well && options <= maxOptions {
				return syntax("Connection lists an option with a character that is not allowed")
			}
		case disguised(name):
			return syntax("a header name is Content-Length or Transfer-Encoding but for what stands between its words")
		}
	}
	f.Close = closes || minor == 0 && !keeps
	switch {
	case lengths > 1:
		return syntax("Content-Length stands twice")
	case codings > 1:
		return syntax("Transfer-Encoding stands twice")
	case lengths > 0 && codings > 0:
		return syntax("Content-Length and Transfer-Encoding stand together")
	case codings > 0 && minor == 0:
		return syntax("Transfer-Encoding stands in an HTTP/1.0 message")
	case options > maxOptions:
		return syntax("Connection lists more than 100 options")
	}
	return nil
}

// Same compares a name or a word of the protocol without case, in ASCII alone:
// strings.EqualFold takes the Kelvin sign for a k, and a long s for an s.
func Same(s, word string) bool {
	if len(s) != len(word) {
		return false
	}
	if s == word { // as most spell it
		return true
	}
	for i := 0; i < len(s); i++ {
		if lower(s[i]) != lower(word[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}

// disguised reports whether a name has the letters of a framing field, and
// something else than its hyphen between or around them, as Content_Length, which
// CGI and what descends from it cannot tell from the field itself.
func disguised(name string) bool {
	const shortest, longest = len("ContentLength"), 32
	if len(name) < shortest || len(name) > longest {
		return false
	}
	return !Same(name, "Content-Length") && spells(name, "contentlength") ||
		!Same(name, "Transfer-Encoding") && spells(name, "transferencoding")
}

// spells reports whether the letters of a name are those of a word in small
// letters, and nothing else in it is a digit.
func spells(name, word string) bool {
	at := 0
	for i := 0; i < len(name); i++ {
		switch c := lower(name[i]); {
		case at < len(word) && c == word[at]:
			at++
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
			return false
		}
	}
	return at == len(word)
}

// parseLength reads digits only: no sign, no list, no overflow. A number that
// starts with 0 must be the same in octal, as which C's strtol may read it.
func parseLength(s string) (int64, bool) {
	if s == "" || len(s) > 18 {
		return 0, false
	}
	var n int64
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int64(s[i]-'0')
	}
	if s[0] == '0' && n > 7 {
		return 0, false
	}
	return n, true
}
