package websocket_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/homeward/homeward/internal/testcell/websocket"
	"github.com/homeward/homeward/internal/testleak"
)

func TestMain(m *testing.M) { testleak.Main(m) }

// The opcodes, and what stands beside them in the first byte.
const (
	more, text, binaryFrame, closing, ping, pong = 0x0, 0x1, 0x2, 0x8, 0x9, 0xa

	fin = 0x80
)

// frame is a frame as clients send it, with a mask.
func frame(first byte, payload string) string {
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	mask := [4]byte{0x12, 0x34, 0x56, 0x78}
	b = append(b, mask[:]...)
	for i := range len(payload) {
		b = append(b, payload[i]^mask[i%4])
	}
	return string(b)
}

// plain is a frame as servers send it.
func plain(first byte, payload string) string {
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
	}
	return string(b) + payload
}

// code is the payload of a Close frame.
func code(n uint16, reason string) string {
	return string(binary.BigEndian.AppendUint16(nil, n)) + reason
}

// stream gives what a client sends, and keeps what it gets.
type stream struct {
	io.Reader
	bytes.Buffer
}

func (s *stream) Read(p []byte) (int, error) { return s.Reader.Read(p) }

// slow gives one byte at a time.
type slow struct{ io.Reader }

func (s slow) Read(p []byte) (int, error) { return s.Reader.Read(p[:min(1, len(p))]) }

const (
	greeting = "Grüße, 東京 🚲"
	bye      = "\x88\x82\x12\x34\x56\x78\x11\xdc" // Close 1000, masked
)

// The cases follow the sections of RFC 6455 as the public test suites of
// WebSockets do.
func TestEcho(t *testing.T) {
	ended := plain(fin|closing, code(1000, ""))
	long := strings.Repeat("x", 1<<16)
	for name, tc := range map[string]struct{ send, want string }{
		"empty text":             {frame(fin|text, "") + bye, plain(fin|text, "") + ended},
		"text":                   {frame(fin|text, greeting) + bye, plain(fin|text, greeting) + ended},
		"125 bytes":              {frame(fin|binaryFrame, long[:125]) + bye, plain(fin|binaryFrame, long[:125]) + ended},
		"126 bytes":              {frame(fin|binaryFrame, long[:126]) + bye, plain(fin|binaryFrame, long[:126]) + ended},
		"65535 bytes":            {frame(fin|binaryFrame, long[:65535]) + bye, plain(fin|binaryFrame, long[:65535]) + ended},
		"65536 bytes":            {frame(fin|binaryFrame, long) + bye, plain(fin|binaryFrame, long) + ended},
		"binary that is no text": {frame(fin|binaryFrame, "\xff\xfe") + bye, plain(fin|binaryFrame, "\xff\xfe") + ended},
		"two messages":           {frame(fin|text, "a") + frame(fin|binaryFrame, "b") + bye, plain(fin|text, "a") + plain(fin|binaryFrame, "b") + ended},
		"fragments":              {frame(text, "a") + frame(more, "") + frame(more, "b") + frame(fin|more, "c") + bye, plain(fin|text, "abc") + ended},
		"empty fragments":        {frame(binaryFrame, "") + frame(fin|more, "") + bye, plain(fin|binaryFrame, "") + ended},
		"characters over fragments": {
			frame(text, greeting[:3]) + frame(more, greeting[3:12]) + frame(fin|more, greeting[12:]) + bye, plain(fin|text, greeting) + ended,
		},
		"ping between fragments": {
			frame(text, "a") + frame(fin|ping, "p1") + frame(more, "b") + frame(fin|ping, "p2") + frame(fin|more, "c") + bye,
			plain(fin|pong, "p1") + plain(fin|pong, "p2") + plain(fin|text, "abc") + ended,
		},
		"close between fragments": {frame(text, "a") + bye, ended},
		"ping of 125 bytes":       {frame(fin|ping, long[:125]) + bye, plain(fin|pong, long[:125]) + ended},
		"pong nobody asked for":   {frame(fin|pong, "x") + frame(fin|text, "a") + bye, plain(fin|text, "a") + ended},
		"close without a code":    {frame(fin|closing, ""), plain(fin|closing, "")},
		"close with a reason":     {frame(fin|closing, code(3999, greeting)), plain(fin|closing, code(3999, greeting))},
		"data behind a close":     {bye + frame(fin|text, "late"), ended},
	} {
		t.Run(name, func(t *testing.T) {
			for _, in := range []io.Reader{strings.NewReader(tc.send), slow{strings.NewReader(tc.send)}} {
				s := &stream{Reader: in}
				if err := websocket.Echo(s); err != nil || s.String() != tc.want {
					t.Errorf("got %.200q instead of %.200q, %v", s.String(), tc.want, err)
				}
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	const brk, notText, big = 1002, 1007, 1009
	tooLong := "\x82\xff" + string(binary.BigEndian.AppendUint64(nil, websocket.MaxMessage+1)) + "mask"
	for name, tc := range map[string]struct {
		send string
		code uint16
	}{
		"no mask":                        {plain(fin|text, "a"), brk},
		"RSV1":                           {frame(fin|0x40|text, "a"), brk},
		"RSV2":                           {frame(fin|0x20|text, "a"), brk},
		"RSV3 on a ping":                 {frame(fin|0x10|ping, "a"), brk},
		"opcode 3":                       {frame(fin|0x3, "a"), brk},
		"opcode 11":                      {frame(fin|0xb, ""), brk},
		"ping of 126 bytes":              {frame(fin|ping, strings.Repeat("x", 126)), brk},
		"ping in fragments":              {frame(ping, "a"), brk},
		"continues nothing":              {frame(fin|more, "a"), brk},
		"continues what has ended":       {frame(text, "a") + frame(fin|more, "b") + frame(more, "c"), brk},
		"message in a message":           {frame(text, "a") + frame(fin|text, "b"), brk},
		"length of 64 bits":              {"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xffmask", brk},
		"one byte of a code":             {frame(fin|closing, "a"), brk},
		"text that is not UTF-8":         {frame(fin|text, "a\xffb"), notText},
		"surrogate":                      {frame(fin|text, "\xed\xa0\x80"), notText},
		"overlong form":                  {frame(fin|text, "\xc0\xaf"), notText},
		"beyond U+10FFFF":                {frame(fin|text, "\xf4\x90\x80\x80"), notText},
		"broken over fragments":          {frame(text, "\xf4") + frame(more, "\x90"), notText},
		"ends within a character":        {frame(text, "\xe6\x9d") + frame(fin|more, ""), notText},
		"reason that is not UTF-8":       {frame(fin|closing, code(1000, "\xff")), notText},
		"longer than any":                {tooLong, big},
		"fragments longer than together": {frame(binaryFrame, "a") + "\x80\xff" + string(binary.BigEndian.AppendUint64(nil, websocket.MaxMessage)) + "mask", big},
	} {
		t.Run(name, func(t *testing.T) {
			s := &stream{Reader: strings.NewReader(tc.send)}
			err := websocket.Echo(s)
			got := bytes.TrimPrefix(s.Bytes(), []byte(plain(fin|text, "ab")))
			if !errors.Is(err, websocket.ErrRefused) || len(got) < 4 || got[0] != fin|closing || binary.BigEndian.Uint16(got[2:]) != tc.code || int(got[1]) != len(got)-2 {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

func TestCloseCodes(t *testing.T) {
	for n := range 5002 {
		allowed := n >= 1000 && n <= 1014 && (n < 1004 || n > 1006) || n >= 3000 && n < 5000
		s := &stream{Reader: strings.NewReader(frame(fin|closing, code(uint16(n), "")))}
		err := websocket.Echo(s)
		echoed := s.String() == plain(fin|closing, code(uint16(n), ""))
		if echoed != (allowed || n == 1002) && n != 1002 || (err == nil) != allowed {
			t.Errorf("code %d: %q, %v", n, s.String(), err)
		}
	}
}

func TestClientThatLeaves(t *testing.T) {
	whole := frame(text, "abc") + frame(fin|more, strings.Repeat("d", 200))
	for n := range len(whole) {
		s := &stream{Reader: strings.NewReader(whole[:n])}
		if err := websocket.Echo(s); err == nil || errors.Is(err, websocket.ErrRefused) || s.Len() > 0 {
			t.Fatalf("after %d bytes: %q, %v", n, s.String(), err)
		}
	}
}

// A text is refused where it stops being one, not where its message ends.
func TestRefusesAtTheFirstByte(t *testing.T) {
	client, server := net.Pipe()
	defer client.Close()
	_ = client.SetDeadline(time.Now().Add(time.Minute))
	ended := make(chan error, 1)
	go func() {
		ended <- websocket.Echo(server)
		_ = server.Close()
	}()
	if _, err := io.WriteString(client, frame(text, "a\xff")); err != nil { // and no more of the message
		t.Fatal(err)
	}
	got, _ := io.ReadAll(client)
	if err := <-ended; !errors.Is(err, websocket.ErrRefused) || len(got) < 4 || got[0] != fin|closing {
		t.Errorf("%q, %v", got, err)
	}
}

func TestLongMessages(t *testing.T) {
	for _, n := range []int{16 << 20, websocket.MaxMessage} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			message := strings.Repeat("0123456789abcdef", n/16)
			var send strings.Builder
			for i := 0; i < n; i += n / 4 {
				first := byte(more)
				if i == 0 {
					first = text
				}
				if i+n/4 == n {
					first |= fin
				}
				send.WriteString(frame(first, message[i:i+n/4]))
			}
			s := &stream{Reader: strings.NewReader(send.String() + bye)}
			if err := websocket.Echo(s); err != nil || s.String() != plain(fin|text, message)+plain(fin|closing, code(1000, "")) {
				t.Errorf("%d bytes came back, %v", s.Len(), err)
			}
		})
	}
}
