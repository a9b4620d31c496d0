package http2client_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"

	"github.com/homeward/homeward/internal/upstream/http2client"
)

func TestGoAwayInTheMiddle(t *testing.T) {
	ended := make(chan struct{})
	c, p := scripted(t, http2client.Options{Closed: func() { close(ended) }})
	kept, refused := begin(t, c, get("/"), true), begin(t, c, post("/"), false)
	if !c.Reserve() {
		t.Fatal("no slot")
	}
	p.must(p.fr.WriteGoAway(1, http2.ErrCodeNo, nil))
	if err := refused.ReadHead(new(http2client.Response)); !errors.Is(err, http2client.ErrRefused) {
		t.Errorf("read: %v", err)
	}
	if _, err := refused.Write([]byte("x")); !errors.Is(err, http2client.ErrRefused) {
		t.Errorf("write: %v", err)
	}
	if _, err := c.Begin(get("/"), true); !errors.Is(err, http2client.ErrRefused) {
		t.Errorf("begin: %v", err)
	}
	if c.Reserve() {
		t.Error("a slot after GOAWAY")
	}
	p.head(1, false, ":status", "200")
	p.data(1, true, "kept")
	readHead(t, kept)
	if got := readAll(t, kept); got != "kept" {
		t.Errorf("%q", got)
	}
	<-ended
}

func TestRefusedStream(t *testing.T) {
	c, p := scripted(t, http2client.Options{})
	s := begin(t, c, post("/"), false)
	p.must(p.fr.WriteRSTStream(1, http2.ErrCodeRefusedStream))
	err := s.ReadHead(new(http2client.Response))
	var reset http2client.StreamError
	if !errors.Is(err, http2client.ErrRefused) || !errors.As(err, &reset) || reset.Code != http2.ErrCodeRefusedStream {
		t.Error(err)
	}
	exchange(t, c, p, 3)

	begun := begin(t, c, get("/"), true)
	p.head(5, false, ":status", "200")
	p.must(p.fr.WriteRSTStream(5, http2.ErrCodeRefusedStream))
	if err := drain(begun); errors.Is(err, http2client.ErrRefused) || !errors.As(err, &reset) {
		t.Errorf("an answer had begun: %v", err)
	}
}

func TestResetInTheMiddle(t *testing.T) {
	c, p := scripted(t, http2client.Options{})
	s := begin(t, c, get("/"), true)
	p.head(1, false, ":status", "200")
	p.data(1, false, "half")
	p.must(p.fr.WriteRSTStream(1, http2.ErrCodeInternal))
	readHead(t, s)
	b, err := io.ReadAll(s)
	var reset http2client.StreamError
	if string(b) != "half" || !errors.As(err, &reset) || reset.Code != http2.ErrCodeInternal || errors.Is(err, http2client.ErrRefused) {
		t.Errorf("%q, %v", b, err)
	}
	if !s.Buffered() {
		t.Error("an error would be returned at once")
	}
}

func TestNotWanted(t *testing.T) {
	c, p := scripted(t, http2client.Options{})
	s := begin(t, c, post("/"), false)
	p.head(1, false, ":status", "413")
	p.data(1, true, "too much")
	p.settle()
	if c.Active() != 1 {
		t.Error("the slot is free before the request has ended")
	}
	if _, err := s.Write([]byte("more")); err != nil {
		t.Errorf("the request may go on after the answer: %v", err)
	}
	p.must(p.fr.WriteRSTStream(1, http2.ErrCodeNo))
	p.settle()
	if _, err := s.Write([]byte("more")); !errors.Is(err, http2client.ErrNotWanted) {
		t.Error(err)
	}
	if r := readHead(t, s); r.Status != 413 {
		t.Errorf("%+v", r)
	}
	if got := readAll(t, s); got != "too much" {
		t.Errorf("%q", got)
	}
}

func TestConnectionLost(t *testing.T) {
	c, p := scripted(t, http2client.Options{})
	s := begin(t, c, get("/"), true)
	p.head(1, false, ":status", "200")
	p.data(1, false, "half")
	p.settle()
	p.nc.Close()
	readHead(t, s)
	b, err := io.ReadAll(s)
	if string(b) != "half" || err == nil || errors.Is(err, io.EOF) || errors.Is(err, http2client.ErrRefused) {
		t.Errorf("%q, %v", b, err)
	}
	if c.Reserve() {
		t.Error("a slot of a connection that has ended")
	}
}

// TestPeerBreaksConnection has each frame end the connection with its code.
func TestPeerBreaksConnection(t *testing.T) {
	for name, test := range map[string]struct {
		code http2.ErrCode
		send func(p *peer)
	}{
		"push": {http2.ErrCodeProtocol, func(p *peer) {
			p.must(p.fr.WritePushPromise(http2.PushPromiseParam{StreamID: 1, PromiseID: 2, EndHeaders: true}))
		}},
		"data of an idle stream":   {http2.ErrCodeProtocol, func(p *peer) { p.data(3, false, "x") }},
		"head of an even stream":   {http2.ErrCodeProtocol, func(p *peer) { p.head(2, true, ":status", "200") }},
		"reset of an idle stream":  {http2.ErrCodeProtocol, func(p *peer) { p.must(p.fr.WriteRSTStream(5, http2.ErrCodeCancel)) }},
		"window of an idle stream": {http2.ErrCodeProtocol, func(p *peer) { p.must(p.fr.WriteWindowUpdate(5, 1)) }},
		"window of zero":           {http2.ErrCodeProtocol, func(p *peer) { p.must(p.fr.WriteWindowUpdate(0, 0)) }},
		"window too large":         {http2.ErrCodeFlowControl, func(p *peer) { p.must(p.fr.WriteWindowUpdate(0, 1<<31-1)) }},
		"initial window too large": {http2.ErrCodeFlowControl, func(p *peer) {
			p.must(p.fr.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 31}))
		}},
		"windows of all too large": {http2.ErrCodeFlowControl, func(p *peer) {
			p.must(p.fr.WriteWindowUpdate(1, 1<<30))
			p.must(p.fr.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1<<31 - 1}))
		}},
		"frame size too small": {http2.ErrCodeProtocol, func(p *peer) {
			p.must(p.fr.WriteSettings(http2.Setting{ID: http2.SettingMaxFrameSize, Val: 1<<14 - 1}))
		}},
		"frame size too large":   {http2.ErrCodeProtocol, func(p *peer) { p.must(p.fr.WriteSettings(http2.Setting{ID: http2.SettingMaxFrameSize, Val: 1 << 24})) }},
		"a gateway enables push": {http2.ErrCodeProtocol, func(p *peer) { p.must(p.fr.WriteSettings(http2.Setting{ID: http2.SettingEnablePush, Val: 1})) }},
		"extended connect of two": {http2.ErrCodeProtocol, func(p *peer) {
			p.must(p.fr.WriteSettings(http2.Setting{ID: http2.SettingEnableConnectProtocol, Val: 2}))
		}},
		"frame too large": {http2.ErrCodeFrameSize, func(p *peer) { p.data(1, false, strings.Repeat("x", 1<<14+1)) }},
		"block that is none": {http2.ErrCodeCompression, func(p *peer) {
			p.must(p.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte{0xff, 0xff, 0xff}, EndHeaders: true}))
		}},
		"padding beyond the frame": {http2.ErrCodeProtocol, func(p *peer) {
			p.must(p.fr.WriteRawFrame(http2.FrameHeaders, http2.FlagHeadersPadded|http2.FlagHeadersEndHeaders, 1, []byte{9, 0x88}))
		}},
		"head cut by another frame": {http2.ErrCodeProtocol, func(p *peer) { p.must(p.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1})); p.data(1, false, "x") }},
		"lone continuation":         {http2.ErrCodeProtocol, func(p *peer) { p.must(p.fr.WriteContinuation(1, true, nil)) }},
		"endless continuation": {http2.ErrCodeProtocol, func(p *peer) {
			block := append([]byte(nil), p.encode("x-a", strings.Repeat("a", 15000))...)
			p.must(p.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: p.encode(":status", "200")}))
			for range 100 {
				if p.fr.WriteContinuation(1, false, block) != nil {
					return // it has ended already
				}
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			ended := make(chan struct{})
			c, p := scripted(t, http2client.Options{Closed: func() { close(ended) }})
			s := begin(t, c, post("/"), false)
			test.send(p)
			if f := p.await(http2.FrameGoAway); f.code != test.code {
				t.Errorf("GOAWAY with %s", f.code)
			}
			<-ended
			var broken http2client.ProtocolError
			if err := s.ReadHead(new(http2client.Response)); !errors.As(err, &broken) {
				t.Error(err)
			}
		})
	}
}

// deaf opens a connection through a pipe to a gateway that reads nothing more
// after the start.
func deaf(t *testing.T, o http2client.Options) (*http2client.Conn, *http2.Framer) {
	t.Helper()
	near, far := net.Pipe()
	t.Cleanup(func() { far.Close() })
	fr := http2.NewFramer(far, far)
	started := make(chan error)
	go func() {
		_, err := io.ReadFull(far, make([]byte, len(http2.ClientPreface)))
		for range 2 { // SETTINGS, WINDOW_UPDATE
			if err == nil {
				_, err = fr.ReadFrame()
			}
		}
		if err == nil {
			err = fr.WriteSettings()
		}
		if err == nil {
			_, err = fr.ReadFrame() // the acknowledgement
		}
		started <- err
	}()
	c := open(t, near, o)
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	return c, fr
}

func TestFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, fr := deaf(t, http2client.Options{Write: time.Hour})
		n := 0
		for fr.WritePing(false, [8]byte{}) == nil {
			n++
		}
		if n < 10_000 || n > 20_100 { // one lot queued, at most another being written
			t.Errorf("%d frames waited for their answers", n)
		}
		if c.Reserve() {
			t.Error("the connection goes on")
		}
	})
}

// TestStalledWrite has a gateway that takes no bytes.
func TestStalledWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := deaf(t, http2client.Options{Write: 5 * time.Second})
		if !c.Reserve() {
			t.Fatal("no slot")
		}
		start := time.Now()
		_, err := c.Begin(get("/"), true)
		if after := time.Since(start); after != 5*time.Second || !errors.Is(err, http2client.ErrUnresponsive) {
			t.Errorf("after %v: %v", after, err)
		}
	})
}

func TestFirstFrame(t *testing.T) {
	for name, test := range map[string]struct {
		send string
		want error
	}{
		"HTTP/1.1":     {"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", http2client.ErrNotHTTP2},
		"TLS":          {"\x15\x03\x01\x00\x02\x02\x50", http2client.ErrNotHTTP2},
		"SSH":          {"SSH-2.0-OpenSSH_9.6\r\n", http2client.ErrNotHTTP2},
		"another":      {"\x00\x00\x08\x06\x00\x00\x00\x00\x0012345678", http2client.ErrNotHTTP2},
		"settings ack": {"\x00\x00\x00\x04\x01\x00\x00\x00\x00", http2client.ErrNotHTTP2},
		"nothing":      {"", io.ErrUnexpectedEOF},
	} {
		t.Run(name, func(t *testing.T) {
			near, far := socket(t)
			_, _ = io.WriteString(far, test.send)
			_ = far.(*net.TCPConn).CloseWrite()
			defer far.Close()
			if _, err := http2client.Open(t.Context(), near, http2client.Options{}); !errors.Is(err, test.want) {
				t.Error(err)
			}
		})
	}
}

func TestOpenWithinContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer far.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := http2client.Open(ctx, near, http2client.Options{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

// piped is scripted over a pipe, which virtual time knows, and a socket is not.
func piped(t *testing.T, o http2client.Options) (*http2client.Conn, *peer) {
	t.Helper()
	near, far := net.Pipe()
	p := newPeer(t, far)
	sent := make(chan error, 1)
	go func() { sent <- p.fr.WriteSettings() }()
	c := open(t, near, o)
	p.must(<-sent)
	return c, p
}

// TestCalm counts the signs of life that are asked for while streams are silent.
// A server of gRPC takes the third within 5 minutes, and without an answer in
// between, for an attack.
func TestCalm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := piped(t, http2client.Options{Interval: 20 * time.Second, Timeout: 10 * time.Second})
		s := begin(t, c, get("/"), true)
		defer s.Cancel()
		start := time.Now()
		asked := func(after time.Duration) {
			t.Helper()
			p.await(http2.FramePing)
			if got := time.Since(start); got < after || got > after+time.Minute {
				t.Errorf("asked after %v, want %v or little more", got, after)
			}
			time.Sleep(time.Second)
			p.must(p.fr.WritePing(true, [8]byte{}))
		}
		asked(20 * time.Second)
		asked(5 * time.Minute)
		asked(10 * time.Minute)
		time.Sleep(time.Minute)
		p.head(1, false, ":status", "200")
		start = time.Now() // another silence
		asked(20 * time.Second)
		asked(5 * time.Minute)
	})
}

func TestHealth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := piped(t, http2client.Options{Interval: 10 * time.Second, Timeout: 3 * time.Second})
		time.Sleep(time.Hour) // no streams: nothing is asked
		s := begin(t, c, get("/"), true)
		start := time.Now()
		p.await(http2.FramePing)
		if after := time.Since(start); after != 10*time.Second {
			t.Errorf("asked after %v", after)
		}
		time.Sleep(2 * time.Second)
		p.head(1, false, ":status", "103")
		p.must(p.fr.WritePing(true, [8]byte{}))
		if err := s.ReadHead(new(http2client.Response)); err != nil {
			t.Error(err)
		}
		err := s.ReadHead(new(http2client.Response))
		if after := time.Since(start); after != 25*time.Second || !errors.Is(err, http2client.ErrUnresponsive) {
			t.Errorf("after %v: %v", after, err)
		}
	})
}
