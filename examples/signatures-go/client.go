package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// targets are spelled in ways that much software on the way would change.
func targets() []string {
	return []string{
		"/",
		"/orders?a=1;b=2;c",
		"/orders?broken=%zz&half=%2&none=%",
		"/a%2Fb%2fc/d%20e",
		"/orders?plus=a+b&space=a%20b&slash=/&question=?&colon=:&at=@",
		"/orders?empty=&=nameless&&novalue",
		"/orders?same=1&same=2&same=1&Same=0",
		"/caf%C3%A9/%E2%82%AC?name=J%C3%BCrgen&lower=%c3%bc",
		"/two//slashes///here",
		"//starts/with/two",
		"/dots/./and/../more/..?up=../..",
		"/dots/%2e%2E/encoded",
		"/ends/with/question?",
		"/marks/!$&'()*+,;=:@-._~|^`{}[]\"<>\\?q=|^`{}[]\"<>\\",
	}
}

// client signs requests for the facade and sends them over a route.
type client struct {
	out        io.Writer
	credential string // names the cell
}

// scheme is one way to sign.
type scheme struct {
	name string
	sign func(*message) error
}

func (c *client) schemes() []scheme {
	all := []scheme{{"SigV4", func(m *message) error {
		m.header.Set("PRIVATE-TOKEN", c.credential) // Authorization is the signature's
		signSigV4(m, scope{"AKIDMADEUP", awsSecret, time.Now().UTC().Format("20060102T150405Z"), "eu-central-1", "example"}, "PRIVATE-TOKEN", "X-Part")
		return nil
	}}}
	for _, k := range keys() {
		all = append(all, scheme{"RFC 9421 " + k.algorithm, func(m *message) error {
			m.header.Set("Authorization", "Bearer "+c.credential)
			m.header.Set("Content-Digest", contentDigest(m.body))
			return signMessage(m, k, time.Now().Unix(), requiredOfMessage...)
		}})
	}
	return all
}

// request is one to be signed, with a field that stands twice.
func request(r route, method, target, body string) *message {
	return &message{
		method: method, scheme: r.scheme, host: r.host, target: target, body: []byte(body),
		header: http.Header{"X-Part": {"one, two", "three"}, "User-Agent": {"signatures-go"}},
	}
}

// accepted sends every target, with and without a body, signed in every way.
func (c *client) accepted(r route) error {
	const text = "{\"name\": \"Jürgen\", \"sum\": \"10 €\"}\r\n"
	count := 0
	var names []string
	for _, s := range c.schemes() {
		names = append(names, s.name)
		for _, target := range targets() {
			for _, m := range []*message{request(r, "GET", target, ""), request(r, "POST", target, text), request(r, "PUT", target, "a=%zz&b=c+d")} {
				if err := s.sign(m); err != nil {
					return err
				}
				v, err := send(r, m)
				if err != nil {
					return fmt.Errorf("%s %s: %w", m.method, target, err)
				}
				if v.Refused != "" || v.Cell != "eu1" {
					return fmt.Errorf("%s of %s %s refused by %s: %s; there arrived %s", s.name, m.method, target, v.Cell, v.Refused, v.Target)
				}
				count++
			}
		}
	}
	_, err := fmt.Fprintf(c.out, "  %s, Host %s: %d accepted by eu1: %d targets, %s\n", r.name, r.host, count, len(targets()), strings.Join(names, ", "))
	return err
}

// refused changes one thing at a time of a request that was signed.
func (c *client) refused(r route) error {
	changes := []struct {
		what string
		do   func(*message)
	}{
		{"a byte of the body", func(m *message) { m.body[0] ^= 1 }},
		{"the method", func(m *message) { m.method = "PUT" }},
		{"the host", func(m *message) { m.host = "localhost" }},
		{"one slash", func(m *message) { m.target = strings.Replace(m.target, "//", "/", 1) }},
		{"the case of an escape in the path", func(m *message) { m.target = strings.Replace(m.target, "%2F", "%2f", 1) }},
		{"a plus for a space", func(m *message) { m.target = strings.Replace(m.target, "q=a+b", "q=a%20b", 1) }},
		{"a line less of a repeated field", func(m *message) { m.header["X-Part"] = m.header["X-Part"][:1] }},
		{"the order of a repeated field", func(m *message) { slices.Reverse(m.header["X-Part"]) }},
	}
	count := 0
	for _, s := range c.schemes() {
		signed := request(r, "POST", "/x//y%2Fz?q=a+b;c", "body")
		if err := s.sign(signed); err != nil {
			return err
		}
		if v, err := send(r, signed); err != nil || v.Refused != "" {
			return fmt.Errorf("%s: the request to be changed is refused: %s, %w", s.name, v.Refused, err)
		}
		for _, change := range changes {
			m := signed.clone()
			change.do(m)
			v, err := send(r, m)
			if err != nil {
				return fmt.Errorf("%s: %w", change.what, err)
			}
			if v.Refused == "" {
				return fmt.Errorf("%s accepts a request after another change: %s", s.name, change.what)
			}
			count++
		}
	}
	_, err := fmt.Fprintf(c.out, "  changed after signing: %d refused\n", count)
	return err
}

// send gives the message to net/http so that the target stays as it is.
func send(r route, m *message) (v verdict, err error) {
	u := &url.URL{Scheme: m.scheme, Host: m.host, Opaque: m.target}
	if strings.HasPrefix(m.target, "//") { // Opaque would be taken for an address
		u = &url.URL{Scheme: m.scheme, Host: m.host, Path: m.target, RawPath: m.target}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, m.method, "http://placeholder", bytes.NewReader(m.body))
	if err != nil {
		return v, err
	}
	req.URL, req.Host, req.Header = u, m.host, m.header
	resp, err := r.transport.RoundTrip(req)
	if err != nil {
		return v, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return v, err
	case resp.ProtoMajor != r.major:
		return v, fmt.Errorf("the edge answers over %s", resp.Proto)
	case resp.StatusCode != http.StatusOK:
		return v, errors.New(resp.Status + " " + string(body))
	}
	return v, json.Unmarshal(body, &v)
}
