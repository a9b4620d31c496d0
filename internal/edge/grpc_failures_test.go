package edge_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/homeward/homeward/internal/proxy"
	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/internal/testcell/echo"
	"github.com/homeward/homeward/topology"
)

// details are those of a status that the edge made.
type details struct {
	info    *errdetails.ErrorInfo
	request *errdetails.RequestInfo
	retry   *errdetails.RetryInfo
}

func detailsOf(t *testing.T, err error) (d details) {
	t.Helper()
	for _, detail := range status.Convert(err).Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			d.info = detail
		case *errdetails.RequestInfo:
			d.request = detail
		case *errdetails.RetryInfo:
			d.retry = detail
		default:
			t.Errorf("the detail %v", detail)
		}
	}
	return d
}

// refusal is what the edge says instead of the cell.
type refusal struct {
	code   codes.Code
	reason string
	retry  bool
}

// check holds an error and the trailer it came with to what the edge should say.
func (r refusal) check(t *testing.T, err error, trailer metadata.MD) {
	t.Helper()
	d := detailsOf(t, err)
	if status.Code(err) != r.code || d.info.GetReason() != r.reason || d.info.GetDomain() != "homeward" || (d.retry != nil) != r.retry {
		t.Errorf("%v with %+v, want %v of %s", err, d, r.code, r.reason)
	}
	if r.retry && d.retry.GetRetryDelay().AsDuration() <= 0 {
		t.Errorf("try again after %v", d.retry.GetRetryDelay())
	}
	if id := trailer.Get("x-request-id"); trailer != nil && (len(id) != 1 || d.request.GetRequestId() != id[0]) {
		t.Errorf("the request is %v in the status and %q in the trailer", d.request, id)
	}
	if d.request.GetRequestId() == "" || strings.Contains(err.Error(), "pat-") {
		t.Errorf("%v of request %q", err, d.request.GetRequestId())
	}
}

// What the edge refuses, it refuses in the words of gRPC.
func TestCallsThatTheEdgeRefuses(t *testing.T) {
	eachCaller(t, func(t *testing.T, c caller) {
		for name, r := range map[string]struct {
			ctx  context.Context
			want refusal
		}{
			"a cell that is not there": {calling(t, "pat-eu9-20b81d7f-8e9e-4bb8-b4a3-7b2b926271f2"), refusal{codes.Unauthenticated, "UNKNOWN_CELL", false}},
			"a broken credential":      {calling(t, "pat-eu1-20b81d7f"), refusal{codes.Unauthenticated, "MALFORMED", false}},
			"two credentials":          {calling(t, euToken, "authorization", "Bearer "+na2Token), refusal{codes.InvalidArgument, "CONFLICT", false}},
			"the same one twice":       {calling(t, euToken, "authorization", "Bearer "+euToken), refusal{codes.InvalidArgument, "CONFLICT", false}},
		} {
			var trailer metadata.MD
			_, err := c.Echo(r.ctx, &echo.EchoRequest{Text: "a"}, grpc.Trailer(&trailer))
			t.Run(name, func(t *testing.T) { r.want.check(t, err, trailer) })
			stream, err := c.Chat(r.ctx)
			if err != nil {
				t.Fatal(err)
			}
			_, err = stream.Recv()
			t.Run(name+" in a stream", func(t *testing.T) { r.want.check(t, err, stream.Trailer()) })
		}
		if n := c.world.cells["eu1"].Requests(); n != 0 {
			t.Errorf("%d calls reached the cell", n)
		}
	})
}

func TestCallsToACellThatIsDown(t *testing.T) {
	eachCaller(t, func(t *testing.T, c caller) {
		c.world.cells["eu1"].Close()
		var trailer metadata.MD
		_, err := c.Echo(calling(t, euToken), &echo.EchoRequest{Text: "a"}, grpc.Trailer(&trailer))
		refusal{codes.Unavailable, "CELL_UNAVAILABLE", true}.check(t, err, trailer)
		if err := c.chat(t, na2Token, "na2", 3); err != nil {
			t.Errorf("the other cell: %v", err)
		}
	})
}

// A cell that dies in the middle of a call ends it in the trailer.
func TestCellThatDiesInACall(t *testing.T) {
	eachCaller(t, func(t *testing.T, c caller) {
		stream, err := c.Chat(calling(t, euToken))
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.Send(&echo.EchoRequest{Text: "a"}); err != nil {
			t.Fatal(err)
		}
		if _, err := stream.Recv(); err != nil {
			t.Fatal(err)
		}
		c.world.cells["eu1"].Drop()
		_, err = stream.Recv()
		refusal{codes.Unavailable, "UPSTREAM_RESET", false}.check(t, err, nil)
		if err := c.chat(t, euToken, "eu1", 3); err != nil {
			t.Errorf("the next call: %v", err)
		}
	})
}

// A gateway that is declared as one of HTTP/2 and speaks HTTP/1.1.
func TestCallToAGatewayOfHTTP1(t *testing.T) {
	page := "<html>" + strings.Repeat("<p>no such thing", 1000)
	addr := origin(t, func(c *net.TCPConn, r *bufio.Reader) {
		_, _ = r.Peek(1)
		_, _ = io.WriteString(c, "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n"+page)
	})
	w := newWorld(t, func(top *topology.Topology) { top.Cells[2].GRPCGateways = []string{"h2c://" + addr} }, testcell.Options{})
	for name, c := range w.callers(t) {
		_, err := c.Echo(calling(t, euToken), &echo.EchoRequest{Text: "a"})
		if d := detailsOf(t, err); status.Code(err) != codes.Unavailable || d.info.GetDomain() != "homeward" || strings.Contains(err.Error(), "html") {
			t.Errorf("%s: %v with %v", name, err, d)
		}
	}
}

// calls is a gRPC server that answers every method with one function.
func calls(t *testing.T, answer func(grpc.ServerStream) error) (w *world) {
	t.Helper()
	server := grpc.NewServer(grpc.UnknownServiceHandler(func(_ any, s grpc.ServerStream) error { return answer(s) }))
	l := listen(t)
	go func() { _ = server.Serve(l) }()
	t.Cleanup(server.Stop)
	return newWorld(t, func(top *topology.Topology) { top.Cells[2].GRPCGateways = []string{"h2c://" + l.Addr().String()} }, testcell.Options{})
}

// What a cell says went wrong arrives as it said it.
func TestStatusOfTheCellPasses(t *testing.T) {
	said := status.New(codes.FailedPrecondition, "grün % \n ü")
	said, err := said.WithDetails(&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: "a", Description: "b"}}},
		&errdetails.ErrorInfo{Reason: "ITS_OWN", Domain: "cell.test"})
	if err != nil {
		t.Fatal(err)
	}
	w := calls(t, func(s grpc.ServerStream) error {
		s.SetTrailer(metadata.Pairs("x-cell", "1", "grpc-retry-pushback-ms", "77", "x-raw-bin", "\x00\xff"))
		return said.Err()
	})
	for name, c := range w.callers(t) {
		var trailer metadata.MD
		_, err := c.Echo(calling(t, euToken), &echo.EchoRequest{}, grpc.Trailer(&trailer))
		got := status.Convert(err)
		if got.Code() != said.Code() || got.Message() != said.Message() || got.Proto().String() != said.Proto().String() {
			t.Errorf("%s: %v, want %v", name, got.Proto(), said.Proto())
		}
		if trailer.Get("x-cell")[0] != "1" || trailer.Get("grpc-retry-pushback-ms")[0] != "77" || trailer.Get("x-raw-bin")[0] != "\x00\xff" {
			t.Errorf("%s: the trailer is %v", name, trailer)
		}
	}
}

func TestCodesOfTheCellPass(t *testing.T) {
	eachCaller(t, func(t *testing.T, c caller) {
		for code := codes.OK; code <= codes.Unauthenticated; code++ {
			_, err := c.Echo(calling(t, euToken, "echo-fail", strconv.Itoa(int(code))), &echo.EchoRequest{})
			if status.Code(err) != code || len(status.Convert(err).Details()) > 0 {
				t.Errorf("%v, want %v", err, code)
			}
		}
	})
}

// The cell knows the deadline of a call, and hears when it has passed or the
// client has gone.
func TestDeadlinesAndCancellationReachTheCell(t *testing.T) {
	t.Parallel()
	deadlines, ended := make(chan time.Duration, 1), make(chan error, 1)
	w := calls(t, func(s grpc.ServerStream) error {
		left := time.Duration(-1)
		if d, ok := s.Context().Deadline(); ok {
			left = time.Until(d)
		}
		deadlines <- left
		<-s.Context().Done()
		ended <- s.Context().Err()
		return s.Context().Err()
	})
	for name, c := range w.callers(t) {
		w.seen.forget()
		ctx, cancel := context.WithTimeout(calling(t, euToken), brief)
		_, err := c.Echo(ctx, &echo.EchoRequest{})
		cancel()
		if status.Code(err) != codes.DeadlineExceeded {
			t.Errorf("%s: %v", name, err)
		}
		if left := <-deadlines; left <= 0 || left > brief {
			t.Errorf("%s: the cell has %v left", name, left)
		}
		<-ended
		w.seen.await(t, func(r proxy.Record) bool { return r.Type == proxy.GRPC })
		w.seen.forget()
		ctx, cancel = context.WithCancel(calling(t, euToken))
		stream, err := c.Chat(ctx)
		if err != nil {
			t.Fatal(err)
		}
		<-deadlines
		cancel()
		if _, err := stream.Recv(); status.Code(err) != codes.Canceled {
			t.Errorf("%s: %v", name, err)
		}
		if err := <-ended; err != context.Canceled { //nolint:errorlint // a context returns it bare
			t.Errorf("%s: the cell heard of %v", name, err)
		}
		rec := w.seen.await(t, func(r proxy.Record) bool { return r.Type == proxy.GRPC })
		if rec.Aborted != proxy.ClientAborted {
			t.Errorf("%s: recorded as broken off by %q", name, rec.Aborted)
		}
	}
}

// The cells of the demo hear it too.
func TestCancelledCallsAreCounted(t *testing.T) {
	eachCaller(t, func(t *testing.T, c caller) {
		before := c.world.cells["eu1"].Cancelled()
		ctx, cancel := context.WithCancel(calling(t, euToken, "echo-delay-ms", "1"))
		defer cancel()
		stream, err := c.Repeat(ctx, &echo.RepeatRequest{Times: 100_000})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stream.Recv(); err != nil {
			t.Fatal(err)
		}
		cancel()
		eventually(t, "the cell hears of it", func() bool { return c.world.cells["eu1"].Cancelled() == before+1 })
	})
}
