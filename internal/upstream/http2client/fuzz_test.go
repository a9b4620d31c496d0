package http2client_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/homeward/homeward/internal/upstream/http2client"
)

// FuzzAnswers has a gateway send anything after its SETTINGS: whatever it is,
// the calls of two streams return, all slots come back, and both ends close.
func FuzzAnswers(f *testing.F) {
	seed := func(write func(fr *http2.Framer, block func(pairs ...string) []byte)) {
		var wire, block bytes.Buffer
		enc := hpack.NewEncoder(&block)
		write(http2.NewFramer(&wire, nil), func(pairs ...string) []byte {
			block.Reset()
			for i := 0; i < len(pairs); i += 2 {
				_ = enc.WriteField(hpack.HeaderField{Name: pairs[i], Value: pairs[i+1]})
			}
			return block.Bytes()
		})
		f.Add(wire.Bytes())
	}
	seed(func(fr *http2.Framer, block func(...string) []byte) {
		_ = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block(":status", "103", "link", "</a>"), EndHeaders: true})
		_ = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block(":status", "200", "content-length", "5"), EndHeaders: true})
		_ = fr.WriteDataPadded(1, false, []byte("hello"), make([]byte, 3))
		_ = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block("x-sum", "1"), EndHeaders: true, EndStream: true})
		_ = fr.WriteRSTStream(3, http2.ErrCodeRefusedStream)
	})
	seed(func(fr *http2.Framer, block func(...string) []byte) {
		_ = fr.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1}, http2.Setting{ID: http2.SettingHeaderTableSize, Val: 0})
		_ = fr.WriteWindowUpdate(3, 1<<20)
		_ = fr.WriteWindowUpdate(0, 1<<20)
		_ = fr.WritePing(false, [8]byte{})
		_ = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 3, BlockFragment: block(":status", "413")[:1]})
		_ = fr.WriteContinuation(3, true, block(":status", "413")[1:])
		_ = fr.WriteData(3, true, nil)
		_ = fr.WriteRSTStream(3, http2.ErrCodeNo)
		_ = fr.WriteGoAway(1, http2.ErrCodeNo, nil)
	})
	f.Fuzz(func(t *testing.T, wire []byte) {
		near, far := net.Pipe()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			defer far.Close()
			answer(far, wire)
		}()
		closed := make(chan struct{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		c, err := http2client.Open(ctx, near, http2client.Options{Window: 4096, MaxHead: 4096, Closed: func() { close(closed) }})
		if err != nil {
			t.Fatal(err)
		}
		two(c)
		if n := c.Active(); n != 0 {
			t.Errorf("%d slots leaked", n)
		}
		c.Close()
		<-ended
		<-closed
	})
}

// answer sends SETTINGS, then after two heads the bytes, and reads on until
// the other side has had time to take them.
func answer(far net.Conn, wire []byte) {
	if _, err := io.ReadFull(far, make([]byte, len(http2.ClientPreface))); err != nil {
		return
	}
	fr := http2.NewFramer(far, far)
	sent := make(chan struct{})
	for heads := 0; ; {
		f, err := fr.ReadFrame()
		if err != nil {
			<-sent
			return
		}
		switch f.Header().Type {
		case http2.FrameSettings:
			if !f.Header().Flags.Has(http2.FlagSettingsAck) {
				go func() { _ = http2.NewFramer(far, nil).WriteSettings() }()
			}
		case http2.FrameHeaders:
			if heads++; heads == 2 {
				go func() {
					defer close(sent)
					defer far.Close()
					_, _ = far.Write(wire)
				}()
			}
		}
	}
}

// two runs two requests, one with a body, to whatever end they come.
func two(c *http2client.Conn) {
	done := make(chan struct{}, 3)
	start := func(h *http2client.Head, end bool) *http2client.Stream {
		if !c.Reserve() {
			return nil
		}
		s, _ := c.Begin(h, end)
		return s
	}
	a, b := start(get("/"), true), start(post("/"), false)
	for _, s := range []*http2client.Stream{a, b} {
		go func() {
			if s != nil {
				_ = drain(s)
				_ = s.Trailer()
			}
			done <- struct{}{}
		}()
	}
	if b != nil {
		_, _ = b.Write(make([]byte, 100_000))
		_ = b.End(nil)
	}
	<-done
	<-done
	for _, s := range []*http2client.Stream{a, b} {
		if s != nil {
			s.Cancel()
		}
	}
}
