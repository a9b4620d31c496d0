package edge_test

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// frames is a client of HTTP/2 that sends what a test says, whether or not the
// protocol allows it.
type frames struct {
	t     *testing.T
	nc    net.Conn
	fr    *http2.Framer
	enc   *hpack.Encoder
	block bytes.Buffer
	pongs int // answers to pings that were read
}

// frames opens a plain connection of HTTP/2.
func (w *world) frames(t *testing.T) *frames {
	t.Helper()
	f := &frames{t: t, nc: w.dial()}
	f.fr = http2.NewFramer(f.nc, f.nc)
	f.fr.AllowIllegalWrites = true
	f.fr.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	f.enc = hpack.NewEncoder(&f.block)
	if _, err := io.WriteString(f.nc, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	f.sent(f.fr.WriteSettings())
	return f
}

func (f *frames) sent(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatalf("send a frame: %v", err)
	}
}

// head sends the head of a request, or a trailer: names and values by turns.
func (f *frames) head(stream uint32, end bool, fields ...string) {
	f.t.Helper()
	f.sent(f.begin(stream, end, fields...))
}

// begin is head, but tells an error.
func (f *frames) begin(stream uint32, end bool, fields ...string) error {
	return f.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: f.encoded(fields...), EndStream: end, EndHeaders: true})
}

// inParts sends the head of a request without a body in frames of 16 KiB at most.
func (f *frames) inParts(stream uint32, fields ...string) {
	f.t.Helper()
	block := f.encoded(fields...)
	n := min(len(block), 16<<10)
	f.sent(f.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: block[:n], EndStream: true, EndHeaders: n == len(block)}))
	for block = block[n:]; len(block) > 0; block = block[n:] {
		n = min(len(block), 16<<10)
		if f.fr.WriteContinuation(stream, n == len(block), block[:n]) != nil {
			return // who refuses it does not wait for its rest
		}
	}
}

// encoded is a head as a block, valid until the next.
func (f *frames) encoded(fields ...string) []byte {
	f.block.Reset()
	for i := 0; i < len(fields); i += 2 {
		_ = f.enc.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	return f.block.Bytes()
}

func (f *frames) data(stream uint32, end bool, p string) {
	f.t.Helper()
	f.sent(f.fr.WriteData(stream, end, []byte(p)))
}

// fate is what became of a stream.
type fate struct {
	status string // "" for no answer
	header map[string]string
	body   string
	whole  bool          // the answer ended as it should
	reset  http2.ErrCode // of the stream
	away   http2.ErrCode // of the connection, if the stream ended with that
	lost   bool          // the connection ended without a word
}

// refused reports whether the stream ended without an answer of a cell.
func (f fate) refused() bool {
	return f.status == "" || f.status >= "400" && f.header["homeward-error"] != "" || f.status == "400"
}

// fate reads until the stream has ended. It must be the only one that is open.
func (f *frames) fate(stream uint32) fate {
	f.t.Helper()
	out := fate{header: map[string]string{}}
	for {
		fr, err := f.fr.ReadFrame()
		if err != nil {
			out.lost = true
			return out
		}
		switch fr := fr.(type) {
		case *http2.SettingsFrame:
			if !fr.IsAck() {
				f.sent(f.fr.WriteSettingsAck())
			}
		case *http2.PingFrame:
			f.pongs++
		case *http2.GoAwayFrame:
			if fr.ErrCode != http2.ErrCodeNo {
				out.away = fr.ErrCode
				return out
			}
		}
		if fr.Header().StreamID != stream {
			continue
		}
		switch fr := fr.(type) {
		case *http2.MetaHeadersFrame:
			for _, field := range fr.Fields {
				out.header[field.Name] = field.Value
			}
			out.status = out.header[":status"]
			out.whole = fr.StreamEnded()
		case *http2.DataFrame:
			out.body += string(fr.Data())
			out.whole = fr.StreamEnded()
		case *http2.RSTStreamFrame:
			out.reset = fr.ErrCode
			return out
		}
		if out.whole && !strings.HasPrefix(out.status, "1") {
			return out
		}
	}
}
