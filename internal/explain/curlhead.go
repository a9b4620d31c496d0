package explain

import (
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/homeward/homeward/route"
)

// userAgent stands for the one of the curl at hand, whose version is unknown.
const userAgent = "curl/8.0.0"

// boundary stands for the random one that curl makes.
const boundary = "------------------------0000000000000000"

// given reports whether the command has a header of this name of its own, be
// it to send, to send empty, or to remove.
func (c *curl) given(name string) (line string, ok bool) {
	for _, h := range c.headers {
		if len(h) > len(name) && strings.EqualFold(h[:len(name)], name) && (h[len(name)] == ':' || h[len(name)] == ';') {
			return h, true
		}
	}
	return "", false
}

// fields are the header lines in the order in which curl sends them.
func (c *curl) fields(a *address, in *Input) []route.Field {
	var out []route.Field
	own := func(name, value string) {
		if _, ok := c.given(name); !ok && value != "" {
			out = append(out, route.Field{Name: name, Value: value})
		}
	}
	out = c.host(out, a.host)
	own("Authorization", c.authorization(a, in))
	if c.span != "" {
		own("Range", "bytes="+c.span)
	}
	switch {
	case c.agent != "":
		own("User-Agent", c.agent)
	case !c.noAgent:
		own("User-Agent", userAgent)
	}
	if !c.json {
		own("Accept", "*/*")
	}
	if c.te {
		own("Connection", "TE")
		own("TE", "gzip")
	}
	if c.compressed {
		own("Accept-Encoding", "deflate, gzip, br, zstd")
	}
	own("Referer", c.referer)
	own("Cookie", strings.Join(c.cookies, "; "))
	if c.h2c && in.Scheme == "http" {
		out = append(out, route.Field{Name: "Connection", Value: "Upgrade, HTTP2-Settings"},
			route.Field{Name: "Upgrade", Value: "h2c"}, route.Field{Name: "HTTP2-Settings", Value: "AAMAAABkAAQCAAAAAAIAAAAA"})
	}
	out = c.custom(out)
	if c.json {
		own("Content-Type", "application/json")
		own("Accept", "application/json")
	}
	if in.HasBody {
		c.bodyFields(&out, in, own)
	}
	return out
}

// host is the Host line. A Host header of the command replaces it, the first
// one if there are more; curl never sends two.
func (c *curl) host(out []route.Field, host string) []route.Field {
	line, ok := c.given("Host")
	if !ok {
		return append(out, route.Field{Name: "Host", Value: host})
	}
	if f := field(line); f.Value != "" {
		return append(out, route.Field{Name: "Host", Value: f.Value})
	}
	if line[len("Host")] == ';' {
		return append(out, route.Field{Name: "Host"})
	}
	return out
}

// custom appends the headers of the command: "Name: value" as it is, "Name;"
// with an empty value. "Name:" and lines without a colon send nothing.
func (c *curl) custom(out []route.Field) []route.Field {
	for _, h := range c.headers {
		name, value, ok := strings.Cut(h, ":")
		switch {
		case strings.EqualFold(name, "Host"), name == "":
		case strings.EqualFold(name, "Content-Type") && c.data == "-F":
		case ok && strings.Trim(value, " \t\r\n") != "":
			out = append(out, field(h))
		case !ok:
			before, after, semicolon := strings.Cut(h, ";")
			switch {
			case strings.EqualFold(before, "Host"):
			case semicolon && before != "" && after == "":
				out = append(out, route.Field{Name: before})
			default:
				c.note("a -H without a colon is left out, as curl does")
			}
		}
	}
	return out
}

// authorization is the value of the Authorization line that options and URL
// make; a header of the command goes before it.
func (c *curl) authorization(a *address, in *Input) string {
	user, has := c.user, c.hasUser
	if !has {
		user, has = a.user, a.hasUser
	}
	_, given := c.given("Authorization")
	switch {
	case given:
		return ""
	case c.deferred == "aws-sigv4":
		in.note("the signature of --aws-sigv4 is not made: the request is explained without it")
		return ""
	case c.deferred != "":
		in.note("with --%s curl sends no credential before it was asked for one", c.deferred)
		return ""
	case c.bearer != "" && c.basic && has:
		in.note("with --basic and --oauth2-bearer curl sends no credential before it was asked for one")
		return ""
	case c.bearer != "":
		return "Bearer " + c.bearer
	case !has:
		return ""
	}
	if !strings.Contains(user, ":") {
		in.note("curl asks for the password of -u; an empty one is assumed")
		user += ":"
	}
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user))
}

// bodyFields appends what describes the body.
func (c *curl) bodyFields(out *[]route.Field, in *Input, own func(name, value string)) {
	switch {
	case c.data == "-F":
		in.Body = c.multipart(in)
		own("Content-Length", strconv.Itoa(len(in.Body)))
		kind := "multipart/form-data"
		if line, ok := c.given("Content-Type"); ok {
			kind = field(line).Value
		}
		if kind != "" {
			*out = append(*out, route.Field{Name: "Content-Type", Value: kind + "; boundary=" + boundary})
		}
	case c.data == "-T":
		if len(c.targets) > 0 && (c.targets[0].text == "-" || c.targets[0].text == ".") {
			own("Transfer-Encoding", "chunked")
		}
	default:
		if _, chunked := c.given("Transfer-Encoding"); !chunked && !in.BodyUnknown {
			own("Content-Length", strconv.Itoa(len(in.Body)))
		}
		if !c.json {
			own("Content-Type", "application/x-www-form-urlencoded")
		}
	}
}

// multipart is the body of -F, without the content of files.
func (c *curl) multipart(in *Input) []byte {
	var b []byte
	for _, f := range c.form {
		name, value, _ := strings.Cut(f, "=")
		if strings.HasPrefix(value, "@") || strings.HasPrefix(value, "<") {
			in.note("the file of -F is not read")
			value = ""
		}
		b = append(b, "--"+boundary+"\r\nContent-Disposition: form-data; name=\""+name+"\"\r\n\r\n"+value+"\r\n"...)
	}
	return append(b, "--"+boundary+"--\r\n"...)
}

// safeName is a header name as it may be repeated in a message.
func safeName(s string) string {
	if s == "" || len(s) > 40 {
		return "…"
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; c != '-' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return "…"
		}
	}
	return s
}
