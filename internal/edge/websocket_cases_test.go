package edge_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/gobwas/ws"

	"github.com/homeward/homeward/internal/proxy"
)

// socketCase is one way to use a WebSocket, or to break its rules.
type socketCase struct {
	name string
	run  func(s *socket)
}

// TestWebSocketCases runs every case between every client and every gateway. The
// cell is strict: that it gives the code which the client deserves shows that
// each bit of the frames arrived as it was sent, and so did the answer.
func TestWebSocketCases(t *testing.T) {
	cases := socketCases()
	for _, g := range gatewayKinds {
		t.Run(g.scheme, func(t *testing.T) {
			w := newMatrixWorld(t, g)
			for _, c := range w.ways() {
				t.Run(c.name, func(t *testing.T) {
					for _, tc := range cases {
						w.seen.forget()
						t.Run(tc.name, func(t *testing.T) {
							s, resp := c.socket(t, "/ws")
							if s == nil {
								t.Fatalf("refused with %d", resp.StatusCode)
							}
							tc.run(s)
							rec := w.seen.await(t, func(proxy.Record) bool { return true })
							if rec.Type != proxy.WebSocket || rec.Aborted != proxy.NotAborted || rec.Kind != proxy.NoProblem {
								t.Errorf("recorded as %q, broken off by %q, %q", rec.Type, rec.Aborted, rec.Kind)
							}
						})
					}
				})
			}
		})
	}
}

// socketCases are all of them. Those that the RFC allows end with the closing
// handshake.
func socketCases() []socketCase {
	return slices.Concat(fragmentCases(), sizeCases(), controlCases(), closeCases(), brokenCases(), wireCases())
}

// fragments cuts a message into fragments of a size, the last of which is shorter.
func fragments(op ws.OpCode, message []byte, size int) []ws.Frame {
	var frames []ws.Frame
	for len(message) > size {
		frames = append(frames, ws.NewFrame(op, false, message[:size]))
		message, op = message[size:], ws.OpContinuation
	}
	return append(frames, ws.NewFrame(op, true, message))
}

// content is n bytes, none of which repeats in a way that hides a lost piece.
func content(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return b
}

const umlauts = "Übermäßig größere Füße \U0001f9e6"

func fragmentCases() []socketCase {
	var cases []socketCase
	for _, n := range []int{2, 3, 7, len(umlauts)} {
		cases = append(cases, socketCase{fmt.Sprintf("text in %d fragments", n), func(s *socket) {
			frames := fragments(ws.OpText, []byte(umlauts), (len(umlauts)+n-1)/n)
			s.send(frames...)
			s.expect(ws.OpText, []byte(umlauts))
			for _, f := range frames {
				s.send(f) // each in a write of its own
			}
			s.expect(ws.OpText, []byte(umlauts))
			s.closeWith(1000, 1000)
		}})
	}
	return append(cases,
		socketCase{"empty fragments", func(s *socket) {
			s.send(ws.NewFrame(ws.OpText, false, nil), ws.NewFrame(ws.OpContinuation, false, nil), ws.NewFrame(ws.OpContinuation, true, nil))
			s.expect(ws.OpText, nil)
			s.send(ws.NewFrame(ws.OpBinary, false, nil), ws.NewFrame(ws.OpContinuation, false, []byte("a")), ws.NewFrame(ws.OpContinuation, true, nil))
			s.expect(ws.OpBinary, []byte("a"))
			s.closeWith(1000, 1000)
		}},
		socketCase{"control frames between fragments", func(s *socket) {
			s.send(ws.NewFrame(ws.OpText, false, []byte("ab")), ws.NewPingFrame([]byte("1")),
				ws.NewFrame(ws.OpContinuation, false, []byte("cd")), ws.NewPongFrame([]byte("2")), ws.NewPingFrame(nil),
				ws.NewFrame(ws.OpContinuation, true, []byte("ef")))
			s.expect(ws.OpPong, []byte("1"))
			s.expect(ws.OpPong, nil)
			s.expect(ws.OpText, []byte("abcdef"))
			s.closeWith(1000, 1000)
		}},
		socketCase{"a close between fragments", func(s *socket) {
			s.send(ws.NewFrame(ws.OpText, false, []byte("ab")))
			s.closeWith(1000, 1000)
		}},
	)
}

func sizeCases() []socketCase {
	var cases []socketCase
	for _, n := range []int{0, 1, 125, 126, 127, 65535, 65536} {
		cases = append(cases, socketCase{fmt.Sprintf("%d bytes", n), func(s *socket) {
			binary, text := content(n), bytes.Repeat([]byte("a"), n)
			s.send(ws.NewBinaryFrame(binary))
			s.expect(ws.OpBinary, binary)
			s.send(ws.NewTextFrame(text))
			s.expect(ws.OpText, text)
			s.closeWith(1000, 1000)
		}})
	}
	large := content(16 << 20)
	return append(cases,
		socketCase{"16 MiB in one frame", func(s *socket) {
			s.send(ws.NewBinaryFrame(large))
			s.expect(ws.OpBinary, large)
			s.closeWith(1000, 1000)
		}},
		socketCase{"16 MiB in fragments of 64 KiB", func(s *socket) {
			for _, f := range fragments(ws.OpBinary, large, 64<<10) {
				s.send(f)
			}
			s.expect(ws.OpBinary, large)
			s.closeWith(1000, 1000)
		}},
	)
}

func controlCases() []socketCase {
	return []socketCase{
		{"pings of 0 to 125 bytes", func(s *socket) {
			for n := range 126 {
				s.send(ws.NewPingFrame(content(n)))
				s.expect(ws.OpPong, content(n))
			}
			s.closeWith(1000, 1000)
		}},
		{"a pong that nobody asked for", func(s *socket) {
			s.send(ws.NewPongFrame([]byte("hello")), ws.NewPongFrame(nil), ws.NewTextFrame([]byte("a")))
			s.expect(ws.OpText, []byte("a"))
			s.closeWith(1000, 1000)
		}},
		{"10 pings, then a message", func(s *socket) {
			for i := range 10 {
				s.send(ws.NewPingFrame([]byte{byte(i)}))
			}
			s.send(ws.NewTextFrame([]byte("a")))
			for i := range 10 {
				s.expect(ws.OpPong, []byte{byte(i)})
			}
			s.expect(ws.OpText, []byte("a"))
			s.closeWith(1000, 1000)
		}},
		{"a ping of 126 bytes", func(s *socket) {
			s.send(ws.NewPingFrame(content(126)))
			s.closed(1002)
		}},
		{"a ping in fragments", func(s *socket) {
			s.send(ws.NewFrame(ws.OpPing, false, []byte("a")))
			s.closed(1002)
		}},
	}
}

// wireCases are about how frames are cut into pieces of the transport.
func wireCases() []socketCase {
	return []socketCase{
		{"frames byte by byte", func(s *socket) {
			for _, b := range spelled(s, ws.NewTextFrame([]byte("hello")), ws.NewPingFrame(content(125)), ws.NewBinaryFrame(content(200))) {
				s.write([]byte{b})
			}
			s.expect(ws.OpText, []byte("hello"))
			s.expect(ws.OpPong, content(125))
			s.expect(ws.OpBinary, content(200))
			s.closeWith(1000, 1000)
		}},
		{"frames cut at every place", func(s *socket) {
			frames := append(fragments(ws.OpText, []byte(umlauts), 10), ws.NewPingFrame([]byte("p")), ws.NewBinaryFrame(content(130)))
			wire := spelled(s, frames...)
			for cut := 1; cut < len(wire); cut++ {
				s.write(wire[:cut])
				s.write(wire[cut:])
				s.expect(ws.OpText, []byte(umlauts))
				s.expect(ws.OpPong, []byte("p"))
				s.expect(ws.OpBinary, content(130))
			}
			s.closeWith(1000, 1000)
		}},
		{"1000 messages in one write", func(s *socket) {
			var frames []ws.Frame
			for i := range 1000 {
				frames = append(frames, ws.NewTextFrame(fmt.Append(nil, i)))
			}
			s.send(frames...)
			for i := range 1000 {
				s.expect(ws.OpText, fmt.Append(nil, i))
			}
			s.closeWith(1000, 1000)
		}},
		{"a message and the close in one write", func(s *socket) {
			s.send(ws.NewTextFrame([]byte("a")), ws.NewCloseFrame(ws.NewCloseFrameBody(1001, "")))
			s.expect(ws.OpText, []byte("a"))
			s.closed(1001)
		}},
	}
}

// spelled are frames as a client sends them.
func spelled(s *socket, frames ...ws.Frame) []byte {
	s.t.Helper()
	var b bytes.Buffer
	for _, f := range frames {
		f.Payload = bytes.Clone(f.Payload)
		if err := ws.WriteFrame(&b, ws.MaskFrameInPlaceWith(f, [4]byte{0, 0xff, 0x0a, 0x81})); err != nil {
			s.t.Fatal(err)
		}
	}
	return b.Bytes()
}

// write sends bytes as they are.
func (s *socket) write(b []byte) {
	s.t.Helper()
	if _, err := s.rw.Write(b); err != nil {
		s.t.Fatalf("send: %v", err)
	}
}
