package credential

import (
	"unicode/utf16"
	"unicode/utf8"

	"github.com/homeward/homeward/cell"
)

// maxDepth bounds how deep a JSON value may nest.
const maxDepth = 64

// jsonField is what the top level of a JSON object says under one key.
type jsonField struct {
	count   int // how often the key stands there
	strings int // how often with a string as its value
	value   jsonString
}

// jsonString takes in a string of JSON, unescaped. It keeps no more of it than a
// cell name needs.
type jsonString struct {
	want    string // to compare with
	differs bool
	kept    [cell.MaxNameLen]byte
	n       int // bytes taken in
}

func (s *jsonString) put(b byte) {
	if s.n >= len(s.want) || s.want[s.n] != b {
		s.differs = true
	}
	if s.n < len(s.kept) {
		s.kept[s.n] = b
	}
	s.n++
}

func (s *jsonString) putRune(r rune) {
	var buf [utf8.UTFMax]byte
	for _, b := range buf[:utf8.EncodeRune(buf[:], r)] {
		s.put(b)
	}
}

// wanted reports whether the whole string was the one to compare with.
func (s *jsonString) wanted() bool { return !s.differs && s.n == len(s.want) }

// cell reads the whole string as a cell name.
func (s *jsonString) cell() (cell.Name, bool) {
	if s.n > len(s.kept) {
		return cell.Name{}, false
	}
	name, n := cell.ScanName(s.kept[:s.n])
	return name, n > 0 && n == s.n
}

// jsonText reads JSON (RFC 8259) out of base64url byte by byte, without
// allocating. Its methods return false at the first byte that is not JSON; like
// encoding/json they let invalid UTF-8 inside strings pass.
type jsonText struct {
	src  base64url
	pos  int // of the byte after the window
	i, n int // next byte and end of the window
	c    int // byte to look at, -1 at the end
	deep bool
	buf  [48]byte // the window
}

// scanJSON reads src as one JSON object and finds a key at its top level. The
// Reason is 0, BadPayload or TooDeep.
func scanJSON(src base64url, key string) (jsonField, Reason) {
	t := jsonText{src: src}
	t.next()
	t.space()
	var f jsonField
	switch {
	case t.c == '{' && t.object(&f, key, 1) && t.c < 0:
		return f, 0
	case t.deep:
		return jsonField{}, TooDeep
	}
	return jsonField{}, BadPayload
}

func (t *jsonText) next() {
	if t.i == t.n {
		t.n = t.src.copyTo(t.buf[:], t.pos)
		t.pos, t.i = t.pos+t.n, 0
		if t.n == 0 {
			t.c = -1
			return
		}
	}
	t.c = int(t.buf[t.i])
	t.i++
}

func (t *jsonText) space() {
	for t.c == ' ' || t.c == '\n' || t.c == '\r' || t.c == '\t' {
		t.next()
	}
}

// take passes over c and the space around it, if c is there.
func (t *jsonText) take(c int) bool {
	t.space()
	if t.c != c {
		return false
	}
	t.next()
	t.space()
	return true
}

// object passes over an object. With a field to fill it looks for key.
func (t *jsonText) object(f *jsonField, key string, depth int) bool {
	if !t.take('{') {
		return false
	}
	if t.take('}') {
		return true
	}
	for {
		name := jsonString{want: key}
		if !t.str(&name) || !t.take(':') {
			return false
		}
		found := f != nil && name.wanted()
		if found {
			f.count++
		}
		if found && t.c == '"' {
			f.strings++
			f.value = jsonString{}
			if !t.str(&f.value) {
				return false
			}
		} else if !t.value(depth) {
			return false
		}
		if !t.take(',') {
			return t.take('}')
		}
	}
}

// value passes over any value inside depth objects and arrays.
func (t *jsonText) value(depth int) bool {
	switch {
	case t.c == '"':
		return t.str(&jsonString{})
	case t.c == '{' || t.c == '[':
		if depth == maxDepth {
			t.deep = true
			return false
		}
		if t.c == '{' {
			return t.object(nil, "", depth+1)
		}
		return t.array(depth + 1)
	case t.c == 't':
		return t.literal("true")
	case t.c == 'f':
		return t.literal("false")
	case t.c == 'n':
		return t.literal("null")
	}
	return t.number()
}

func (t *jsonText) array(depth int) bool {
	if !t.take('[') {
		return false
	}
	if t.take(']') {
		return true
	}
	for {
		if !t.value(depth) {
			return false
		}
		if !t.take(',') {
			return t.take(']')
		}
	}
}

func (t *jsonText) literal(word string) bool {
	for i := 0; i < len(word); i++ {
		if t.c != int(word[i]) {
			return false
		}
		t.next()
	}
	return true
}

// number passes over a number, RFC 8259 section 6.
func (t *jsonText) number() bool {
	if t.c == '-' {
		t.next()
	}
	if t.c == '0' {
		t.next()
	} else if !t.digits() {
		return false
	}
	if t.c == '.' {
		t.next()
		if !t.digits() {
			return false
		}
	}
	if t.c == 'e' || t.c == 'E' {
		t.next()
		if t.c == '+' || t.c == '-' {
			t.next()
		}
		return t.digits()
	}
	return true
}

func (t *jsonText) digits() bool {
	ok := false
	for '0' <= t.c && t.c <= '9' {
		ok = true
		t.next()
	}
	return ok
}

// str reads a string into s. As in encoding/json a half surrogate pair stands
// for U+FFFD.
func (t *jsonText) str(s *jsonString) bool {
	if t.c != '"' {
		return false
	}
	var half rune // high surrogate that waits for its low one
	for {
		t.next()
		c := t.c
		switch {
		case c == '"':
			s.endHalf(half)
			t.next()
			return true
		case c < ' ':
			return false
		case c == '\\':
			t.next()
			if t.c == 'u' {
				r, ok := t.hex4()
				if !ok {
					return false
				}
				half = s.putUTF16(half, r)
				continue
			}
			if c = unescape(t.c); c == 0 {
				return false
			}
		}
		s.endHalf(half)
		half = 0
		s.put(byte(c))
	}
}

// hex4 reads the digits after \u; the last of them stays to look at.
func (t *jsonText) hex4() (rune, bool) {
	var r rune
	for range 4 {
		t.next()
		switch {
		case '0' <= t.c && t.c <= '9':
			r = r<<4 | rune(t.c-'0')
		case 'a' <= t.c|0x20 && t.c|0x20 <= 'f' && t.c > 0:
			r = r<<4 | rune(t.c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// putUTF16 takes in the code unit r after a high surrogate, if half is not 0,
// and returns the high surrogate that now waits.
func (s *jsonString) putUTF16(half, r rune) rune {
	if pair := utf16.DecodeRune(half, r); half != 0 && pair != utf8.RuneError {
		s.putRune(pair)
		return 0
	}
	s.endHalf(half)
	if r >= 0xd800 && r < 0xdc00 {
		return r
	}
	s.putRune(r) // a low surrogate alone is written as U+FFFD
	return 0
}

// endHalf ends a surrogate pair that has no second half.
func (s *jsonString) endHalf(half rune) {
	if half != 0 {
		s.putRune(utf8.RuneError)
	}
}

// unescape is the byte that \c stands for, 0 if there is none.
func unescape(c int) int {
	switch c {
	case '"', '\\', '/':
		return c
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return 0
}
