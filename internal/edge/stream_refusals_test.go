package edge_test

import (
	"bytes"
	"runtime"
	"testing"

	"golang.org/x/net/http2"

	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/topology"
)

// takesNothing is a client that gives answers no room: their heads arrive, and
// nothing of what they say.
func (w *world) takesNothing(t *testing.T) *frames {
	t.Helper()
	f := w.frames(t)
	f.sent(f.fr.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0}))
	return f
}

// What the library refuses by itself ends like every other answer that the client
// does not take. Else a connection with such a stream would never be idle.
func TestRefusalByTheLibraryIsNotWaitedForForever(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(top *topology.Topology) { top.Timeouts.Write = topology.Duration(brief) }, testcell.Options{})
	for name, field := range map[string][2]string{
		"a header of one connection": {"te", "gzip"},
		"a head beyond its limit":    {"a", string(bytes.Repeat([]byte("a"), 200<<10))},
	} {
		f := w.takesNothing(t)
		f.inParts(1, append(opening(""), field[:]...)...)
		if got := f.fate(1); got.reset == 0 && got.away == 0 {
			t.Errorf("%s: the stream is still open: %+v", name, got)
		}
	}
}

// Heads that are refused do not stay for as long as their clients take no answer.
func TestRefusedHeadsAreNotKept(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{})
	for name, fields := range map[string]int{
		"over the limit":      2_000,
		"beyond what is read": 16_000,
	} {
		f := w.takesNothing(t)
		before := heap()
		const streams = 100
		// One byte each: the field accept-encoding with its value, in the table of RFC 7541.
		block := append(bytes.Clone(f.encoded(opening("")...)), bytes.Repeat([]byte{0x80 | 16}, fields)...)
		for i := range uint32(streams) {
			f.sent(f.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 2*i + 1, BlockFragment: block, EndStream: true, EndHeaders: true}))
		}
		for answered := 0; answered < streams; {
			fr, err := f.fr.ReadFrame()
			if err != nil {
				t.Fatalf("%s: %d answers, then %v", name, answered, err)
			}
			if head, ok := fr.(*http2.MetaHeadersFrame); ok {
				if answered++; head.PseudoValue("status") != "431" {
					t.Errorf("%s: %v", name, head.Fields)
				}
			}
		}
		if kept := heap() - before; kept > streams*200<<10 {
			t.Errorf("%s: %d KiB are kept for each of %d streams", name, kept/streams>>10, streams)
		}
		_ = f.nc.Close()
	}
}

// heap is how much memory is in use, in bytes.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) //nolint:gosec // far from overflow
}
