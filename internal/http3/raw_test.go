package http3_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strconv"
	"testing"
	"time"

	"github.com/quic-go/qpack"
	"github.com/quic-go/quic-go"
	lib "github.com/quic-go/quic-go/http3"
	"github.com/quic-go/quic-go/quicvarint"
)

// Types of frames and streams (RFC 9114 section 11.2).
const (
	dataFrame     = 0
	headersFrame  = 1
	settingsFrame = 4
	goAwayFrame   = 7
	controlStream = 0
)

// rawConn is a connection on which a test writes the frames itself.
type rawConn struct {
	t *testing.T
	*quic.Conn
}

func (w *world) raw() rawConn {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	q, err := w.connect(ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	control, err := q.OpenUniStream()
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := control.Write(frame([]byte{controlStream}, settingsFrame, nil)); err != nil {
		w.t.Fatal(err)
	}
	return rawConn{w.t, q}
}

// frame appends a frame.
func frame(dst []byte, kind uint64, payload []byte) []byte {
	dst = quicvarint.Append(dst, kind)
	dst = quicvarint.Append(dst, uint64(len(payload)))
	return append(dst, payload...)
}

// head is a HEADERS frame of the fields, names and values.
func head(fields ...string) []byte {
	var b bytes.Buffer
	enc := qpack.NewEncoder(&b)
	for i := 0; i < len(fields); i += 2 {
		_ = enc.WriteField(qpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	return frame(nil, headersFrame, b.Bytes())
}

// send opens a stream and writes to it.
func (c rawConn) send(b []byte, end bool) *quic.Stream {
	c.t.Helper()
	s, err := c.OpenStream()
	if err != nil {
		c.t.Fatal(err)
	}
	_ = s.SetDeadline(time.Now().Add(patience))
	_, _ = s.Write(b) // fails when the answer is there before
	if end {
		s.Close()
	}
	return s
}

// rawReply is an answer, as far as it came.
type rawReply struct {
	status int // of the last head
	header map[string]string
	body   []byte
	err    error // nil when the stream ended as it should
}

// reset is the code of a stream that was broken off, 0 when it was not.
func (r rawReply) reset() lib.ErrCode {
	if se := (*quic.StreamError)(nil); errors.As(r.err, &se) {
		return lib.ErrCode(se.ErrorCode)
	}
	return 0
}

// read reads the answer to its end.
func (c rawConn) read(s *quic.Stream) rawReply {
	c.t.Helper()
	r := rawReply{header: map[string]string{}}
	for {
		if err := r.next(s); errors.Is(err, io.EOF) {
			return r
		} else if err != nil {
			r.err = err
			return r
		}
	}
}

// next reads a frame. io.EOF says that there is none.
func (r *rawReply) next(s *quic.Stream) error {
	in := quicvarint.NewReader(s)
	kind, err := quicvarint.Read(in)
	if err != nil {
		return err
	}
	length, err := quicvarint.Read(in)
	if err != nil {
		return err
	}
	payload := make([]byte, length)
	if _, err := io.ReadFull(in, payload); errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	} else if err != nil {
		return err
	}
	switch kind {
	case dataFrame:
		r.body = append(r.body, payload...)
	case headersFrame:
		decode := qpack.NewDecoder().Decode(payload)
		for f, err := decode(); err == nil; f, err = decode() {
			if f.Name == ":status" {
				r.status, _ = strconv.Atoi(f.Value)
			}
			r.header[f.Name] = f.Value
		}
	}
	return nil
}

// ask sends a request that ends with its head.
func (c rawConn) ask(fields ...string) rawReply {
	c.t.Helper()
	return c.read(c.send(head(fields...), true))
}

// plain are the pseudo fields of a request, with others behind them.
func plain(method, path string, fields ...string) []string {
	return append([]string{":method", method, ":scheme", "https", ":authority", "localhost", ":path", path}, fields...)
}
