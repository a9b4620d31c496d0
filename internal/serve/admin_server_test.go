package serve_test

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/homeward/homeward/internal/serve"
)

// Whoever reaches the admin port, with a token or without, holds no connection by
// doing nothing on it. What is asked may take longer to answer.
func TestAdminServerWaitsForNobody(t *testing.T) {
	const wait = 200 * time.Millisecond
	handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(2 * wait):
		case <-r.Context().Done():
			t.Error("an answer that takes its time was given up")
		}
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := serve.AdminServer(serve.RequireToken("sixteen letters.", handler), wait, slog.DiscardHandler)
	go func() { _ = server.Serve(l) }()
	defer server.Close()
	const authorized = "Host: localhost\r\nAuthorization: Bearer sixteen letters.\r\n"
	for name, c := range map[string]struct {
		wire   string
		status int // 0 for no answer
	}{
		"nothing":               {"", 0},
		"half a head":           {"GET / HTTP/1.1\r\nHost: loc", 0},
		"no other request":      {"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 401},
		"half a body":           {"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf", 401},
		"a body without an end": {"GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n", 401},
		"a slow answer":         {"GET / HTTP/1.1\r\n" + authorized + "\r\n", 200},
	} {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(time.Minute))
		_, _ = io.WriteString(conn, c.wire)
		r := bufio.NewReader(conn)
		if c.status != 0 {
			resp, err := http.ReadResponse(r, nil)
			if err != nil || resp.StatusCode != c.status {
				t.Errorf("%s: %+v, %v", name, resp, err)
				continue
			}
			_, _ = io.Copy(io.Discard, resp.Body)
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			t.Errorf("%s: the connection is held: %v", name, err)
		}
	}
}
