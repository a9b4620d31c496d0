package edge_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"

	"github.com/homeward/homeward/internal/testcell/echo"
)

func TestMetadataPassesBothWays(t *testing.T) {
	eachCaller(t, func(t *testing.T, c caller) {
		ctx := calling(t, euToken, "x-two", "1", "x-two", "2", "x-raw-bin", "\x00\xff\x80,", "x-raw-bin", "", "homeward-cell", "na1",
			"echo-trailer", "a", "echo-trailer", "b c")
		var trailer metadata.MD
		got, err := c.Echo(ctx, &echo.EchoRequest{}, grpc.Trailer(&trailer))
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, m := range got.GetMetadata() {
			lines = append(lines, m.GetKey()+": "+m.GetValue())
		}
		for _, want := range []string{"x-two: 1", "x-two: 2", "x-raw-bin: AP+ALA==", "x-raw-bin: ", "homeward-cell: eu1", "content-type: application/grpc"} {
			if !slices.Contains(lines, want) {
				t.Errorf("no %q in %q", want, lines)
			}
		}
		if got := trailer.Get("echo-trailer"); !slices.Equal(got, []string{"a", "b c"}) {
			t.Errorf("the trailer is %v", trailer)
		}
	})
}

func TestLargeMessages(t *testing.T) {
	text := strings.Repeat("0123456789abcde\n", 3<<20/16)
	eachCaller(t, func(t *testing.T, c caller) {
		if got, err := c.Echo(calling(t, euToken), &echo.EchoRequest{Text: text}); err != nil || got.GetText() != text {
			t.Errorf("%d bytes, %v", len(got.GetText()), err)
		}
		stream, err := c.Chat(calling(t, euToken))
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if err := stream.Send(&echo.EchoRequest{Text: text}); err != nil {
				t.Fatal(err)
			}
			if got, err := stream.Recv(); err != nil || got.GetText() != text {
				t.Fatalf("%d bytes, %v", len(got.GetText()), err)
			}
		}
		if err := stream.CloseSend(); err != nil {
			t.Fatal(err)
		}
		if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
			t.Errorf("the end: %v", err)
		}
	})
}

// arrivals notes how what a client receives is compressed.
type arrivals struct {
	stats.Handler
	mu          sync.Mutex
	compression []string
	short       bool // a message was shorter on the wire
}

func (a *arrivals) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (a *arrivals) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (a *arrivals) HandleConn(context.Context, stats.ConnStats)                       {}

func (a *arrivals) HandleRPC(_ context.Context, s stats.RPCStats) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch s := s.(type) {
	case *stats.InHeader:
		a.compression = append(a.compression, s.Compression)
	case *stats.InPayload:
		a.short = s.CompressedLength < s.Length/10
	}
}

// Compression of messages is between client and cell.
func TestCompressedMessages(t *testing.T) {
	seen := &arrivals{}
	text := strings.Repeat("a", 1<<20)
	eachCaller(t, func(t *testing.T, c caller) {
		seen.compression = nil
		got, err := c.Echo(calling(t, euToken), &echo.EchoRequest{Text: text}, grpc.UseCompressor(gzip.Name))
		if err != nil || got.GetText() != text {
			t.Errorf("%d bytes, %v", len(got.GetText()), err)
		}
		seen.mu.Lock()
		defer seen.mu.Unlock()
		if !slices.Equal(seen.compression, []string{"gzip"}) || !seen.short {
			t.Errorf("compressed by %q, shorter: %v", seen.compression, seen.short)
		}
	}, grpc.WithStatsHandler(seen))
}
