package http2client_test

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/homeward/homeward/internal/upstream/http2client"
)

// TestAfterTheEnd has a gateway go on after the end of its answer, which stays
// whole; only the request cannot go on.
func TestAfterTheEnd(t *testing.T) {
	for name, test := range map[string]struct {
		code http2.ErrCode
		send func(p *peer)
	}{
		"data":    {http2.ErrCodeStreamClosed, func(p *peer) { p.data(1, false, "x") }},
		"trailer": {http2.ErrCodeStreamClosed, func(p *peer) { p.head(1, true, "x-a", "1") }},
		"window":  {http2.ErrCodeFlowControl, func(p *peer) { p.must(p.fr.WriteWindowUpdate(1, 1<<31-1)) }},
	} {
		t.Run(name, func(t *testing.T) {
			c, p := scripted(t, http2client.Options{})
			s := begin(t, c, post("/"), false)
			p.head(1, false, ":status", "200")
			p.data(1, true, "whole")
			test.send(p)
			if f := p.await(http2.FrameRSTStream); f.code != test.code {
				t.Errorf("reset with %s", f.code)
			}
			readHead(t, s)
			if got := readAll(t, s); got != "whole" {
				t.Errorf("%q", got)
			}
			var broken http2client.ProtocolError
			if err := s.End(nil); !errors.As(err, &broken) {
				t.Error(err)
			}
			exchange(t, c, p, 3)
		})
	}
}

// TestResetInPlaceOfTheEnd has a gateway reset the stream without an error where
// the end of an answer belongs, as servers do that lose it when a window is full.
// By its declared length the answer is whole, or it is not.
func TestResetInPlaceOfTheEnd(t *testing.T) {
	for name, test := range map[string]struct {
		code  http2.ErrCode
		whole bool
		head  []string
	}{
		"whole":            {http2.ErrCodeNo, true, []string{":status", "200", "content-length", "5"}},
		"short":            {http2.ErrCodeNo, false, []string{":status", "200", "content-length", "6"}},
		"length not known": {http2.ErrCodeNo, false, []string{":status", "200"}},
		"with an error":    {http2.ErrCodeInternal, false, []string{":status", "200", "content-length", "5"}},
	} {
		t.Run(name, func(t *testing.T) {
			c, p := scripted(t, http2client.Options{})
			s := begin(t, c, get("/"), true)
			p.head(1, false, test.head...)
			p.data(1, false, "bytes")
			p.must(p.fr.WriteRSTStream(1, test.code))
			p.settle()
			readHead(t, s)
			b, err := io.ReadAll(s)
			if string(b) != "bytes" || (err == nil) != test.whole {
				t.Errorf("%q, %v", b, err)
			}
			if c.Active() != 0 {
				t.Error("the slot is not free")
			}
			exchange(t, c, p, 3)
		})
	}
}

// TestShortAfterTheRequest has an answer end too early when nothing may be sent
// on the stream any more.
func TestShortAfterTheRequest(t *testing.T) {
	c, p := scripted(t, http2client.Options{})
	s := begin(t, c, get("/"), true)
	p.head(1, false, ":status", "200", "content-length", "9")
	p.data(1, true, "short")
	readHead(t, s)
	b, err := io.ReadAll(s)
	var broken http2client.ProtocolError
	if string(b) != "short" || !errors.As(err, &broken) {
		t.Errorf("%q, %v", b, err)
	}
	p.must(p.fr.WritePing(false, [8]byte{}))
	for f := range p.frames {
		if f.Type == http2.FrameRSTStream {
			t.Error("a stream that has ended was reset")
		}
		if f.Type == http2.FramePing {
			break
		}
	}
}

func TestFarewellIsNamed(t *testing.T) {
	c, p := scripted(t, http2client.Options{})
	s := begin(t, c, get("/"), true)
	p.must(p.fr.WriteGoAway(1, http2.ErrCodeEnhanceYourCalm, nil))
	p.settle()
	p.nc.Close()
	err := s.ReadHead(new(http2client.Response))
	if err == nil || errors.Is(err, http2client.ErrRefused) || !strings.Contains(err.Error(), "ENHANCE_YOUR_CALM") {
		t.Error(err)
	}
}

func TestRetireIdle(t *testing.T) {
	ended := make(chan struct{})
	c, p := scripted(t, http2client.Options{Closed: func() { close(ended) }})
	exchange(t, c, p, 1)
	if _, idle := c.Idle(); !idle {
		t.Error("not idle")
	}
	c.Retire()
	if f := p.await(http2.FrameGoAway); f.code != http2.ErrCodeNo {
		t.Errorf("GOAWAY with %s", f.code)
	}
	<-ended
}

// TestAbandoned has clients leave one after the other before they are answered.
// The connection takes no more requests before the gateway ends it for that, and
// the one that stays is answered on it.
func TestAbandoned(t *testing.T) {
	c, p := scripted(t, http2client.Options{})
	stays := begin(t, c, get("/"), true)
	left := 0
	for ; left < 1000 && c.Reserve(); left++ {
		s, err := c.Begin(get("/"), true)
		if err != nil {
			t.Fatal(err)
		}
		s.Cancel()
	}
	if left != 200 {
		t.Errorf("%d requests were abandoned on one connection", left)
	}
	p.head(1, true, ":status", "204")
	if err := stays.ReadHead(new(http2client.Response)); err != nil {
		t.Error(err)
	}
	if f := p.await(http2.FrameGoAway); f.code != http2.ErrCodeNo {
		t.Errorf("it ends with %v", f.code)
	}
}

func TestClose(t *testing.T) {
	c, p := scripted(t, http2client.Options{})
	s := begin(t, c, post("/"), false)
	c.Close()
	if err := s.ReadHead(new(http2client.Response)); !errors.Is(err, http2client.ErrClosed) {
		t.Errorf("read: %v", err)
	}
	if err := s.End(nil); !errors.Is(err, http2client.ErrClosed) {
		t.Errorf("end: %v", err)
	}
	if f := p.await(http2.FrameGoAway); f.code != http2.ErrCodeNo {
		t.Errorf("GOAWAY with %s", f.code)
	}
}

// TestDeadlineMoves has deadlines pass, move and pass again on one stream.
func TestDeadlineMoves(t *testing.T) {
	c, p := scripted(t, http2client.Options{}, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1})
	s := begin(t, c, post("/"), false)
	for range 3 {
		_ = s.SetReadDeadline(time.Now().Add(time.Millisecond))
		if err := s.Ready(); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("ready: %v", err)
		}
		if err := s.ReadHead(new(http2client.Response)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("head: %v", err)
		}
	}
	_ = s.SetWriteDeadline(time.Now().Add(time.Hour))
	written := make(chan struct{})
	go func() {
		defer close(written)
		if n, err := s.Write([]byte("xyz")); n != 1 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%d bytes, %v", n, err)
		}
	}()
	p.await(http2.FrameData)
	_ = s.SetWriteDeadline(time.Now().Add(time.Millisecond))
	<-written
	_ = s.SetWriteDeadline(time.Time{})
	_ = s.SetReadDeadline(time.Time{})
	p.must(p.fr.WriteWindowUpdate(1, 10))
	if n, err := s.Write([]byte("yz")); n != 2 || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
	for range 2 {
		if err := s.End(nil); err != nil {
			t.Error(err)
		}
	}
	p.head(1, false, ":status", "200")
	p.data(1, true, "x")
	readHead(t, s)
	if err := s.Ready(); err != nil || !s.Buffered() {
		t.Errorf("ready: %v", err)
	}
	if got := readAll(t, s); got != "x" {
		t.Errorf("%q", got)
	}
}
