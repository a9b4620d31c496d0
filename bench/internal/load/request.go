package load

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// patience is how long an answer may take before it counts as an error.
const patience = 10 * time.Second

// requests is the requests of a target, one for each token, as they are sent.
func (t Target) requests() [][]byte {
	var all [][]byte
	for _, token := range t.Tokens {
		var b strings.Builder
		method := "GET"
		if t.Post > 0 {
			method = "POST"
		}
		fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: %s\r\nAccept: %s\r\nAuthorization: Bearer %s\r\n",
			method, t.Path, t.Host, userAgent, accept, token)
		if t.Post > 0 {
			fmt.Fprintf(&b, "Content-Type: %s\r\nContent-Length: %d\r\n", accept, t.Post)
		}
		b.WriteString("\r\n" + strings.Repeat("b", t.Post))
		all = append(all, []byte(b.String()))
	}
	return all
}

// client is a connection to a proxy, for one request at a time.
type client struct {
	conn net.Conn
	r    *bufio.Reader
}

// dial opens a connection, with a full handshake if it is of TLS. The
// certificate was made for this run and is not what is compared.
func (t Target) dial(ctx context.Context) (*client, error) {
	dialer := net.Dialer{Timeout: patience}
	conn, err := dialer.DialContext(ctx, "tcp", t.Address)
	if err != nil {
		return nil, err
	}
	if t.TLS {
		_ = conn.SetDeadline(time.Now().Add(patience))
		secure := tls.Client(conn, &tls.Config{ServerName: t.Host, InsecureSkipVerify: true,
			MinVersion: tls.VersionTLS13, CurvePreferences: []tls.CurveID{tls.X25519}})
		if err := secure.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
			return nil, err
		}
		_ = conn.SetDeadline(time.Time{})
		conn = secure
	}
	return &client{conn, bufio.NewReader(conn)}, nil
}

var errStatus = errors.New("the answer is not 200 with a Content-Length")

// do sends a request and reads its answer to the end.
func (c *client) do(request []byte) error {
	if _, err := c.conn.Write(request); err != nil {
		return err
	}
	for {
		if _, err := c.r.Peek(c.r.Buffered() + 1); err != nil {
			return err
		}
		text, _ := c.r.Peek(c.r.Buffered())
		length, rest, err := parseHead(text)
		if err != nil {
			return err
		}
		if length >= 0 {
			_, err := c.r.Discard(len(text) - len(rest) + length)
			return err
		}
	}
}

// parseHead reads the length out of the head of an answer, -1 if the head is
// not complete, and returns what comes after it.
func parseHead(text []byte) (length int, rest []byte, err error) {
	head, rest, complete := bytes.Cut(text, []byte("\r\n\r\n"))
	if !complete {
		return -1, nil, nil
	}
	lines := bytes.Split(head, []byte("\r\n"))
	if !bytes.HasPrefix(lines[0], []byte("HTTP/1.1 200")) {
		return 0, nil, fmt.Errorf("%w: %q", errStatus, lines[0])
	}
	for _, line := range lines[1:] {
		name, value, _ := bytes.Cut(line, []byte(":"))
		if bytes.EqualFold(name, []byte("Content-Length")) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err == nil {
				return length, rest, nil
			}
		}
	}
	return 0, nil, errStatus
}
