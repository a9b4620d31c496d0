package http3_test

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/gobwas/ws"
	lib "github.com/quic-go/quic-go/http3"

	"github.com/homeward/homeward/internal/proxy"
	"github.com/homeward/homeward/internal/testcell"
)

// openSocket asks for a WebSocket by an extended CONNECT (RFC 9220).
func (w *world) openSocket(t *testing.T) (*lib.RequestStream, *http.Response) {
	t.Helper()
	_, conn := w.dial()
	s, err := conn.OpenRequestStream(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_ = s.SetDeadline(time.Now().Add(patience))
	err = s.SendRequestHeader(&http.Request{
		Method: http.MethodConnect, Proto: "websocket", Host: "localhost", URL: &url.URL{Scheme: "https", Host: "localhost", Path: "/ws"},
		Header: http.Header{"Authorization": {"Bearer " + euToken}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Protocol": {"chat, echo.v1"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := s.ReadResponse()
	if err != nil {
		t.Fatal(err)
	}
	return s, resp
}

// write sends a frame, masked.
func write(t *testing.T, to io.Writer, f ws.Frame) {
	t.Helper()
	var b bytes.Buffer
	_ = ws.WriteFrame(&b, ws.MaskFrame(f))
	if _, err := to.Write(b.Bytes()); err != nil {
		t.Error(err)
	}
}

// read reads a frame.
func read(from io.Reader) (ws.Frame, error) {
	h, err := ws.ReadHeader(from)
	if err != nil {
		return ws.Frame{}, err
	}
	f := ws.Frame{Header: h, Payload: make([]byte, h.Length)}
	_, err = io.ReadFull(from, f.Payload)
	return f, err
}

func TestWebSocket(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{})
	s, resp := w.openSocket(t)
	if resp.StatusCode != 200 || resp.Header.Get("Sec-Websocket-Accept") != "" || resp.Header.Get("Sec-Websocket-Protocol") != "echo.v1" {
		t.Fatalf("%d %v", resp.StatusCode, resp.Header)
	}
	for _, size := range []int{1, 1000, 3 << 20} {
		message := bytes.Repeat([]byte("x"), size)
		written := make(chan struct{})
		go func() {
			defer close(written)
			write(t, s, ws.NewBinaryFrame(message))
		}()
		f, err := read(s)
		<-written
		if err != nil || !bytes.Equal(f.Payload, message) {
			t.Fatalf("of %d bytes came %d back, %v", size, len(f.Payload), err)
		}
	}
	write(t, s, ws.NewCloseFrame(ws.NewCloseFrameBody(ws.StatusNormalClosure, "")))
	if f, err := read(s); err != nil || f.Header.OpCode != ws.OpClose {
		t.Errorf("%+v, %v", f.Header, err)
	}
	s.Close()
	if rest, err := io.ReadAll(s); len(rest) > 0 || err != nil {
		t.Errorf("behind the close: %q, %v", rest, err)
	}
	if rec := w.seen.next(t); rec.Type != proxy.WebSocket || rec.Aborted != proxy.NotAborted || rec.Proto != "HTTP/3.0" {
		t.Errorf("recorded %+v", rec)
	}
}

// A client that ends its side without a close gets the end of the other one.
func TestWebSocketHalfClosed(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{})
	s, _ := w.openSocket(t)
	s.Close()
	_, _ = io.ReadAll(s) // ends
	w.seen.next(t)
	eventually(t, "the cell is free", func() bool { return w.cell.Open() == 0 })
}

func TestWebSocketBrokenOff(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{})
	s, _ := w.openSocket(t)
	s.CancelWrite(0)
	s.CancelRead(0)
	if rec := w.seen.next(t); rec.Aborted != proxy.ClientAborted {
		t.Errorf("recorded %+v", rec)
	}
	eventually(t, "the cell is free", func() bool { return w.cell.Open() == 0 })
}
