package edge_test

import (
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/internal/testcell/echo"
	"github.com/homeward/homeward/topology"
)

// thoughtful takes its time before it reads the first message of a call.
type thoughtful struct{ echo.UnimplementedEchoServer }

func (thoughtful) Collect(stream grpc.ClientStreamingServer[echo.EchoRequest, echo.EchoResponse]) error {
	time.Sleep(2 * brief)
	for n := uint32(0); ; n++ {
		if _, err := stream.Recv(); errors.Is(err, io.EOF) {
			return stream.SendAndClose(&echo.EchoResponse{Number: n})
		} else if err != nil {
			return err
		}
	}
}

// A cell holds the client of a call back by a window that stays closed for longer
// than any other request may find it.
func TestCallsThatAreHeldBack(t *testing.T) {
	t.Parallel()
	l := listen(t)
	server := grpc.NewServer()
	echo.RegisterEchoServer(server, thoughtful{})
	go func() { _ = server.Serve(l) }()
	t.Cleanup(server.Stop)
	w := newWorld(t, func(top *topology.Topology) {
		top.Timeouts.Write = topology.Duration(brief)
		top.Cells[2].GRPCGateways = []string{"h2c://" + l.Addr().String()}
	}, testcell.Options{})
	const messages = 5
	text := strings.Repeat("a", 1<<20)
	var held sync.WaitGroup
	for name, c := range w.callers(t) {
		stream, err := c.Collect(calling(t, euToken))
		if err != nil {
			t.Fatal(err)
		}
		held.Go(func() {
			for i := range messages {
				if err := stream.Send(&echo.EchoRequest{Text: text}); err != nil {
					t.Errorf("%s: message %d: %v", name, i, err)
				}
			}
			if got, err := stream.CloseAndRecv(); err != nil || got.GetNumber() != messages {
				t.Errorf("%s: %v, %v", name, got, err)
			}
		})
	}
	held.Wait()
}
