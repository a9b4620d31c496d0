package main

import (
	"net/http"
	"slices"
	"strings"
)

// message is a request as far as signatures cover it. The client fills one from
// what it is about to send, the origin one from what arrived: a signature holds
// when both are the same.
type message struct {
	method string
	scheme string // http or https
	host   string // as in Host or :authority
	target string // request-target, origin form, to the byte
	header http.Header
	body   []byte
}

// arrived is what an origin behind a proxy got. The scheme is what the proxy
// says the client used.
func arrived(r *http.Request, body []byte) *message {
	return &message{
		method: r.Method, scheme: r.Header.Get("X-Forwarded-Proto"), host: r.Host,
		target: r.RequestURI, header: r.Header, body: body,
	}
}

// split is the target's path and query, the latter without its question mark.
func (m *message) split() (path, query string) {
	path, query, _ = strings.Cut(m.target, "?")
	return path, query
}

// clone is a copy whose header can be changed.
func (m *message) clone() *message {
	c := *m
	c.header, c.body = m.header.Clone(), slices.Clone(m.body)
	return &c
}
