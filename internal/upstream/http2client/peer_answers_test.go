package http2client_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/homeward/homeward/internal/upstream/http2client"
	"github.com/homeward/homeward/route"
)

func TestHeadOnTheWire(t *testing.T) {
	c, p := scripted(t, http2client.Options{Sensitive: func(name string) bool { return name == "x-api-key" }})
	s := begin(t, c, &http2client.Head{
		Method: "GET", Scheme: "https", Authority: "api.test", Path: "/%7e//a?token=1",
		Fields: []route.Field{{Name: "X-B", Value: "1"}, {Name: "Authorization", Value: "Bearer x"}, {Name: "X-Api-Key", Value: "k"}, {Name: "x-b", Value: "2"}, {Name: "Cookie", Value: "a=b; c=d"}},
	}, true)
	f := p.await(http2.FrameHeaders)
	want := []hpack.HeaderField{
		{Name: ":method", Value: "GET"}, {Name: ":scheme", Value: "https"}, {Name: ":authority", Value: "api.test"},
		{Name: ":path", Value: "/%7e//a?token=1", Sensitive: true},
		{Name: "x-b", Value: "1"}, {Name: "authorization", Value: "Bearer x", Sensitive: true},
		{Name: "x-api-key", Value: "k", Sensitive: true}, {Name: "x-b", Value: "2"}, {Name: "cookie", Value: "a=b; c=d", Sensitive: true},
	}
	if diff := cmp.Diff(want, f.fields); diff != "" {
		t.Error(diff)
	}
	if !f.Flags.Has(http2.FlagHeadersEndStream) {
		t.Error("the request does not end")
	}
	p.head(1, true, ":status", "204", "x-a", "1", "etag", `"x"`, "x-a", "2")
	r := readHead(t, s)
	if diff := cmp.Diff(http2client.Response{Status: 204, End: true, Fields: []route.Field{{Name: "X-A", Value: "1"}, {Name: "Etag", Value: `"x"`}, {Name: "X-A", Value: "2"}}}, r); diff != "" {
		t.Error(diff)
	}
}

func TestInterimTrailerPadding(t *testing.T) {
	c, p := scripted(t, http2client.Options{})
	s := begin(t, c, get("/"), true)
	p.head(1, false, ":status", "103", "link", "</a>")
	p.head(1, false, ":status", "199")
	p.head(1, false, ":status", "200", "content-length", "5")
	p.must(p.fr.WriteDataPadded(1, false, []byte("he"), make([]byte, 200)))
	p.must(p.fr.WriteDataPadded(1, false, nil, make([]byte, 200)))
	p.data(1, false, "llo")
	p.head(1, true, "grpc-status", "0")
	for _, want := range []int{103, 199, 200} {
		if r := readHead(t, s); r.Status != want || r.End {
			t.Errorf("%+v, want %d", r, want)
		}
	}
	if got := readAll(t, s); got != "hello" {
		t.Errorf("%q", got)
	}
	if got := value(s.Trailer(), "Grpc-Status"); got != "0" {
		t.Errorf("trailer %q", got)
	}
	if err := s.ReadHead(new(http2client.Response)); err == nil {
		t.Error("there is a head after the final one")
	}
}

func TestContinuationBothWays(t *testing.T) {
	c, p := scripted(t, http2client.Options{})
	large := strings.Repeat("0123456789abcdef~", 5000)
	s := begin(t, c, get("/", route.Field{Name: "X-Large", Value: large}), true)
	f := p.await(http2.FrameHeaders)
	if got := f.fields[len(f.fields)-1]; got.Value != large || f.Flags.Has(http2.FlagHeadersEndHeaders) {
		t.Errorf("%d bytes, flags %v", len(got.Value), f.Flags)
	}
	block := p.encode(":status", "200", "x-large", large)
	p.must(p.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block[:10], EndStream: true, PadLength: 9}))
	for block = block[10:]; len(block) > 16000; block = block[16000:] {
		p.must(p.fr.WriteContinuation(1, false, block[:16000]))
	}
	p.must(p.fr.WriteContinuation(1, true, block))
	if r := readHead(t, s); value(r.Fields, "X-Large") != large || !r.End {
		t.Errorf("%d bytes", len(value(r.Fields, "X-Large")))
	}
}

// TestMalformedAnswers has each answer reset with PROTOCOL_ERROR, alone: the
// connection goes on.
func TestMalformedAnswers(t *testing.T) {
	for name, send := range map[string]func(p *peer){
		"upper case":               func(p *peer) { p.head(1, true, ":status", "200", "X-A", "1") },
		"no status":                func(p *peer) { p.head(1, true, "x-a", "1") },
		"two statuses":             func(p *peer) { p.head(1, true, ":status", "200", ":status", "200") },
		"status of two digits":     func(p *peer) { p.head(1, true, ":status", "20") },
		"status with a sign":       func(p *peer) { p.head(1, true, ":status", "+20") },
		"status 101":               func(p *peer) { p.head(1, false, ":status", "101") },
		"pseudo of a request":      func(p *peer) { p.head(1, true, ":path", "/") },
		"unknown pseudo":           func(p *peer) { p.head(1, true, ":status", "200", ":x", "/") },
		"pseudo after a field":     func(p *peer) { p.head(1, true, "x-a", "1", ":status", "200") },
		"connection":               func(p *peer) { p.head(1, true, ":status", "200", "connection", "close") },
		"transfer-encoding":        func(p *peer) { p.head(1, true, ":status", "200", "transfer-encoding", "chunked") },
		"white space":              func(p *peer) { p.head(1, true, ":status", "200", "x-a", " 1") },
		"line break":               func(p *peer) { p.head(1, true, ":status", "200", "x-a", "1\r\nx-b: 2") },
		"two lengths":              func(p *peer) { p.head(1, true, ":status", "200", "content-length", "0", "content-length", "0") },
		"length is no number":      func(p *peer) { p.head(1, true, ":status", "200", "content-length", "0, 0") },
		"interim ends":             func(p *peer) { p.head(1, true, ":status", "103") },
		"data before the head":     func(p *peer) { p.data(1, true, "x") },
		"data after an interim":    func(p *peer) { p.head(1, false, ":status", "103"); p.data(1, true, "x") },
		"too long":                 func(p *peer) { p.head(1, false, ":status", "200", "content-length", "1"); p.data(1, false, "xy") },
		"too short":                func(p *peer) { p.head(1, false, ":status", "200", "content-length", "3"); p.data(1, true, "xy") },
		"too short, in the head":   func(p *peer) { p.head(1, true, ":status", "200", "content-length", "3") },
		"too short with a trailer": func(p *peer) { p.head(1, false, ":status", "200", "content-length", "3"); p.head(1, true, "x-a", "1") },
		"data of a 304":            func(p *peer) { p.head(1, false, ":status", "304"); p.data(1, true, "x") },
		"pseudo in the trailer":    func(p *peer) { p.head(1, false, ":status", "200"); p.head(1, true, ":status", "200") },
		"trailer does not end":     func(p *peer) { p.head(1, false, ":status", "200"); p.head(1, false, "x-a", "1") },
		"many interims": func(p *peer) {
			for range 50 {
				p.head(1, false, ":status", "103")
			}
		},
		"large interims": func(p *peer) {
			for range 30 {
				p.head(1, false, ":status", "103", "x-a", strings.Repeat("a", 15000))
			}
		},
		"window of zero": func(p *peer) { p.must(p.fr.WriteWindowUpdate(1, 0)) },
	} {
		t.Run(name, func(t *testing.T) {
			c, p := scripted(t, http2client.Options{})
			s := begin(t, c, post("/"), false)
			send(p)
			if f := p.await(http2.FrameRSTStream); f.code != http2.ErrCodeProtocol || f.StreamID != 1 {
				t.Errorf("reset with %s", f.code)
			}
			var broken http2client.ProtocolError
			if err := drain(s); !errors.As(err, &broken) {
				t.Errorf("read: %v", err)
			}
			if _, err := s.Write([]byte("x")); !errors.As(err, &broken) {
				t.Errorf("write: %v", err)
			}
			exchange(t, c, p, 3)
		})
	}
}

// drain reads a stream to its end and returns the error.
func drain(s *http2client.Stream) error {
	for r := (http2client.Response{}); r.Status < 200; {
		if err := s.ReadHead(&r); err != nil {
			return err
		}
	}
	_, err := io.Copy(io.Discard, s)
	return err
}

// exchange makes sure that the connection still works: the stream has this id.
func exchange(t *testing.T, c *http2client.Conn, p *peer, id uint32) {
	t.Helper()
	s := begin(t, c, get("/"), true)
	p.head(id, false, ":status", "200")
	p.data(id, true, "fine")
	readHead(t, s)
	if got := readAll(t, s); got != "fine" {
		t.Errorf("%q", got)
	}
}

func TestHeadTooLarge(t *testing.T) {
	c, p := scripted(t, http2client.Options{MaxHead: 1000})
	if got := p.await(http2.FrameSettings).settings[http2.SettingMaxHeaderListSize]; got != 1000 {
		t.Errorf("announced %d", got)
	}
	s := begin(t, c, get("/"), true)
	p.head(1, true, ":status", "200", "x-a", strings.Repeat("a", 900), "x-b", strings.Repeat("b", 900))
	var broken http2client.ProtocolError
	if err := s.ReadHead(new(http2client.Response)); !errors.As(err, &broken) {
		t.Error(err)
	}
	exchange(t, c, p, 3)
}

// TestHeadTooLargeInParts has a head that is over the limit before its last frame: it
// costs its stream, not those of others.
func TestHeadTooLargeInParts(t *testing.T) {
	c, p := scripted(t, http2client.Options{MaxHead: 1000})
	s := begin(t, c, get("/"), true)
	block := p.encode(":status", "200", "x-a", strings.Repeat("~", 900), "x-b", strings.Repeat("~", 900))
	p.must(p.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block[:len(block)-10]}))
	p.must(p.fr.WriteContinuation(1, false, block[len(block)-10:]))
	p.must(p.fr.WriteContinuation(1, true, p.encode("x-c", "c")))
	var broken http2client.ProtocolError
	if err := s.ReadHead(new(http2client.Response)); !errors.As(err, &broken) {
		t.Error(err)
	}
	exchange(t, c, p, 3)
}

func TestLengthWithoutBody(t *testing.T) {
	c, p := scripted(t, http2client.Options{})
	h := get("/")
	h.Method = "HEAD"
	s := begin(t, c, h, true)
	p.head(1, true, ":status", "200", "content-length", "7")
	if r := readHead(t, s); !r.End || value(r.Fields, "Content-Length") != "7" {
		t.Errorf("%+v", r)
	}
	if got := readAll(t, s); got != "" {
		t.Errorf("%q", got)
	}
}

func TestExtendedConnect(t *testing.T) {
	c, p := scripted(t, http2client.Options{}, http2.Setting{ID: http2.SettingEnableConnectProtocol, Val: 1})
	if !c.ExtendedConnect() {
		t.Fatal("not allowed")
	}
	h := get("/ws")
	h.Method, h.Protocol = "CONNECT", "websocket"
	s := begin(t, c, h, false)
	if got := fmt.Sprint(p.await(http2.FrameHeaders).fields); !strings.Contains(got, `":protocol" = "websocket"`) {
		t.Error(got)
	}
	p.head(1, false, ":status", "200", "content-length", "1")
	readHead(t, s)
	for _, part := range []string{"ping", "pong"} {
		if _, err := s.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
		if got := p.await(http2.FrameData).data; string(got) != part {
			t.Errorf("%q", got)
		}
		p.data(1, false, part)
		b := make([]byte, 4)
		if _, err := io.ReadFull(s, b); err != nil || string(b) != part {
			t.Errorf("%q, %v", b, err)
		}
	}
	p.data(1, true, "")
	if _, err := s.Read(make([]byte, 1)); err != io.EOF {
		t.Error(err)
	}
	if c.Active() != 1 {
		t.Error("half a tunnel holds no slot")
	}
	if err := s.End(nil); err != nil {
		t.Error(err)
	}
}

func TestExtendedConnectNotAllowed(t *testing.T) {
	c, _ := scripted(t, http2client.Options{})
	if !c.Reserve() {
		t.Fatal("no slot")
	}
	h := get("/ws")
	h.Method, h.Protocol = "CONNECT", "websocket"
	if _, err := c.Begin(h, false); err == nil || errors.Is(err, http2client.ErrRefused) {
		t.Error(err) // another connection would not take it either
	}
}

// TestUnsendable has heads refused that HTTP/2 or a gateway could read as
// something else.
func TestUnsendable(t *testing.T) {
	c, p := scripted(t, http2client.Options{})
	for _, f := range []route.Field{{Name: ":path", Value: "/"}, {Name: "", Value: "x"}, {Name: "X A", Value: "x"}, {Name: "X-A", Value: "a\r\nx-b: c"}, {Name: "X-A", Value: "\x00"}} {
		if !c.Reserve() {
			t.Fatal("no slot")
		}
		if _, err := c.Begin(get("/", f), true); err == nil {
			t.Errorf("sent: %q", f)
		}
		s := begin(t, c, post("/"), false)
		if err := s.End([]route.Field{f}); err == nil {
			t.Errorf("sent as a trailer: %q", f)
		}
		s.Cancel()
	}
	if c.Active() != 0 {
		t.Error("slots leaked")
	}
	exchange(t, c, p, 11)
}
