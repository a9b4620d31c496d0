package explain

import (
	"net/url"
	"strings"
)

// apply takes one option into account. What it does not name changes nothing
// in the request.
func (c *curl) apply(o option, v string, at int) error {
	if deferredAuth(o.name) {
		c.deferred = o.name
		return nil
	}
	switch o.name {
	case "url":
		if strings.HasPrefix(v, "@") {
			return wrong(word(at), "--url reads its URLs from a file, which is not read here", "write the URL into the command")
		}
		c.urls = append(c.urls, located{v, at})
	case "request":
		c.method = v
	case "header":
		if strings.HasPrefix(v, "@") {
			c.note("the file of -H is not read: headers in it are not seen")
			return nil
		}
		c.headers = append(c.headers, v)
	case "user":
		c.user, c.hasUser = v, true
	case "oauth2-bearer":
		c.bearer = v
	case "basic":
		c.basic = true
	case "cookie":
		if !strings.Contains(v, "=") {
			c.note("the file of -b is not read: cookies in it are not seen")
			return nil
		}
		c.cookies = append(c.cookies, v)
	case "user-agent":
		c.agent, c.noAgent = v, v == ""
	case "referer":
		c.referer, _, _ = strings.Cut(v, ";auto")
	case "range":
		c.span = v
	case "continue-at":
		if c.span = v + "-"; v == "-" {
			c.span = ""
		}
	case "request-target":
		c.requestTarget = v
	case "url-query":
		return c.urlQuery(v)
	case "proto-default":
		c.scheme = strings.ToLower(v)
	case "next", "help", "manual", "version", "config", "variable":
		return c.unusual(o.name, at)
	default:
		if strings.HasPrefix(o.name, "data") || o.name == "json" || strings.HasPrefix(o.name, "form") || o.name == "upload-file" {
			return c.content(o, v, at)
		}
		c.flag(o)
	}
	return nil
}

// flag takes options without a value.
func (c *curl) flag(o option) {
	on := !o.off
	switch o.name {
	case "get":
		c.get = on
	case "head":
		c.head = on
	case "globoff":
		c.globoff = on
	case "path-as-is":
		c.asIs = on
	case "compressed":
		c.compressed = on
	case "tr-encoding":
		c.te = on
	case "http1.0":
		c.http10, c.h2c = true, false
	case "http2":
		c.http10, c.h2c = false, true
	case "http1.1", "http2-prior-knowledge", "http3", "http3-only":
		c.http10, c.h2c = false, false
	case "netrc", "netrc-optional", "netrc-file":
		c.note("the netrc file is not read: a user in it is not seen")
	case "aws-sigv4":
		c.deferred = o.name
	case "etag-compare":
		c.note("the file of --etag-compare is not read: If-None-Match is not seen")
	case "time-cond":
		c.note("the header that -z adds is left out")
	case "proxy", "preproxy", "socks4", "socks4a", "socks5", "socks5-hostname", "proxy1.0":
		c.note("the proxy is left out: the request is explained as the edge gets it")
	}
}

// unusual refuses options that make more, or something else, of a command than
// the request it shows.
func (c *curl) unusual(name string, at int) error {
	switch name {
	case "next":
		return wrong(word(at), "--next begins another set of options", "explain the parts before and after it one by one")
	case "config":
		c.note("the file of -K is not read: options in it are not seen")
		return nil
	case "variable":
		return wrong(word(at), "--variable is for options that are expanded, and nothing is expanded here", "write the values themselves")
	}
	return wrong(word(at), "--"+name+" makes curl print about itself and send nothing", "remove it")
}

// content takes the options that make a body. Two ways to make one exclude
// each other.
func (c *curl) content(o option, v string, at int) error {
	kind := "-d"
	switch o.name {
	case "form-escape":
		return nil
	case "form", "form-string":
		kind = "-F"
	case "upload-file":
		kind = "-T"
	}
	if c.data != "" && c.data != kind {
		return wrong(word(at), kind+" and "+c.data+" each make a body of their own", "keep one of them")
	}
	begun := c.data != ""
	c.data = kind
	file := strings.HasPrefix(v, "@")
	switch o.name {
	case "upload-file":
		c.targets = append(c.targets, located{v, at})
		return nil
	case "form", "form-string":
		c.form = append(c.form, v)
		return nil
	case "data-urlencode":
		v, file = urlencoded(v)
	case "data-raw":
		file = false
	case "json":
		c.json = true
	}
	if begun && o.name != "json" {
		c.body = append(c.body, '&')
	}
	if !file {
		c.body = append(c.body, v...)
		return nil
	}
	c.unread = true
	c.note("the file of --" + o.name + " is not read: a credential in it is not seen")
	return nil
}

// urlencoded is a value of --data-urlencode as curl encodes it: content,
// =content or name=content. file says that it is @file or name@file.
func urlencoded(v string) (text string, file bool) {
	i := strings.IndexAny(v, "=@")
	switch {
	case i < 0:
		return url.QueryEscape(v), false
	case v[i] == '@':
		return "", true
	case i == 0:
		return url.QueryEscape(v[1:]), false
	}
	return v[:i+1] + url.QueryEscape(v[i+1:]), false
}

func (c *curl) urlQuery(v string) error {
	if raw, ok := strings.CutPrefix(v, "+"); ok {
		c.query = append(c.query, raw)
		return nil
	}
	text, file := urlencoded(v)
	if file {
		c.note("the file of --url-query is not read: parameters in it are not seen")
		return nil
	}
	c.query = append(c.query, text)
	return nil
}
