package http2client_test

import (
	"bytes"
	"io"
	"net"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/homeward/homeward/internal/upstream/http2client"
)

// peer is a gateway that does what a test says, frame by frame.
type peer struct {
	tb     testing.TB
	nc     net.Conn
	fr     *http2.Framer
	enc    *hpack.Encoder
	block  bytes.Buffer
	frames chan frame // what came, closed at the end of the connection
}

// frame is one frame as it came, a head with its CONTINUATIONs as one.
type frame struct {
	http2.FrameHeader
	fields   []hpack.HeaderField
	data     []byte
	code     http2.ErrCode // of RST_STREAM and GOAWAY
	n        uint32        // of WINDOW_UPDATE
	settings map[http2.SettingID]uint32
}

// newPeer takes the gateway's end of a connection. It reads until the end, in
// the background.
func newPeer(tb testing.TB, nc net.Conn) *peer {
	p := &peer{tb: tb, nc: nc, fr: http2.NewFramer(nc, nc), frames: make(chan frame, 1<<15)}
	p.fr.AllowIllegalWrites = true
	p.fr.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	p.fr.SetMaxReadFrameSize(1<<24 - 1)
	p.enc = hpack.NewEncoder(&p.block)
	go func() {
		defer close(p.frames)
		if _, err := io.ReadFull(nc, make([]byte, len(http2.ClientPreface))); err != nil {
			return
		}
		for {
			f, err := p.fr.ReadFrame()
			if err != nil {
				return
			}
			p.frames <- seen(f)
		}
	}()
	tb.Cleanup(func() {
		nc.Close()
		for range p.frames { // until its goroutine ends
		}
	})
	return p
}

func seen(f http2.Frame) frame {
	s := frame{FrameHeader: f.Header()}
	switch f := f.(type) {
	case *http2.DataFrame:
		s.data = bytes.Clone(f.Data())
	case *http2.MetaHeadersFrame:
		s.fields = f.Fields
	case *http2.RSTStreamFrame:
		s.code = f.ErrCode
	case *http2.GoAwayFrame:
		s.code = f.ErrCode
	case *http2.WindowUpdateFrame:
		s.n = f.Increment
	case *http2.SettingsFrame:
		s.settings = map[http2.SettingID]uint32{}
		_ = f.ForeachSetting(func(v http2.Setting) error { s.settings[v.ID] = v.Val; return nil })
	}
	return s
}

// scripted opens a connection over a loopback socket to a peer, which sends
// these settings first.
func scripted(tb testing.TB, o http2client.Options, settings ...http2.Setting) (*http2client.Conn, *peer) {
	tb.Helper()
	near, far := socket(tb)
	p := newPeer(tb, far)
	p.must(p.fr.WriteSettings(settings...))
	return open(tb, near, o), p
}

func socket(tb testing.TB) (near, far net.Conn) {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	if near, err = net.Dial("tcp", l.Addr().String()); err != nil {
		tb.Fatal(err)
	}
	if far, err = l.Accept(); err != nil {
		tb.Fatal(err)
	}
	return near, far
}

func (p *peer) must(err error) {
	p.tb.Helper()
	if err != nil {
		p.tb.Fatal(err)
	}
}

// await returns the next frame of a type, whatever comes before it.
func (p *peer) await(t http2.FrameType) frame {
	p.tb.Helper()
	for f := range p.frames {
		if f.Type == t && !(t == http2.FrameSettings && f.Flags.Has(http2.FlagSettingsAck)) {
			return f
		}
	}
	p.tb.Fatalf("the connection ended before a %s frame", t)
	return frame{}
}

// settle returns when the connection has handled all that was sent to it.
func (p *peer) settle() {
	p.tb.Helper()
	p.must(p.fr.WritePing(false, [8]byte{'s'}))
	for f := range p.frames {
		if f.Type == http2.FramePing && f.Flags.Has(http2.FlagPingAck) {
			return
		}
	}
	p.tb.Fatal("the connection ended")
}

// encode is a block of names and values in turns.
func (p *peer) encode(pairs ...string) []byte {
	p.block.Reset()
	for i := 0; i < len(pairs); i += 2 {
		p.must(p.enc.WriteField(hpack.HeaderField{Name: pairs[i], Value: pairs[i+1]}))
	}
	return p.block.Bytes()
}

func (p *peer) head(id uint32, end bool, pairs ...string) {
	p.tb.Helper()
	p.must(p.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: p.encode(pairs...), EndStream: end, EndHeaders: true}))
}

func (p *peer) data(id uint32, end bool, s string) {
	p.tb.Helper()
	p.must(p.fr.WriteData(id, end, []byte(s)))
}
