package edge_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/topology"
)

// refusingFirst is a world whose gateway refuses the first streams that it sees,
// refused of them, when so many bytes of their body have come, and answers the
// others with their body.
func refusingFirst(t *testing.T, refused int64, after int) (w *world, streams *atomic.Int64) {
	t.Helper()
	streams = new(atomic.Int64)
	addr := origin(t, func(c *net.TCPConn, r *bufio.Reader) {
		if _, err := io.ReadFull(r, make([]byte, len(http2.ClientPreface))); err != nil {
			return
		}
		fr := http2.NewFramer(c, r)
		fr.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
		_ = fr.WriteSettings()
		refuses, bodies := map[uint32]bool{}, map[uint32][]byte{}
		for {
			f, err := fr.ReadFrame()
			if err != nil {
				return
			}
			id := f.Header().StreamID
			switch f := f.(type) {
			case *http2.SettingsFrame:
				if !f.IsAck() {
					_ = fr.WriteSettingsAck()
				}
			case *http2.MetaHeadersFrame:
				refuses[id] = streams.Add(1) <= refused
			case *http2.DataFrame:
				bodies[id] = append(bodies[id], f.Data()...)
				if n := uint32(len(f.Data())); n > 0 {
					_ = fr.WriteWindowUpdate(0, n)
					_ = fr.WriteWindowUpdate(id, n)
				}
				switch {
				case refuses[id] && len(bodies[id]) >= after:
					_ = fr.WriteRSTStream(id, http2.ErrCodeRefusedStream)
				case f.StreamEnded():
					answer(fr, id, bodies[id])
				}
			}
		}
	})
	return newWorld(t, func(top *topology.Topology) {
		top.Cells[2].Gateways, top.Cells[2].GRPCGateways = []string{"h2c://" + addr}, nil
	}, testcell.Options{}), streams
}

// answer answers a stream with a body.
func answer(fr *http2.Framer, id uint32, body []byte) {
	var block bytes.Buffer
	_ = hpack.NewEncoder(&block).WriteField(hpack.HeaderField{Name: ":status", Value: "200"})
	_ = fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block.Bytes(), EndHeaders: true})
	for len(body) > 10000 {
		_ = fr.WriteData(id, false, body[:10000])
		body = body[10000:]
	}
	_ = fr.WriteData(id, true, body)
}

// A stream that a gateway refuses goes out once more, with what was sent of its
// body, while the client goes on sending.
func TestStreamsThatTheGatewayRefuses(t *testing.T) {
	for _, c := range []struct {
		refused       int64
		first, second int // bytes of the body, before and after the refusal
		status        int
		streams       int64
	}{
		{1, 1, 0, 200, 2},
		{1, 100, 5000, 200, 2},
		{1, 16 << 10, 100_000, 200, 2},
		{1, 16<<10 + 1, 0, 502, 1}, // more than is kept
		{2, 100, 0, 502, 2},        // and no third time
	} {
		for _, name := range []string{"http1", "http2", "h2c", "http3"} {
			w, streams := refusingFirst(t, c.refused, c.first)
			body := content(c.first + c.second)
			pr, pw := io.Pipe()
			go func() {
				_, _ = pw.Write(body[:c.first])
				for streams.Load() < min(c.refused+1, c.streams) && t.Context().Err() == nil { // until the first part was refused
					time.Sleep(time.Millisecond)
				}
				_, _ = pw.Write(body[c.first:])
				_ = pw.Close()
			}()
			client := w.way(name)
			r := client.do(t, client.request(t, http.MethodPost, "/x", pr, -1))
			pr.Close()
			about := fmt.Sprintf("%s: %d bytes, then %d, refused %d times", name, c.first, c.second, c.refused)
			if r.StatusCode != c.status || c.status == 200 && !bytes.Equal(r.body, body) || c.status != 200 && r.kind() != "upstream-reset" {
				t.Errorf("%s: %d with %d bytes %.100q, %v", about, r.StatusCode, len(r.body), r.body, r.err)
			}
			if n := streams.Load(); n != c.streams {
				t.Errorf("%s: the gateway saw %d streams, want %d", about, n, c.streams)
			}
		}
	}
}

// way is the client of that name.
func (w *world) way(name string) way {
	w.t.Helper()
	for _, c := range w.ways() {
		if c.name == name {
			return c
		}
	}
	w.t.Fatalf("no client %s", name)
	return way{}
}
