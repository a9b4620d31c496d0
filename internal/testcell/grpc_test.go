package testcell_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/internal/testcell/echo"
)

// call opens a gRPC connection; nil roots are for a plain one.
func call(t *testing.T, addr string, roots *tls.Config) *grpc.ClientConn {
	t.Helper()
	creds := insecure.NewCredentials()
	if roots != nil {
		creds = credentials.NewTLS(roots)
	}
	cc, err := grpc.NewClient(addr, grpc.WithTransportCredentials(creds), grpc.WithUserAgent("test"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cc.Close() })
	return cc
}

// with is a context of a minute with metadata.
func with(t *testing.T, kv ...string) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return metadata.AppendToOutgoingContext(ctx, kv...)
}

func TestEchoTellsOfTheCall(t *testing.T) {
	cell, plain := start(t, testcell.Options{})
	_, secure, overTLS := startTLS(t, "h2")
	for name, cc := range map[string]*grpc.ClientConn{"na1": call(t, plain, nil), "eu1": call(t, secure, overTLS.Transport.(*http.Transport).TLSClientConfig)} {
		var trailer metadata.MD
		const key = "pat-na1-47eaa099-2cb6-416d-86dc-283cf0480ff9"
		ctx := with(t, "authorization", "Bearer "+key, "private-token", key, "homeward-lane", "batch", "x-two", "1", "x-two", "2", "x-raw-bin", "\x00\xff", "echo-trailer", "a", "echo-trailer", "b")
		got, err := echo.NewEchoClient(cc).Echo(ctx, &echo.EchoRequest{Text: "Grüße"}, grpc.Trailer(&trailer))
		if err != nil {
			t.Fatal(err)
		}
		if got.GetCell() != name || got.GetAuthority() != cc.Target() || got.GetLane() != "batch" || got.GetText() != "Grüße" || got.GetNumber() != 1 {
			t.Errorf("%v", got)
		}
		var lines []string
		for _, m := range got.GetMetadata() {
			lines = append(lines, m.GetKey()+": "+m.GetValue())
		}
		text := strings.Join(lines, "\n")
		for _, want := range []string{"authorization: 51 bytes, SHA-256 ", "private-token: 44 bytes, SHA-256 ", "x-two: 1\nx-two: 2", "x-raw-bin: AP8", "homeward-lane: batch", "user-agent: test"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in\n%s", name, want, text)
			}
		}
		if strings.Contains(got.String(), "47eaa099") {
			t.Errorf("%s: a credential comes back in %v", name, got)
		}
		if diff := cmp.Diff([]string{"a", "b"}, trailer.Get("echo-trailer")); diff != "" {
			t.Errorf("%s: trailer %v", name, trailer)
		}
	}
	if cell.Requests() != 1 || cell.Connections() != 1 || cell.Cancelled() != 0 {
		t.Errorf("counted %d requests on %d connections, %d cancelled", cell.Requests(), cell.Connections(), cell.Cancelled())
	}
}

func TestStreams(t *testing.T) {
	_, addr := start(t, testcell.Options{})
	client := echo.NewEchoClient(call(t, addr, nil))
	for times, want := range map[uint32]int{0: 3, 1: 1, 1000: 1000} {
		stream, err := client.Repeat(with(t), &echo.RepeatRequest{Text: "a", Times: times})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for {
			got, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				break
			}
			n++
			if err != nil || got.GetText() != "a" || int(got.GetNumber()) != n {
				t.Fatalf("%v, %v", got, err)
			}
		}
		if n != want {
			t.Errorf("%d answers instead of %d", n, want)
		}
	}

	collect, err := client.Collect(with(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"a", "", "bc"} {
		if err := collect.Send(&echo.EchoRequest{Text: text}); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := collect.CloseAndRecv(); err != nil || got.GetText() != "abc" || got.GetNumber() != 3 || got.GetCell() != "na1" {
		t.Errorf("%v, %v", got, err)
	}

	chat, err := client.Chat(with(t, "echo-trailer", "x"))
	if err != nil {
		t.Fatal(err)
	}
	for n, text := range []string{"a", "bc", strings.Repeat("d", 1<<20)} {
		if err := chat.Send(&echo.EchoRequest{Text: text}); err != nil {
			t.Fatal(err)
		}
		got, err := chat.Recv() // before the next is sent
		if err != nil || got.GetText() != text || int(got.GetNumber()) != n+1 {
			t.Fatalf("%d: %d bytes, %v", n, len(got.GetText()), err)
		}
	}
	_ = chat.CloseSend()
	if _, err := chat.Recv(); !errors.Is(err, io.EOF) || len(chat.Trailer().Get("echo-trailer")) != 1 {
		t.Errorf("the chat ended with %v, %v", err, chat.Trailer())
	}
}

func TestCallsEndAsTheyAsk(t *testing.T) {
	_, addr := start(t, testcell.Options{})
	client := echo.NewEchoClient(call(t, addr, nil))
	for wish, want := range map[[2]string]codes.Code{
		{"echo-fail", "14"}: codes.Unavailable, {"echo-fail", "not_found"}: codes.NotFound, {"echo-fail", "CANCELLED"}: codes.Canceled, {"echo-fail", "0"}: codes.OK,
		{"echo-fail", "OK"}: codes.OK, {"echo-fail", "17"}: codes.InvalidArgument, {"echo-fail", "-1"}: codes.InvalidArgument, {"echo-fail", "nope\"x"}: codes.InvalidArgument,
		{"echo-delay-ms", "1"}: codes.OK, {"echo-delay-ms", "-1"}: codes.InvalidArgument, {"echo-delay-ms", "1s"}: codes.InvalidArgument, {"echo-delay-ms", "600001"}: codes.InvalidArgument,
	} {
		_, err := client.Echo(with(t, wish[0], wish[1]), &echo.EchoRequest{})
		if got := status.Code(err); got != want {
			t.Errorf("%v: %v", wish, err)
		}
	}
	stream, err := client.Repeat(with(t, "echo-fail", "DATA_LOSS"), &echo.RepeatRequest{Times: 2})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := stream.Recv(); err != nil {
			t.Errorf("an answer before the end: %v", err)
		}
	}
	if _, err := stream.Recv(); status.Code(err) != codes.DataLoss {
		t.Errorf("the stream ended with %v", err)
	}
}

func TestCancelledCallsAreCounted(t *testing.T) {
	came := make(chan struct{}, 10)
	cell, addr := start(t, testcell.Options{Fault: func(*testcell.Request) testcell.Fault {
		came <- struct{}{}
		return testcell.NoFault
	}})
	client := echo.NewEchoClient(call(t, addr, nil))
	counted := func(n int64, within time.Duration) bool {
		for end := time.Now().Add(within); cell.Cancelled() < n && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
		return cell.Cancelled() >= n
	}
	ctx, cancel := context.WithCancel(with(t))
	chat, err := client.Chat(ctx)
	if err != nil {
		t.Fatal(err)
	}
	<-came
	cancel()
	if _, err := chat.Recv(); status.Code(err) != codes.Canceled {
		t.Errorf("a chat that was given up: %v", err)
	}
	if !counted(1, time.Minute) {
		t.Fatal("nobody saw that the chat was given up")
	}
	// A call that is given up before its one message was read is none for gRPC.
	for tries := int64(1); ; tries++ {
		ctx, cancel := context.WithCancel(with(t, "echo-delay-ms", aWhile))
		go func() { <-came; cancel() }()
		if _, err := client.Echo(ctx, &echo.EchoRequest{}); status.Code(err) != codes.Canceled {
			t.Errorf("a call that was given up: %v", err)
		}
		if counted(2, time.Second) {
			if n := cell.Cancelled(); n > 1+tries {
				t.Errorf("%d calls and a chat were given up, %d counted", tries, n)
			}
			return
		}
		if tries == 30 {
			t.Fatalf("nobody saw that any of %d calls was given up", tries)
		}
	}
}

// The deadline of a call passes in the cell, whoever still waits for the answer.
func TestDeadlineIsTheCellsOwn(t *testing.T) {
	_, addr := start(t, testcell.Options{})
	req := request(t, "POST", "http://"+addr+"/homeward.demo.v1.Echo/Echo", "\x00\x00\x00\x00\x00")
	for name, value := range map[string]string{"Content-Type": "application/grpc+proto", "TE": "trailers", "Grpc-Timeout": "50m", "Echo-Delay-Ms": aWhile} {
		req.Header.Set(name, value)
	}
	resp, body := try(t, h2(t), req)
	if got := resp.Trailer.Get("Grpc-Status") + resp.Header.Get("Grpc-Status"); got != fmt.Sprint(int(codes.DeadlineExceeded)) || body != "" {
		t.Errorf("status %q, %v, %v, %q", got, resp.Header, resp.Trailer, body)
	}
}

func TestHealthAndReflection(t *testing.T) {
	_, addr := start(t, testcell.Options{})
	cc := call(t, addr, nil)
	for _, service := range []string{"", "homeward.demo.v1.Echo"} {
		got, err := healthv1.NewHealthClient(cc).Check(with(t), &healthv1.HealthCheckRequest{Service: service})
		if err != nil || got.GetStatus() != healthv1.HealthCheckResponse_SERVING {
			t.Errorf("%q: %v, %v", service, got, err)
		}
	}
	ctx, cancel := context.WithCancel(with(t))
	defer cancel()
	info, err := reflectionv1.NewServerReflectionClient(cc).ServerReflectionInfo(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := info.Send(&reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{}}); err != nil {
		t.Fatal(err)
	}
	got, err := info.Recv()
	if err != nil || !strings.Contains(got.String(), `"homeward.demo.v1.Echo"`) || !strings.Contains(got.String(), `"grpc.health.v1.Health"`) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestCloseEndsCalls(t *testing.T) {
	cell, addr := start(t, testcell.Options{})
	chat, err := echo.NewEchoClient(call(t, addr, nil)).Chat(with(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := chat.Send(&echo.EchoRequest{}); err != nil {
		t.Fatal(err)
	}
	if _, err := chat.Recv(); err != nil {
		t.Fatal(err)
	}
	cell.Close()
	if _, err := chat.Recv(); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("the chat ended with %v", err)
	}
	if cell.Open() != 0 {
		t.Errorf("%d connections are left", cell.Open())
	}
}
