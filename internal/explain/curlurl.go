package explain

import (
	"net/netip"
	"net/url"
	"strings"
)

// address is a URL taken apart as curl does.
type address struct {
	scheme   string
	user     string // user:password, decoded
	hasUser  bool
	host     string // with a port that is not the scheme's own
	path     string
	query    string
	hasQuery bool
	at       int // place of the URL
}

// parseURL takes a URL of the command apart; see "URL syntax and their use in
// curl" in curl's documentation. An error never repeats a part of the URL.
func (c *curl) parseURL(u located) (*address, error) {
	text, err := c.unglob(u)
	if err != nil {
		return nil, err
	}
	for i := 0; i < len(text); i++ {
		if text[i] <= ' ' || text[i] == 0x7f {
			return nil, wrong(word(u.at), "the URL holds a space or a control character, which curl refuses", "write a space as %20")
		}
	}
	a, err := splitURL(text, c.scheme, word(u.at))
	if err != nil {
		return nil, err
	}
	a.at = u.at
	return a, nil
}

// splitURL takes a URL apart; scheme is that of a URL without one.
func splitURL(text, scheme, where string) (*address, error) {
	a := &address{scheme: scheme}
	if s, rest, ok := cutScheme(text); ok {
		a.scheme, text = strings.ToLower(s), rest
	}
	if a.scheme != "http" && a.scheme != "https" {
		return nil, wrong(where, "the URL has a scheme other than http and https", "the edge speaks no other")
	}
	text, _, _ = strings.Cut(text, "#")
	end := strings.IndexAny(text, "/?")
	if end < 0 {
		end = len(text)
	}
	a.path, a.query, a.hasQuery = strings.Cut(text[end:], "?")
	authority := text[:end]
	if strings.Count(authority, "@") > 1 {
		return nil, wrong(where, "the URL holds more than one @ before the path", "write an @ of the password as %40")
	}
	if user, host, ok := strings.Cut(authority, "@"); ok {
		name, password, _ := strings.Cut(user, ":")
		a.user, a.hasUser, authority = unescape(name)+":"+unescape(password), true, host
	}
	var err error
	a.host, err = hostport(authority, a.scheme, where)
	return a, err
}

// cutScheme splits off a scheme. curl forgives one to three slashes after it.
func cutScheme(s string) (scheme, rest string, ok bool) {
	scheme, rest, ok = strings.Cut(s, ":/")
	if !ok || scheme == "" || strings.ContainsFunc(scheme, func(r rune) bool {
		return (r|0x20 < 'a' || r|0x20 > 'z') && (r < '0' || r > '9') && r != '+' && r != '-' && r != '.'
	}) {
		return "", "", false
	}
	for range 2 {
		rest = strings.TrimPrefix(rest, "/")
	}
	return scheme, rest, true
}

// unescape decodes percent escapes and leaves those that are none.
func unescape(s string) string {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			hi, ok := digit(s[i+1])
			lo, ok2 := digit(s[i+2])
			if ok && ok2 {
				out = append(out, byte(hi<<4|lo))
				i += 2
				continue
			}
		}
		out = append(out, s[i])
	}
	return string(out)
}

// unglob does what curl does to braces and brackets, as far as one URL stays one.
func (c *curl) unglob(u located) (string, error) {
	if c.globoff {
		return u.text, nil
	}
	const cure = "add -g (--globoff) if it is meant as it stands, or write the value"
	out := make([]byte, 0, len(u.text))
	for i := 0; i < len(u.text); i++ {
		b := u.text[i]
		switch {
		case b == '\\' && i+1 < len(u.text) && strings.IndexByte("{}[]", u.text[i+1]) >= 0:
			i++
			b = u.text[i]
		case b == '[' && strings.HasPrefix(u.text[i:], "[]"):
			out = append(out, '[')
			i++
			b = ']'
		case b == '[':
			end := strings.IndexByte(u.text[i:], ']')
			if end < 0 || !ipv6Literal(u.text[i+1:i+end]) {
				return "", wrong(word(u.at), "curl takes a [ in a URL for a range", cure)
			}
			out = append(out, u.text[i:i+end]...)
			i += end
			b = ']'
		case b == '{':
			return "", wrong(word(u.at), "curl takes a { in a URL for a list", cure)
		case b == '}' || b == ']':
			return "", wrong(word(u.at), "curl refuses a "+string(b)+" without its opening in a URL", cure)
		}
		out = append(out, b)
	}
	return string(out), nil
}

func ipv6Literal(s string) bool {
	s, _, _ = strings.Cut(s, "%")
	ip, err := netip.ParseAddr(s)
	return err == nil && ip.Is6()
}

func (a *address) addQuery(q string) {
	if a.query != "" {
		a.query += "&"
	}
	a.query, a.hasQuery = a.query+q, a.hasQuery || q != ""
}

// addFile appends the name of an uploaded file to a path that ends in a slash.
func (a *address) addFile(file string) {
	if file == "-" || file == "." || !strings.HasSuffix(a.path, "/") && a.path != "" {
		return
	}
	if a.path == "" {
		a.path = "/"
	}
	name := file[strings.LastIndexAny(file, `/\`)+1:]
	a.path += strings.ReplaceAll(url.QueryEscape(name), "+", "%20")
}

// target is the request-target: curl removes dot segments unless told not to,
// and escapes what is not ASCII in the path, not in the query.
func (a *address) target(asIs bool, in *Input) (string, error) {
	path := a.path
	if path == "" {
		path = "/"
	}
	if !asIs {
		if clean := removeDots(path); clean != path {
			path = clean
			in.note("curl removes the . and .. from the path; --path-as-is keeps them")
		}
		if low := strings.ToLower(path); strings.Contains(low, "/%2e") || strings.Contains(low, "/.%2e") {
			in.note("newer versions of curl also remove %%2e segments from the path; --path-as-is keeps them")
		}
	}
	path = escapeHigh(path)
	if !a.hasQuery {
		return path, nil
	}
	for i := 0; i < len(a.query); i++ {
		switch b := a.query[i]; {
		case b <= ' ' || b == 0x7f:
			return "", wrong(word(a.at), "the query holds a space or a control character, which curl refuses", "use --data-urlencode")
		case b >= 0x80:
			in.note("curl sends the query's letters outside ASCII as they are, which HTTP does not allow; --data-urlencode escapes them")
		}
	}
	return path + "?" + a.query, nil
}

func escapeHigh(s string) string {
	const capitals = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] < 0x80 {
			b.WriteByte(s[i])
			continue
		}
		b.Write([]byte{'%', capitals[s[i]>>4], capitals[s[i]&15]})
	}
	return b.String()
}

// removeDots removes dot segments (RFC 3986 section 5.2.4) and, unlike the
// normal form of package route, leaves repeated slashes.
func removeDots(path string) string {
	var out []string
	segments := strings.Split(path[1:], "/")
	for i, s := range segments {
		last := i == len(segments)-1
		switch {
		case s == "." && last:
			out = append(out, "")
		case s == ".":
		case s == "..":
			if len(out) > 0 {
				out = out[:len(out)-1]
			}
			if last {
				out = append(out, "")
			}
		default:
			out = append(out, s)
		}
	}
	return "/" + strings.Join(out, "/")
}
