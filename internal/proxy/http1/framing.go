package http1

import "strings"

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
// where it ends is refused.
func (f *Framing) frame(fields []Field, minor int) error {
	f.Length = -1
	lengths, codings, options := 0, 0, 0
	closes, keeps := false, false
	for _, field := range fields {
		switch len(field.Name) {
		case len("Content-Length"):
			if strings.EqualFold(field.Name, "Content-Length") {
				n, ok := parseLength(field.Value)
				if !ok {
					return syntax("Content-Length is not one whole number")
				}
				f.Length = n
				lengths++
			}
		case len("Transfer-Encoding"):
			if strings.EqualFold(field.Name, "Transfer-Encoding") {
				if !strings.EqualFold(field.Value, "chunked") {
					return syntax("Transfer-Encoding is other than a single chunked")
				}
				f.Chunked = true
				codings++
			}
		case len("Connection"):
			if strings.EqualFold(field.Name, "Connection") {
				Elements(field.Value, func(option string) bool {
					options++
					closes = closes || strings.EqualFold(option, "close")
					keeps = keeps || strings.EqualFold(option, "keep-alive")
					return options <= maxOptions
				})
			}
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

// parseLength reads digits only: no sign, no list, no overflow.
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
	return n, true
}
