package testcell_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/homeward/homeward/internal/testcell"
)

const (
	upgrade = "Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

	// hello is a text message with a mask of zeros; helloBack its echo.
	hello, helloBack = "\x81\x85\x00\x00\x00\x00hello", "\x81\x05hello"
	// bye closes with the code 1000, as does byeBack.
	bye, byeBack = "\x88\x82\x00\x00\x00\x00\x03\xe8", "\x88\x02\x03\xe8"
)

func TestWebSocketOverHTTP1(t *testing.T) {
	cell, addr := start(t, testcell.Options{})
	c := dial(t, addr)
	c.send("GET /ws?x=1 HTTP/1.1\r\nHost: h\r\n" + upgrade + "Sec-WebSocket-Protocol: chat, echo.v2\r\nSec-WebSocket-Protocol: echo\r\n\r\n" + hello)
	resp := c.answer("GET")
	// The value for this key is that of RFC 6455 section 1.3.
	for name, want := range map[string]string{
		"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "Sec-WebSocket-Protocol": "echo.v2", "Report-Cell": "na1",
	} {
		if got := resp.Header.Get(name); resp.StatusCode != 101 || got != want {
			t.Errorf("%d with %s: %s", resp.StatusCode, name, got)
		}
	}
	c.send(hello + bye)
	if got, err := io.ReadAll(c.in); err != nil || string(got) != helloBack+helloBack+byeBack {
		t.Errorf("%q, %v", got, err)
	}
	if cell.Requests() != 1 {
		t.Errorf("counted %d requests", cell.Requests())
	}
}

func TestWebSocketOverTLS(t *testing.T) {
	_, addr, trusting := startTLS(t, "http/1.1")
	nc, err := tls.Dial("tcp", addr, trusting.Transport.(*http.Transport).TLSClientConfig)
	if err != nil {
		t.Fatal(err)
	}
	c := &client{t: t, Conn: nc, in: bufio.NewReader(nc)}
	t.Cleanup(func() { _ = nc.Close() })
	c.send("GET /ws HTTP/1.1\r\nHost: h\r\n" + upgrade + "\r\n" + hello + bye)
	if resp := c.answer("GET"); resp.StatusCode != 101 {
		t.Errorf("%d", resp.StatusCode)
	}
	if got, err := io.ReadAll(c.in); err != nil || string(got) != helloBack+byeBack {
		t.Errorf("%q, %v", got, err)
	}
}

func TestWebSocketRefusesWithACode(t *testing.T) {
	_, addr := start(t, testcell.Options{})
	c := dial(t, addr)
	c.send("GET /ws HTTP/1.1\r\nHost: h\r\n" + upgrade + "\r\n\x81\x05hello" + strings.Repeat("more", 10_000))
	resp := c.answer("GET")
	if resp.Header.Get("Sec-WebSocket-Protocol") != "" {
		t.Error("a protocol nobody offered")
	}
	if got, err := io.ReadAll(c.in); err != nil || !strings.HasPrefix(string(got), "\x88") || string(got[2:4]) != "\x03\xea" {
		t.Errorf("a frame without a mask: %q, %v", got, err)
	}
}

func TestHandshakes(t *testing.T) {
	_, addr := start(t, testcell.Options{})
	c := dial(t, addr)
	for name, tc := range map[string]struct {
		raw    string
		status int
	}{
		"no upgrade":         {"GET /ws HTTP/1.1\r\nHost: h\r\n\r\n", 426},
		"another protocol":   {"GET /ws HTTP/1.1\r\nHost: h\r\n" + strings.Replace(upgrade, "WebSocket", "h2c", 1) + "\r\n", 426},
		"not hop by hop":     {"GET /ws HTTP/1.1\r\nHost: h\r\n" + strings.Replace(upgrade, ", Upgrade", "", 1) + "\r\n", 426},
		"version 8":          {"GET /ws HTTP/1.1\r\nHost: h\r\n" + strings.Replace(upgrade, "13", "8", 1) + "\r\n", 426},
		"no key":             {"GET /ws HTTP/1.1\r\nHost: h\r\n" + upgrade[:strings.Index(upgrade, "Sec-WebSocket-Key")] + "\r\n", 400},
		"short key":          {"GET /ws HTTP/1.1\r\nHost: h\r\n" + strings.Replace(upgrade, "dGhl", "", 1) + "\r\n", 400},
		"a key of no base64": {"GET /ws HTTP/1.1\r\nHost: h\r\n" + strings.Replace(upgrade, "==", "!=", 1) + "\r\n", 400},
		"POST":               {"POST /ws HTTP/1.1\r\nHost: h\r\n" + upgrade + "\r\n", 400},
		"a body":             {"GET /ws HTTP/1.1\r\nHost: h\r\n" + upgrade + "Content-Length: 3\r\n\r\nabc", 400},
	} {
		c.send(tc.raw)
		resp := c.answer("GET")
		if body := c.body(resp); resp.StatusCode != tc.status || !strings.HasSuffix(body, ".\n") {
			t.Errorf("%s: %d with %q", name, resp.StatusCode, body)
		}
		if tc.status == 426 && (resp.Header.Get("Upgrade") != "websocket" || resp.Header.Get("Sec-WebSocket-Version") != "13") {
			t.Errorf("%s: %v", name, resp.Header)
		}
	}
	c.send("GET /ws HTTP/1.0\r\nHost: h\r\n" + upgrade + "\r\n")
	if resp := c.answer("GET"); resp.StatusCode != 400 {
		t.Errorf("HTTP/1.0: %d", resp.StatusCode)
	}
}

// connect opens a stream by extended CONNECT.
func connect(t *testing.T, client *http.Client, url, protocol string, header http.Header) (*http.Response, io.WriteCloser) {
	t.Helper()
	read, write := io.Pipe()
	req := request(t, "CONNECT", url, "")
	req.Body, req.ContentLength = read, -1
	for name, values := range header {
		req.Header[name] = values
	}
	req.Header[":protocol"] = []string{protocol}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = write.Close(); _ = resp.Body.Close() })
	return resp, write
}

func TestWebSocketOverHTTP2(t *testing.T) {
	_, addr := start(t, testcell.Options{})
	_, secure, overTLS := startTLS(t, "h2")
	version := http.Header{"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Protocol": {"echo"}}
	roots := overTLS.Transport.(*http.Transport).TLSClientConfig
	for url, client := range map[string]*http.Client{"http://" + addr + "/ws": extended(t, nil), "https://" + secure + "/ws": extended(t, roots)} {
		for code, send := range map[string]string{byeBack: hello + bye, "\x88": "\x81\x05hello"} {
			resp, w := connect(t, client, url, "websocket", version)
			if resp.StatusCode != 200 || resp.Header.Get("Sec-WebSocket-Protocol") != "echo" || resp.Header.Get("Upgrade") != "" {
				t.Errorf("%d with %v", resp.StatusCode, resp.Header)
			}
			go func() { _, _ = io.WriteString(w, hello+send) }() // the writing side stays open
			got, err := io.ReadAll(resp.Body)
			if err != nil || !strings.HasPrefix(string(got), helloBack) || !strings.Contains(string(got), code) {
				t.Errorf("%q, %v", got, err)
			}
		}
	}
	client := extended(t, nil)
	for name, tc := range map[string]struct {
		path, protocol string
		header         http.Header
		status         int
	}{
		"another protocol": {"/ws", "connect-udp", version, 501},
		"another path":     {"/", "websocket", version, 501},
		"no version":       {"/ws", "websocket", nil, 400},
	} {
		resp, w := connect(t, client, "http://"+addr+tc.path, tc.protocol, tc.header)
		_ = w.Close()
		if resp.StatusCode != tc.status {
			t.Errorf("%s: %d", name, resp.StatusCode)
		}
	}
	if resp, _ := try(t, client, request(t, "GET", "http://"+addr+"/ws", "")); resp.StatusCode != 400 {
		t.Errorf("GET over HTTP/2: %d", resp.StatusCode)
	}
}

func TestWebSocketCarries16MiB(t *testing.T) {
	_, addr := start(t, testcell.Options{})
	const n = 16 << 20
	message := fmt.Sprintf("\x82\xff%s\x00\x00\x00\x00%s", "\x00\x00\x00\x00\x01\x00\x00\x00", strings.Repeat("0123456789abcdef", n/16))
	resp, w := connect(t, extended(t, nil), "http://"+addr+"/ws", "websocket", http.Header{"Sec-Websocket-Version": {"13"}})
	c := dial(t, addr)
	c.send("GET /ws HTTP/1.1\r\nHost: h\r\n" + upgrade + "\r\n")
	c.answer("GET")
	for name, rw := range map[string]struct {
		io.Reader
		io.Writer
	}{"HTTP/1.1": {c.in, c}, "HTTP/2.0": {bufio.NewReader(resp.Body), w}} {
		go func() { _, _ = io.WriteString(rw, message+bye) }()
		got, err := io.ReadAll(rw)
		if err != nil || string(got) != "\x82\x7f"+message[2:10]+message[14:]+byeBack {
			t.Errorf("%s: %d bytes came back, %v", name, len(got), err)
		}
	}
}
