package edge_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/gobwas/ws"
)

// closeFrame is a close frame with a code that need not be one.
func closeFrame(code int, reason string) ws.Frame {
	return ws.NewCloseFrame(append([]byte{byte(code >> 8), byte(code)}, reason...))
}

// closeCases are about how a client ends a WebSocket.
func closeCases() []socketCase {
	var cases []socketCase
	for _, code := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999} {
		cases = append(cases, socketCase{fmt.Sprintf("close with %d", code), func(s *socket) {
			s.closeWith(ws.StatusCode(code), ws.StatusCode(code))
		}})
	}
	for _, code := range []int{0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65535} {
		cases = append(cases, socketCase{fmt.Sprintf("close with %d, which is none", code), func(s *socket) {
			s.send(closeFrame(code, ""))
			s.closed(1002)
		}})
	}
	reason := bytes.Repeat([]byte("r"), 123)
	return append(cases,
		socketCase{"close without a code", func(s *socket) {
			s.send(ws.NewCloseFrame(nil))
			s.expect(ws.OpClose, nil)
			s.end()
		}},
		socketCase{"close with half a code", func(s *socket) {
			s.send(ws.NewCloseFrame([]byte{3}))
			s.closed(1002)
		}},
		socketCase{"close with a reason of 123 bytes", func(s *socket) {
			s.send(closeFrame(1000, string(reason)))
			s.expect(ws.OpClose, append([]byte{3, 0xe8}, reason...))
			s.end()
		}},
		socketCase{"close with a reason of 124 bytes", func(s *socket) {
			s.send(closeFrame(1000, string(reason)+"r"))
			s.closed(1002)
		}},
		socketCase{"close with a reason that is not UTF-8", func(s *socket) {
			s.send(closeFrame(1000, "a\xed\xa0\x80"))
			s.closed(1007)
		}},
		socketCase{"a message after the close", func(s *socket) {
			s.send(closeFrame(1000, ""), ws.NewTextFrame([]byte("late")), ws.NewPingFrame(nil))
			s.closed(1000)
		}},
		socketCase{"two closes", func(s *socket) {
			s.send(closeFrame(1001, ""), closeFrame(1000, ""))
			s.closed(1001)
		}},
	)
}

// end reads to the end behind a close frame.
func (s *socket) end() {
	s.t.Helper()
	if rest, err := io.ReadAll(s.rw); err != nil || len(rest) > 0 {
		s.t.Errorf("behind the close frame: %q, %v", rest, err)
	}
	_ = s.whole()
}

// brokenCases are frames and texts that the RFC forbids.
func brokenCases() []socketCase {
	var cases []socketCase
	for bits, name := range map[byte]string{4: "RSV1", 2: "RSV2", 1: "RSV3", 7: "all RSV bits"} {
		for _, op := range []ws.OpCode{ws.OpText, ws.OpPing} {
			cases = append(cases, socketCase{fmt.Sprintf("%s in opcode %d", name, op), func(s *socket) {
				f := ws.NewFrame(op, true, []byte("a"))
				f.Header.Rsv = bits
				s.send(f)
				s.closed(1002)
			}})
		}
	}
	for _, op := range []ws.OpCode{3, 4, 5, 6, 7, 11, 12, 13, 14, 15} {
		cases = append(cases, socketCase{fmt.Sprintf("opcode %d", op), func(s *socket) {
			s.send(ws.NewTextFrame([]byte("a")), ws.NewFrame(op, true, []byte("b")))
			s.expect(ws.OpText, []byte("a"))
			s.closed(1002)
		}})
	}
	for _, text := range []string{"a\xc3\x28", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\x80", "ab\xe2\x82"} {
		cases = append(cases, socketCase{fmt.Sprintf("the text %q", text), func(s *socket) {
			s.send(ws.NewTextFrame([]byte(text)))
			s.closed(1007)
		}})
	}
	return append(cases,
		socketCase{"a text whose first fragment is not UTF-8", func(s *socket) {
			s.send(ws.NewFrame(ws.OpText, false, []byte("a\xff"))) // the end is not waited for
			s.closed(1007)
		}},
		socketCase{"a text that ends within a character", func(s *socket) {
			s.send(fragments(ws.OpText, []byte("ab\xf0\x9f\xa7"), 3)...)
			s.closed(1007)
		}},
		socketCase{"bytes that are no text in a binary message", func(s *socket) {
			s.send(ws.NewBinaryFrame([]byte("\xff\xfe\x80")))
			s.expect(ws.OpBinary, []byte("\xff\xfe\x80"))
			s.closeWith(1000, 1000)
		}},
		socketCase{"a frame without a mask", func(s *socket) {
			s.write([]byte{0x81, 1, 'a'})
			s.closed(1002)
		}},
		socketCase{"a continuation of nothing", func(s *socket) {
			s.send(ws.NewFrame(ws.OpContinuation, true, []byte("a")))
			s.closed(1002)
		}},
		socketCase{"a message within a message", func(s *socket) {
			s.send(ws.NewFrame(ws.OpText, false, []byte("a")), ws.NewTextFrame([]byte("b")))
			s.closed(1002)
		}},
		socketCase{"a length of 64 bits", func(s *socket) {
			s.write([]byte{0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4})
			s.closed(1002)
		}},
		socketCase{"a length over the limit of the cell", func(s *socket) {
			s.write([]byte{0x82, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 1, 2, 3, 4})
			s.closed(1009)
		}},
	)
}

// What a client of HTTP/1.1 sends right behind its request, without waiting for
// the 101, goes to the cell behind the request.
func TestFramesBehindTheOpeningRequest(t *testing.T) {
	for _, g := range gatewayKinds {
		w := newMatrixWorld(t, g)
		s := &socket{t: t}
		wire := spelled(s, ws.NewTextFrame([]byte("early")), ws.NewPingFrame([]byte("p")), ws.NewBinaryFrame(content(70000)))
		opening := "GET /ws HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + euToken + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + socketKey + "\r\n\r\n"
		for _, behind := range []int{1, 3, 100, len(wire)} {
			nc := w.dial()
			go func() {
				_, _ = nc.Write(append([]byte(opening), wire[:behind]...))
				_, _ = nc.Write(wire[behind:])
			}()
			r := bufio.NewReader(nc)
			resp, err := http.ReadResponse(r, &http.Request{Method: "GET"})
			if err != nil || resp.StatusCode != 101 {
				t.Fatalf("%s: %v, %v", g.scheme, resp, err)
			}
			s.rw, s.whole = readWriter{r, nc}, nc.Close
			s.expect(ws.OpText, []byte("early"))
			s.expect(ws.OpPong, []byte("p"))
			s.expect(ws.OpBinary, content(70000))
			s.closeWith(1000, 1000)
		}
	}
}
