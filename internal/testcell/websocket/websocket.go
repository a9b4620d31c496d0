// Package websocket echoes the messages of a WebSocket (RFC 6455) once it is
// open. It needs no more than two directions of bytes, so that it serves an
// upgraded connection of HTTP/1.1 as well as a stream of HTTP/2.
//
// It is strict, as an origin that shows faults of what stands before it must be:
// whatever the RFC forbids a client ends the WebSocket with the code for it.
package websocket

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// MaxMessage is how long a message may be, in bytes, all of its frames together.
const MaxMessage = 32 << 20

// pieceSize is how much of a frame is read at once. Memory grows with what came,
// not with what a frame promises.
const pieceSize = 32 << 10

// keepSize is the largest buffer that is kept for the next message.
const keepSize = 1 << 20

// ErrRefused says that the client broke a rule and was told so.
var ErrRefused = errors.New("WebSocket closed for what the client sent")

// echo is one WebSocket. One goroutine serves it.
type echo struct {
	in  io.Reader
	out *bufio.Writer

	opcode  ws.OpCode // of the message under way; OpContinuation outside of one
	message []byte
	checked int // bytes of a text that are whole characters
}

// Echo sends each message back in one frame, answers pings, and returns nil after
// the closing handshake. Whoever calls it ends the connection or stream then, and
// also after an error, which is ErrRefused or that of rw.
func Echo(rw io.ReadWriter) error {
	e := &echo{in: bufio.NewReaderSize(rw, pieceSize), out: bufio.NewWriterSize(rw, pieceSize)}
	for {
		h, err := ws.ReadHeader(e.in)
		if errors.Is(err, ws.ErrHeaderLengthMSB) {
			return e.refuse(ws.StatusProtocolError, "a length beyond 63 bits")
		}
		if err != nil {
			return err
		}
		state := ws.StateServerSide
		if e.opcode != ws.OpContinuation {
			state = state.Set(ws.StateFragmented)
		}
		if err := ws.CheckHeader(h, state); err != nil {
			return e.refuse(ws.StatusProtocolError, err.Error())
		}
		if h.OpCode == ws.OpClose {
			return e.closed(h)
		}
		if h.OpCode.IsControl() {
			err = e.control(h)
		} else {
			err = e.data(h)
		}
		if err != nil {
			return err
		}
	}
}

// control answers a ping and reads over a pong.
func (e *echo) control(h ws.Header) error {
	payload, err := e.payload(h)
	if err != nil || h.OpCode == ws.OpPong {
		return err
	}
	return e.send(ws.OpPong, payload)
}

// payload reads that of a control frame, which is short.
func (e *echo) payload(h ws.Header) ([]byte, error) {
	payload := make([]byte, h.Length)
	_, err := io.ReadFull(e.in, payload)
	ws.Cipher(payload, h.Mask, 0)
	return payload, err
}

// data takes one frame of a message, and echoes the message after its last.
func (e *echo) data(h ws.Header) error {
	if h.OpCode != ws.OpContinuation {
		e.opcode = h.OpCode
	}
	if h.Length > int64(MaxMessage-len(e.message)) {
		return e.refuse(ws.StatusMessageTooBig, fmt.Sprintf("messages have at most %d bytes", MaxMessage))
	}
	for offset := 0; offset < int(h.Length); {
		start := len(e.message)
		e.message = append(e.message, make([]byte, min(pieceSize, int(h.Length)-offset))...)
		piece := e.message[start:]
		if _, err := io.ReadFull(e.in, piece); err != nil {
			return err
		}
		ws.Cipher(piece, h.Mask, offset)
		offset += len(piece)
		if e.opcode == ws.OpText && !e.check() {
			return e.refuse(ws.StatusInvalidFramePayloadData, "a text that is not UTF-8")
		}
	}
	if !h.Fin {
		return nil
	}
	if e.opcode == ws.OpText && e.checked < len(e.message) {
		return e.refuse(ws.StatusInvalidFramePayloadData, "a text that ends within a character")
	}
	err := e.send(e.opcode, e.message)
	if e.message = e.message[:0]; cap(e.message) > keepSize {
		e.message = nil
	}
	e.opcode, e.checked = ws.OpContinuation, 0
	return err
}

// check reports whether the text so far is UTF-8, or the start of it.
func (e *echo) check() bool {
	if utf8.Valid(e.message[e.checked:]) {
		e.checked = len(e.message)
		return true
	}
	for rest := e.message[e.checked:]; utf8.FullRune(rest); rest = e.message[e.checked:] {
		r, size := utf8.DecodeRune(rest)
		if r == utf8.RuneError && size == 1 {
			return false
		}
		e.checked += size
	}
	return true
}

// closed answers a Close frame with the code and the reason it has (RFC 6455
// section 5.5.1).
func (e *echo) closed(h ws.Header) error {
	payload, err := e.payload(h)
	if err != nil {
		return err
	}
	switch {
	case len(payload) == 0:
	case len(payload) == 1 || !codeAllowed(binary.BigEndian.Uint16(payload)):
		return e.refuse(ws.StatusProtocolError, "a close code that must not be sent")
	case !utf8.Valid(payload[2:]):
		return e.refuse(ws.StatusInvalidFramePayloadData, "a reason that is not UTF-8")
	}
	return e.send(ws.OpClose, payload)
}

// codeAllowed reports whether an endpoint may send the code: those of RFC 6455
// section 7.4.1 and of the registry, and those that are free to use.
func codeAllowed(code uint16) bool {
	switch code {
	case 1004, 1005, 1006:
		return false
	}
	return 1000 <= code && code <= 1014 || 3000 <= code && code <= 4999
}

// refuse ends the WebSocket with a code of the cell's own. why is plain ASCII and
// short enough for a control frame.
func (e *echo) refuse(code ws.StatusCode, why string) error {
	if err := e.send(ws.OpClose, append(binary.BigEndian.AppendUint16(nil, uint16(code)), why...)); err != nil {
		return err
	}
	return fmt.Errorf("%w: code %d, %s", ErrRefused, code, why)
}

// send sends one frame at once.
func (e *echo) send(op ws.OpCode, payload []byte) error {
	if err := ws.WriteHeader(e.out, ws.Header{Fin: true, OpCode: op, Length: int64(len(payload))}); err != nil {
		return err
	}
	if _, err := e.out.Write(payload); err != nil {
		return err
	}
	return e.out.Flush()
}
