package edge_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"

	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/internal/testcell/echo"
)

// caller is a client of the gRPC library.
type caller struct {
	*grpc.ClientConn
	echo.EchoClient
	world *world
}

// callers are clients of the gRPC library, plain and with TLS, each with one connection.
func (w *world) callers(t *testing.T, options ...grpc.DialOption) map[string]caller {
	t.Helper()
	callers := map[string]caller{}
	for _, c := range w.clients() {
		if c.proto != "HTTP/2.0" {
			continue
		}
		scheme, addr, _ := strings.Cut(c.base, "://")
		creds := insecure.NewCredentials()
		if scheme == "https" {
			creds = credentials.NewTLS(c.http.Transport.(*http.Transport).TLSClientConfig)
		}
		conn, err := grpc.NewClient("passthrough:///"+addr, append(options, grpc.WithTransportCredentials(creds), grpc.WithAuthority("localhost"))...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		callers[c.name] = caller{conn, echo.NewEchoClient(conn), w}
	}
	return callers
}

// calling is the context of a call with a credential and other metadata.
func calling(t *testing.T, token string, kv ...string) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return metadata.AppendToOutgoingContext(ctx, append(kv, "authorization", "Bearer "+token)...)
}

// eachCaller runs a test of every client with every kind of gateway that takes gRPC.
func eachCaller(t *testing.T, test func(t *testing.T, c caller), options ...grpc.DialOption) {
	t.Helper()
	for _, g := range gatewayKinds {
		if !g.http2 {
			continue
		}
		w := newMatrixWorld(t, g)
		for name, c := range w.callers(t, options...) {
			t.Run(name+" to "+g.scheme, func(t *testing.T) { test(t, c) })
		}
	}
}

func TestCallsOfAllShapes(t *testing.T) {
	eachCaller(t, func(t *testing.T, c caller) {
		got, err := c.Echo(calling(t, euToken), &echo.EchoRequest{Text: "Grüße"})
		if err != nil || got.GetText() != "Grüße" || got.GetCell() != "eu1" || got.GetAuthority() != "localhost" {
			t.Errorf("unary: %v, %v", got, err)
		}
		repeat, err := c.Repeat(calling(t, euToken), &echo.RepeatRequest{Text: "a", Times: 1000})
		if err != nil {
			t.Fatal(err)
		}
		for n := uint32(1); ; n++ {
			got, err := repeat.Recv()
			if errors.Is(err, io.EOF) && n == 1001 {
				break
			}
			if err != nil || got.GetNumber() != n {
				t.Fatalf("answer %d of a stream: %v, %v", n, got, err)
			}
		}
		collect, err := c.Collect(calling(t, euToken))
		if err != nil {
			t.Fatal(err)
		}
		for i := range 1000 {
			if err := collect.Send(&echo.EchoRequest{Text: fmt.Sprint(i % 10)}); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := collect.CloseAndRecv(); err != nil || got.GetText() != strings.Repeat("0123456789", 100) || got.GetNumber() != 1000 {
			t.Errorf("client stream: %v, %v", got, err)
		}
		if err := c.chat(t, euToken, "eu1", 50); err != nil {
			t.Error(err)
		}
	})
}

// chat sends and receives by turns, and ends.
func (c caller) chat(t *testing.T, token, cell string, rounds int) error {
	t.Helper()
	stream, err := c.Chat(calling(t, token))
	if err != nil {
		return err
	}
	for i := range rounds {
		text := fmt.Sprintf("%s %d", cell, i)
		if err := stream.Send(&echo.EchoRequest{Text: text}); err != nil {
			return fmt.Errorf("round %d: %w", i, err)
		}
		got, err := stream.Recv()
		if err != nil || got.GetText() != text || got.GetCell() != cell || int(got.GetNumber()) != i+1 {
			return fmt.Errorf("round %d: %v, %w", i, got, err)
		}
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	if got, err := stream.Recv(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("the end: %v, %w", got, err)
	}
	return nil
}

// Calls of two cells share a client's connection, a hundred at a time.
func TestCallsOfTwoCellsAtOnce(t *testing.T) {
	eachCaller(t, func(t *testing.T, c caller) {
		var chats sync.WaitGroup
		for i := range 100 {
			chats.Go(func() {
				token, cell := euToken, "eu1"
				if i%2 == 1 {
					token, cell = na2Token, "na2"
				}
				if err := c.chat(t, token, cell, 20); err != nil {
					t.Errorf("chat %d with %s: %v", i, cell, err)
				}
			})
		}
		chats.Wait()
	})
}

func TestHealthAndReflectionPass(t *testing.T) {
	eachCaller(t, func(t *testing.T, c caller) {
		health := healthv1.NewHealthClient(c)
		got, err := health.Check(calling(t, euToken), &healthv1.HealthCheckRequest{Service: "homeward.demo.v1.Echo"})
		if err != nil || got.GetStatus() != healthv1.HealthCheckResponse_SERVING {
			t.Errorf("health: %v, %v", got, err)
		}
		watch, err := health.Watch(calling(t, euToken), &healthv1.HealthCheckRequest{})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := watch.Recv(); err != nil || got.GetStatus() != healthv1.HealthCheckResponse_SERVING {
			t.Errorf("watched health: %v, %v", got, err)
		}
		info, err := reflectionv1.NewServerReflectionClient(c).ServerReflectionInfo(calling(t, euToken))
		if err != nil {
			t.Fatal(err)
		}
		list := &reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{}}
		if err := info.Send(list); err != nil {
			t.Fatal(err)
		}
		services, err := info.Recv()
		if err != nil || !strings.Contains(services.String(), "homeward.demo.v1.Echo") {
			t.Errorf("reflection: %v, %v", services, err)
		}
		_ = info.CloseSend()
	})
}

// A client that pings to keep its connection alive is answered each time, and may
// go on.
func TestPingsOfClients(t *testing.T) {
	w := newWorld(t, nil, testcell.Options{})
	f := w.frames(t)
	for i := range 500 {
		f.sent(f.fr.WritePing(false, [8]byte{byte(i)}))
	}
	f.head(1, true, ":method", "GET", ":scheme", "http", ":path", "/slow?ms=100", ":authority", "localhost")
	if got := f.fate(1); got.status != "200" || f.pongs != 500 {
		t.Errorf("%+v, %d pings answered", got, f.pongs)
	}
}
