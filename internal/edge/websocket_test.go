package edge_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/homeward/homeward/internal/upstream/http2client"
	"github.com/homeward/homeward/route"
)

// socket is a WebSocket, seen from the client.
type socket struct {
	t  *testing.T
	rw io.ReadWriter
	// half ends the client's side, whole both; a test has to call one.
	half, whole func() error
}

const socketKey = "dGhlIHNhbXBsZSBub25jZQ=="

// openHTTP1Socket asks by an upgrade (RFC 6455). The socket is nil when the cell
// refuses.
func (w *world) openHTTP1Socket(t *testing.T, c client, path string) (*socket, *http.Response) {
	t.Helper()
	nc := dialClient(t, c, "http/1.1")
	_ = nc.SetDeadline(time.Now().Add(patience))
	fmt.Fprintf(nc, "GET %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\nSec-WebSocket-Protocol: chat, echo.v1\r\n\r\n", path, euToken, socketKey)
	r := bufio.NewReader(nc)
	resp, err := http.ReadResponse(r, &http.Request{Method: "GET"})
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != 101 {
		return nil, resp
	}
	if got := resp.Header.Get("Sec-WebSocket-Accept"); got != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" { // RFC 6455 section 1.3
		t.Errorf("accepted with %q", got)
	}
	return &socket{t: t, rw: readWriter{r, nc}, half: nc.(interface{ CloseWrite() error }).CloseWrite, whole: nc.Close}, resp
}

// openHTTP2Socket asks by an extended CONNECT (RFC 8441).
func (w *world) openHTTP2Socket(t *testing.T, c client, path string) (*socket, *http.Response) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, err := http2client.Open(ctx, dialClient(t, c, "h2"), http2client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if !conn.ExtendedConnect() || !conn.Reserve() {
		t.Fatal("the edge offers no extended CONNECT")
	}
	s, err := conn.Begin(&http2client.Head{
		Method: "CONNECT", Protocol: "websocket", Scheme: "https", Authority: "localhost", Path: path,
		Fields: []route.Field{
			{Name: "authorization", Value: "Bearer " + euToken}, {Name: "sec-websocket-version", Value: "13"},
			{Name: "sec-websocket-protocol", Value: "chat, echo.v1"}, {Name: "origin", Value: "https://app.homeward.test"},
		},
	}, false)
	if err != nil {
		t.Fatal(err)
	}
	_ = s.SetReadDeadline(time.Now().Add(patience))
	_ = s.SetWriteDeadline(time.Now().Add(patience))
	var head http2client.Response
	if err := s.ReadHead(&head); err != nil {
		t.Fatal(err)
	}
	resp := &http.Response{StatusCode: head.Status, Header: http.Header{}, Body: io.NopCloser(s)}
	for _, f := range head.Fields {
		resp.Header.Add(f.Name, f.Value)
	}
	if head.Status != 200 {
		return nil, resp
	}
	if got := resp.Header.Get("Sec-WebSocket-Accept"); got != "" {
		t.Errorf("over HTTP/2 there is an accept: %q", got)
	}
	return &socket{t: t, rw: s, half: func() error { return s.End(nil) }, whole: func() error { s.Cancel(); return nil }}, resp
}

type readWriter struct {
	io.Reader
	io.Writer
}

// send sends frames, masked, in one write.
func (s *socket) send(frames ...ws.Frame) {
	s.t.Helper()
	var b bytes.Buffer
	for _, f := range frames {
		f.Payload = bytes.Clone(f.Payload)
		if err := ws.WriteFrame(&b, ws.MaskFrameInPlaceWith(f, [4]byte{1, 2, 3, 4})); err != nil {
			s.t.Fatal(err)
		}
	}
	if _, err := s.rw.Write(b.Bytes()); err != nil {
		s.t.Fatalf("send: %v", err)
	}
}

// message reads the next message or control frame, fragments put together. A
// control frame between them is an error of the test.
func (s *socket) message() (ws.OpCode, []byte) {
	s.t.Helper()
	var whole []byte
	var op ws.OpCode
	for {
		h, err := ws.ReadHeader(s.rw)
		if err != nil {
			s.t.Fatalf("read a frame: %v", err)
		}
		if h.Masked {
			s.t.Fatal("a frame of the cell is masked")
		}
		if h.OpCode != ws.OpContinuation {
			op = h.OpCode
		}
		payload := make([]byte, h.Length)
		if _, err := io.ReadFull(s.rw, payload); err != nil {
			s.t.Fatalf("read a frame of %d bytes: %v", h.Length, err)
		}
		whole = append(whole, payload...)
		if h.Fin {
			return op, whole
		}
	}
}

// expect reads one message and compares it.
func (s *socket) expect(op ws.OpCode, payload []byte) {
	s.t.Helper()
	gotOp, got := s.message()
	if gotOp != op || !bytes.Equal(got, payload) {
		s.t.Fatalf("got opcode %d with %d bytes %.60q, want %d with %d bytes %.60q", gotOp, len(got), got, op, len(payload), payload)
	}
}

// closeWith ends the socket by the closing handshake and waits for its end.
func (s *socket) closeWith(code ws.StatusCode, want ws.StatusCode) {
	s.t.Helper()
	s.send(ws.NewCloseFrame(ws.NewCloseFrameBody(code, "bye")))
	s.closed(want)
}

// closed waits for a close frame with this code, and for the end behind it.
func (s *socket) closed(want ws.StatusCode) {
	s.t.Helper()
	op, payload := s.message()
	if op != ws.OpClose || len(payload) < 2 || ws.StatusCode(int(payload[0])<<8|int(payload[1])) != want {
		s.t.Fatalf("got opcode %d with %q, want a close with %d", op, payload, want)
	}
	if rest, err := io.ReadAll(s.rw); err != nil || len(rest) > 0 {
		s.t.Errorf("behind the close frame: %q, %v", rest, err)
	}
	_ = s.whole()
}

// wsSimple opens, echoes and closes.
func wsSimple(t *testing.T, _ *world, c way) {
	s, resp := c.socket(t, "/ws?x=1;y=%zz")
	if s == nil {
		t.Fatalf("refused with %d", resp.StatusCode)
	}
	if got := resp.Header.Get("Sec-WebSocket-Protocol"); got != "echo.v1" {
		t.Errorf("subprotocol %q", got)
	}
	if got := resp.Header.Get("X-Cell"); got != "eu1" && got != "" {
		t.Errorf("cell %q", got)
	}
	s.send(ws.NewTextFrame([]byte("hello")))
	s.expect(ws.OpText, []byte("hello"))
	s.closeWith(1000, 1000)
}
