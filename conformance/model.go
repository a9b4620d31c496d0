package conformance

import (
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Request is a request that a Model read. Its strings have a character for each
// byte, U+0000 to U+00FF.
type Request struct{ Method, Target, Body string }

// Model reads requests by the rules of framing.json in the plainest way there is,
// by regular expressions over bytes that have all come: for tests, to compare a
// parser with. It is slow, and says nothing of how a parser should be made.
type Model struct {
	Requests []Request // read whole, in order
	Refused  bool      // what follows them breaks a rule, as far as it is whole
	Closed   bool      // what follows them is not read

	rest string
}

// The parts of a message. A dot is nowhere used, so that each class tells what it takes.
const (
	token     = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+"
	text      = `[\t\x20-\x7e\x{80}-\x{ff}]*`
	quoted    = `"(?:[\t\x20\x21\x23-\x5b\x5d-\x7e\x{80}-\x{ff}]|\\[\t\x20-\x7e\x{80}-\x{ff}])*"`
	blank     = `[\t ]*`
	extension = `;` + blank + token + `(?:` + blank + `=` + blank + `(?:` + token + `|` + quoted + `))?`
	fields    = `((?:` + token + `:` + text + `\r\n)*)\r\n`
)

var (
	headShape   = regexp.MustCompile(`^(` + token + `) ([\x21\x22\x24-\x7e]+) HTTP/1\.([01])\r\n` + fields)
	chunkShape  = regexp.MustCompile(`^([0-9A-Fa-f]{1,15})((?:` + extension + `(?:` + blank + extension + `)*)?)\r\n`)
	fieldsShape = regexp.MustCompile(`^` + fields)
	hostShape   = regexp.MustCompile(`^(?:[A-Za-z0-9._-]{1,255}|\[([0-9A-Fa-f:.]+)\])(?::[0-9]{0,5})?$`)
	targetShape = regexp.MustCompile(`^[Hh][Tt][Tt][Pp][Ss]?://([^/?]+)`)
	lengthShape = regexp.MustCompile(`^(?:[1-9][0-9]{0,17}|0{0,17}[0-7])$`)
	notLetters  = regexp.MustCompile(`[^0-9A-Za-z]`)
	tokenShape  = regexp.MustCompile(`^` + token + `$`)
)

// Limits of what a Model reads.
const (
	maxHead    = 32 << 10
	maxFields  = 100
	maxLine    = 256
	maxTrailer = 8 << 10
	maxExcess  = 8 << 10
	maxEmpty   = 7
	maxOptions = 100
)

// ReadModel reads a stream.
func ReadModel(stream []byte) *Model {
	runes := make([]rune, len(stream))
	for i, b := range stream {
		runes[i] = rune(b)
	}
	// Bytes are compared as characters, so positions are those of characters too.
	m := &Model{rest: string(runes)}
	for !m.Refused && !m.Closed && m.request() {
	}
	return m
}

// request reads one request and reports whether another may follow. It returns
// false too when the request is not whole.
func (m *Model) request() bool {
	for empty := 0; strings.HasPrefix(m.rest, "\r\n"); empty++ {
		if empty == maxEmpty {
			return m.refuse()
		}
		m.rest = m.rest[2:]
	}
	head := headShape.FindStringSubmatch(m.rest)
	if head == nil || size(head[0]) > maxHead {
		return m.incomplete("\r\n\r\n", maxHead)
	}
	m.rest = m.rest[len(head[0]):]
	f, ok := lines(head[4], maxFields)
	if !ok || head[1] == "CONNECT" || !f.host(head[1], head[2], head[3]) {
		return m.refuse()
	}
	length, chunked, closes, ok := f.framing(head[3])
	if !ok {
		return m.refuse()
	}
	body := ""
	if chunked {
		if body, ok = m.chunks(); !ok {
			return false
		}
	} else if body, ok = m.take(length); !ok {
		return false
	}
	m.Requests = append(m.Requests, Request{head[1], head[2], body})
	m.Closed = closes
	return true
}

func (m *Model) refuse() bool {
	m.Refused = true
	return false
}

// incomplete is for what does not match: it breaks a rule if it is whole, or too long.
func (m *Model) incomplete(end string, limit int) bool {
	i := strings.Index(m.rest, end)
	m.Refused = i >= 0 || size(m.rest) > limit
	return false
}

func size(s string) int { return len([]rune(s)) }

// take takes so many bytes of content.
func (m *Model) take(n int64) (string, bool) {
	runes := []rune(m.rest)
	if int64(len(runes)) < n {
		return "", false
	}
	content := string(runes[:n])
	m.rest = m.rest[len(content):]
	return content, true
}

// chunks reads a chunked body to its end.
func (m *Model) chunks() (string, bool) {
	var content strings.Builder
	for excess := 0; ; {
		line := chunkShape.FindStringSubmatch(m.rest)
		if line == nil || size(line[0]) > maxLine {
			return "", m.incomplete("\n", maxLine)
		}
		n, _ := strconv.ParseInt(line[1], 16, 64) // 15 digits fit
		if excess = int(max(0, int64(excess+size(line[2]))-n)); excess > maxExcess {
			return "", m.refuse()
		}
		m.rest = m.rest[len(line[0]):]
		if n == 0 {
			return content.String(), m.trailer()
		}
		piece, ok := m.take(n)
		if !ok {
			return "", false
		}
		content.WriteString(piece)
		if size(m.rest) < 2 {
			return "", false
		}
		if !strings.HasPrefix(m.rest, "\r\n") {
			return "", m.refuse()
		}
		m.rest = m.rest[2:]
	}
}

func (m *Model) trailer() bool {
	block := fieldsShape.FindStringSubmatch(m.rest)
	if block == nil || size(block[0]) > maxTrailer {
		return m.incomplete("\r\n\r\n", maxTrailer)
	}
	m.rest = m.rest[len(block[0]):]
	f, ok := lines(block[1], maxFields)
	if !ok || slices.ContainsFunc(f, func(line [2]string) bool { return inHeadOnly(line[0]) }) {
		return m.refuse()
	}
	return true
}

// fieldLines are names in small letters, with their values.
type fieldLines [][2]string

func lines(block string, limit int) (fieldLines, bool) {
	var f fieldLines
	for line := range strings.SplitSeq(strings.TrimSuffix(block, "\r\n"), "\r\n") {
		if name, value, ok := strings.Cut(line, ":"); ok {
			f = append(f, [2]string{asciiLower(name), strings.Trim(value, " \t")})
		}
	}
	return f, len(f) <= limit
}

// asciiLower leaves what is no ASCII letter as it is.
func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

func (f fieldLines) all(name string) (values []string) {
	for _, line := range f {
		if line[0] == name {
			values = append(values, line[1])
		}
	}
	return values
}

// host checks Host and what of the target depends on it.
func (f fieldLines) host(method, target, minor string) bool {
	hosts, host := f.all("host"), ""
	if len(hosts) > 1 || len(hosts) == 0 && minor == "1" {
		return false
	}
	if len(hosts) == 1 {
		host = hosts[0]
		shape := hostShape.FindStringSubmatch(host)
		if shape == nil {
			return false
		}
		if a, err := netip.ParseAddr(shape[1]); shape[1] != "" && (err != nil || !a.Is6()) {
			return false
		}
	}
	if strings.HasPrefix(target, "/") || target == "*" && method == "OPTIONS" {
		return true
	}
	absolute := targetShape.FindStringSubmatch(target)
	return absolute != nil && asciiLower(absolute[1]) == asciiLower(host)
}

// framing tells where the body ends, and whether the connection ends behind it.
func (f fieldLines) framing(minor string) (length int64, chunked, closes, ok bool) {
	for _, line := range f {
		letters := notLetters.ReplaceAllString(line[0], "")
		if letters == "contentlength" && line[0] != "content-length" || letters == "transferencoding" && line[0] != "transfer-encoding" {
			if len(line[0]) <= 32 {
				return 0, false, false, false
			}
		}
	}
	lengths, codings := f.all("content-length"), f.all("transfer-encoding")
	switch {
	case len(lengths)+len(codings) > 1, len(codings) == 1 && (asciiLower(codings[0]) != "chunked" || minor == "0"):
		return 0, false, false, false
	case len(lengths) == 1 && !lengthShape.MatchString(lengths[0]):
		return 0, false, false, false
	case len(lengths) == 1:
		length, _ = strconv.ParseInt(lengths[0], 10, 64) // 18 digits fit
	}
	closes, ok = f.connection(minor)
	return length, len(codings) == 1, closes, ok
}

// connection reads the options of Connection.
func (f fieldLines) connection(minor string) (closes, ok bool) {
	var options []string
	for option := range strings.SplitSeq(strings.Join(f.all("connection"), ","), ",") {
		if option = strings.Trim(option, " \t"); option != "" {
			options = append(options, asciiLower(option))
		}
	}
	for _, option := range options {
		if !tokenShape.MatchString(option) {
			return false, false
		}
	}
	closes = slices.Contains(options, "close") || minor == "0" && !slices.Contains(options, "keep-alive")
	return closes, len(options) <= maxOptions
}

// inHeadOnly reports whether a name must not stand in a trailer.
func inHeadOnly(name string) bool {
	switch strings.ReplaceAll(name, "_", "-") {
	case "content-length", "transfer-encoding", "host", "trailer", "connection", "keep-alive", "proxy-connection", "te", "upgrade",
		"authorization", "cookie", "set-cookie", "proxy-authorization", "proxy-authenticate", "www-authenticate",
		"content-encoding", "content-range", "range", "expect", "max-forwards":
		return true
	}
	letters := notLetters.ReplaceAllString(name, "")
	return len(name) <= 32 && (letters == "contentlength" || letters == "transferencoding")
}
