package http2client_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"golang.org/x/net/http2"

	"github.com/homeward/homeward/internal/upstream/http2client"
	"github.com/homeward/homeward/route"
)

func TestFirstSettings(t *testing.T) {
	_, p := scripted(t, http2client.Options{Window: 5000})
	got := p.await(http2.FrameSettings).settings
	if v, ok := got[http2.SettingEnablePush]; !ok || v != 0 {
		t.Error("push is not switched off")
	}
	if got[http2.SettingInitialWindowSize] != 5000 {
		t.Errorf("window %d", got[http2.SettingInitialWindowSize])
	}
	if f := p.await(http2.FrameWindowUpdate); f.StreamID != 0 || f.n < 1<<20 {
		t.Errorf("%+v", f)
	}
}

// TestSendWindow changes the window of a stream in the middle of its body.
func TestSendWindow(t *testing.T) {
	c, p := scripted(t, http2client.Options{}, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 10})
	s := begin(t, c, post("/"), false)
	written := make(chan error)
	go func() {
		n, err := s.Write([]byte(strings.Repeat("x", 25)))
		if err == nil && n != 25 {
			err = io.ErrShortWrite
		}
		written <- err
	}()
	next := func(want int) {
		t.Helper()
		if got := len(p.await(http2.FrameData).data); got != want {
			t.Errorf("%d bytes of DATA, want %d", got, want)
		}
	}
	next(10)
	p.must(p.fr.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 4})) // window -6
	p.must(p.fr.WriteWindowUpdate(1, 6))                                                  // window 0
	p.settle()
	p.must(p.fr.WriteWindowUpdate(1, 2))
	next(2)
	p.must(p.fr.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 40}))
	next(13)
	if err := <-written; err != nil {
		t.Error(err)
	}
}

func TestSendWindowOfConnection(t *testing.T) {
	c, p := scripted(t, http2client.Options{}, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 20})
	s := begin(t, c, post("/"), false)
	written := make(chan error)
	go func() {
		_, err := s.Write(make([]byte, 100_000))
		written <- err
	}()
	for left := 65535; left > 0; {
		left -= len(p.await(http2.FrameData).data)
		if left < 0 {
			t.Fatal("more than the window of the connection")
		}
	}
	p.must(p.fr.WriteWindowUpdate(0, 1<<20))
	if err := <-written; err != nil {
		t.Error(err)
	}
}

func TestFrameSize(t *testing.T) {
	c, p := scripted(t, http2client.Options{}, http2.Setting{ID: http2.SettingMaxFrameSize, Val: 20_000})
	s := begin(t, c, post("/"), false)
	if _, err := s.Write(make([]byte, 30_000)); err != nil {
		t.Fatal(err)
	}
	if got := len(p.await(http2.FrameData).data); got != 20_000 {
		t.Errorf("a frame of %d bytes", got)
	}
}

func TestReceiveWindow(t *testing.T) {
	c, p := scripted(t, http2client.Options{Window: 1000})
	s := begin(t, c, get("/"), true)
	p.await(http2.FrameWindowUpdate) // of the connection
	p.head(1, false, ":status", "200")
	p.data(1, false, strings.Repeat("x", 1000))
	readHead(t, s)
	b := make([]byte, 499)
	if _, err := io.ReadFull(s, b); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(s, b[:201]); err != nil {
		t.Fatal(err)
	}
	if f := p.await(http2.FrameWindowUpdate); f.StreamID != 1 || f.n < 500 || f.n > 700 {
		t.Errorf("%+v", f)
	}
	p.data(1, false, strings.Repeat("x", 800))
	if f := p.await(http2.FrameRSTStream); f.code != http2.ErrCodeFlowControl {
		t.Errorf("%+v", f)
	}
	n, err := io.Copy(io.Discard, s)
	var broken http2client.ProtocolError
	if n != 300 || !errors.As(err, &broken) {
		t.Errorf("%d bytes, %v", n, err)
	}
	exchange(t, c, p, 3)
}

// TestDataAfterCancel has the connection take and forget what still comes for
// a stream that was given up, and give its window back.
func TestDataAfterCancel(t *testing.T) {
	c, p := scripted(t, http2client.Options{})
	s := begin(t, c, get("/"), true)
	p.await(http2.FrameWindowUpdate)
	p.head(1, false, ":status", "200")
	readHead(t, s)
	s.Cancel()
	if f := p.await(http2.FrameRSTStream); f.code != http2.ErrCodeCancel {
		t.Errorf("%+v", f)
	}
	part := strings.Repeat("x", 1<<14)
	for range 9 << 20 >> 14 {
		p.data(1, false, part)
	}
	if f := p.await(http2.FrameWindowUpdate); f.StreamID != 0 || f.n < 8<<20 {
		t.Errorf("%+v", f)
	}
	p.head(1, true, "x-a", "1")
	exchange(t, c, p, 3)
}

func TestCompressionTableSwitchedOff(t *testing.T) {
	c, p := scripted(t, http2client.Options{}, http2.Setting{ID: http2.SettingHeaderTableSize, Val: 0})
	f := route.Field{Name: "X-Repeated", Value: "the same each time"}
	var sizes []uint32
	for range 3 {
		begin(t, c, get("/", f), true)
		got := p.await(http2.FrameHeaders)
		sizes = append(sizes, got.Length)
		if last := got.fields[len(got.fields)-1]; last.Value != f.Value {
			t.Errorf("%v", last)
		}
	}
	if sizes[1] != sizes[2] || sizes[0] < sizes[1] {
		t.Errorf("blocks of %v bytes: something was put into the table", sizes)
	}
}

// TestHeadThatTheGatewayDoesNotTake has heads and trailers over the gateway's limit
// not sent: it would end the connection for the others, too.
func TestHeadThatTheGatewayDoesNotTake(t *testing.T) {
	c, p := scripted(t, http2client.Options{}, http2.Setting{ID: http2.SettingMaxHeaderListSize, Val: 1000})
	large := route.Field{Name: "X-A", Value: strings.Repeat("a", 1000)}
	if !c.Reserve() {
		t.Fatal("no slot")
	}
	if _, err := c.Begin(get("/", large), true); !errors.Is(err, http2client.ErrHeadTooLarge) || errors.Is(err, http2client.ErrRefused) {
		t.Errorf("begin: %v", err)
	}
	s := begin(t, c, post("/"), false)
	if err := s.End([]route.Field{large}); !errors.Is(err, http2client.ErrHeadTooLarge) {
		t.Errorf("end: %v", err)
	}
	if err := s.ReadHead(new(http2client.Response)); !errors.Is(err, http2client.ErrHeadTooLarge) {
		t.Errorf("read: %v", err)
	}
	if f := p.await(http2.FrameRSTStream); f.code != http2.ErrCodeCancel {
		t.Errorf("reset with %s", f.code)
	}
	exchange(t, c, p, 3)
}

func TestConcurrentStreams(t *testing.T) {
	limit := func(n uint32) http2.Setting { return http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: n} }
	c, p := scripted(t, http2client.Options{MaxStreams: 3}, limit(2))
	begin(t, c, get("/"), true)
	begin(t, c, get("/"), true)
	if c.Reserve() {
		t.Fatal("a third slot of two")
	}
	p.must(p.fr.WriteSettings(limit(1)))
	p.head(1, true, ":status", "200")
	p.settle()
	if c.Active() != 1 || c.Reserve() {
		t.Error("a second slot of one")
	}
	p.must(p.fr.WriteSettings(limit(100)))
	p.settle()
	for range 2 {
		if !c.Reserve() {
			t.Fatal("not three slots in all")
		}
	}
	if c.Reserve() {
		t.Error("four slots of three")
	}
	c.Release()
	p.must(p.fr.WriteSettings(limit(1)))
	p.settle()
	if _, err := c.Begin(get("/"), true); !errors.Is(err, http2client.ErrRefused) {
		t.Errorf("a second stream of one, whose slot is older: %v", err)
	}
	if _, idle := c.Idle(); idle || c.Active() != 1 {
		t.Error("the last stream is gone")
	}
}
