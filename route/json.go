package route

import (
	"bytes"
	"encoding/json"
	"strings"
)

// members folds in the declared members of a JSON object (RFC 8259). A body
// that is not valid JSON, or not an object, holds no credential; nor does a
// member that is not a string, though it counts when its name is repeated.
func (t *Table) members(f *findings, body []byte) {
	body = bytes.TrimPrefix(body, []byte("\ufeff")) // readers may ignore it: RFC 8259 section 8.1
	if !json.Valid(body) {
		return
	}
	// From here on the text is known to be valid, so every index is in it.
	s := strings.Trim(view(body), " \t\r\n")
	if s[0] != '{' {
		return
	}
	for at := skipSpace(s, 1); s[at] == '"'; {
		end := skipString(s, at)
		key := unquote(s[at:end])
		at = skipSpace(s, end)
		at = skipSpace(s, at+1) // past the colon
		end = skipValue(s, at)
		if src, ok := t.json.find(key); ok {
			t.member(f, src, s[at:end])
		}
		at = skipSpace(s, end)
		if s[at] == ',' {
			at = skipSpace(s, at+1)
		}
	}
}

func (t *Table) member(f *findings, src uint16, value string) {
	text := ""
	if value[0] == '"' {
		text = unquote(value)
	}
	t.once(f, src, text)
}

func skipSpace(s string, i int) int {
	for s[i] == ' ' || s[i] == '\t' || s[i] == '\r' || s[i] == '\n' {
		i++
	}
	return i
}

// skipString is the index after the string that starts at s[i].
func skipString(s string, i int) int {
	for i++; s[i] != '"'; i++ {
		if s[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// skipValue is the index after the value that starts at s[i].
func skipValue(s string, i int) int {
	for depth := 0; ; {
		switch s[i] {
		case '"':
			i = skipString(s, i)
		case '{', '[':
			depth++
			i++
		case '}', ']':
			depth--
			i++
		case ',', ':', ' ', '\t', '\r', '\n':
			i++
		default:
			for !strings.ContainsRune(",:]} \t\r\n", rune(s[i])) {
				i++
			}
		}
		if depth == 0 {
			return i
		}
	}
}

// unquote is the text of a valid JSON string. It allocates only for escapes.
func unquote(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s[1 : len(s)-1]
	}
	var text string
	if json.Unmarshal([]byte(s), &text) != nil {
		return ""
	}
	return text
}
