package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	"github.com/homeward/homeward/internal/testcell/echo"
)

// caller makes all calls on one connection.
type caller struct {
	conn *grpc.ClientConn
	keys struct{ na2, eu1, lost string }
}

// all makes every kind of call and says what each showed.
func (c *caller) all(ctx context.Context) error {
	for _, show := range []struct {
		what string
		call func(context.Context) error
	}{
		{"unary: 40 calls at once, each at the cell of its token; authority, metadata and trailer as sent", c.twoCells},
		{"unary: 4 MiB there and back", c.large},
		{"server stream: 1000 answers in order", c.repeat},
		{"client stream: 100 messages, one answer", c.collect},
		{"both ways: each message after the answer to the one before", c.chat},
		{"deadline: DEADLINE_EXCEEDED when it passes", c.deadline},
		{"status of a cell: RESOURCE_EXHAUSTED after three answers, message and trailer unchanged", c.failure},
		{"a token of no cell: UNAUTHENTICATED, ErrorInfo UNKNOWN_CELL", c.unknownCell},
		{"health: SERVING", c.health},
		{"reflection: lists the echo service", c.reflection},
	} {
		if err := show.call(ctx); err != nil {
			return fmt.Errorf("%s: %w", show.what, err)
		}
		fmt.Println("  " + show.what)
	}
	return nil
}

func (c *caller) echo() echo.EchoClient { return echo.NewEchoClient(c.conn) }

func as(ctx context.Context, key string, more ...string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, append(more, "authorization", "Bearer "+key)...)
}

// twoCells calls both cells at once, over one connection.
func (c *caller) twoCells(ctx context.Context) error {
	var all sync.WaitGroup
	failed := make([]error, 40)
	for i := range failed {
		cell, key := "na2", c.keys.na2
		if i%2 == 1 {
			cell, key = "eu1", c.keys.eu1
		}
		all.Go(func() {
			var trailer metadata.MD
			number := fmt.Sprint(i)
			text := "grüße " + number
			got, err := c.echo().Echo(as(ctx, key, "x-two", "1", "x-two", "2", "x-raw-bin", "\x00\xff", "echo-trailer", number),
				&echo.EchoRequest{Text: text}, grpc.Trailer(&trailer))
			if err != nil {
				failed[i] = err
				return
			}
			values := map[string]string{}
			for _, m := range got.GetMetadata() {
				values[m.GetKey()] += m.GetValue() + ";"
			}
			if got.GetCell() != cell || got.GetText() != text || got.GetAuthority() != facade ||
				values["x-two"] != "1;2;" || values["x-raw-bin"] != "AP8=;" || strings.Join(trailer["echo-trailer"], "") != number {
				failed[i] = fmt.Errorf("for %s: %v, trailer %v", cell, got, trailer)
			}
		})
	}
	all.Wait()
	return cmp.Or(failed...)
}

func (c *caller) large(ctx context.Context) error {
	text := strings.Repeat("0123456789abcde\n", 4<<20/16)
	got, err := c.echo().Echo(as(ctx, c.keys.eu1), &echo.EchoRequest{Text: text}, grpc.MaxCallRecvMsgSize(8<<20))
	if err == nil && got.GetText() != text {
		err = errors.New("the text changed")
	}
	return err
}

func (c *caller) repeat(ctx context.Context) error {
	stream, err := c.echo().Repeat(as(ctx, c.keys.na2), &echo.RepeatRequest{Text: "again", Times: 1000})
	if err != nil {
		return err
	}
	for n := uint32(1); ; n++ {
		got, err := stream.Recv()
		switch {
		case errors.Is(err, io.EOF) && n == 1001:
			return nil
		case err != nil:
			return fmt.Errorf("instead of answer %d: %w", n, err)
		case got.GetCell() != "na2" || got.GetNumber() != n:
			return fmt.Errorf("answer %d is %v", n, got)
		}
	}
}

func (c *caller) collect(ctx context.Context) error {
	stream, err := c.echo().Collect(as(ctx, c.keys.eu1))
	if err != nil {
		return err
	}
	for range 100 {
		if err := stream.Send(&echo.EchoRequest{Text: "ab"}); err != nil {
			return err
		}
	}
	got, err := stream.CloseAndRecv()
	if err == nil && (got.GetCell() != "eu1" || got.GetNumber() != 100 || got.GetText() != strings.Repeat("ab", 100)) {
		err = fmt.Errorf("answered %v", got)
	}
	return err
}

func (c *caller) chat(ctx context.Context) error {
	stream, err := c.echo().Chat(as(ctx, c.keys.na2))
	if err != nil {
		return err
	}
	for n := range 20 {
		text := fmt.Sprint("message ", n)
		if err := stream.Send(&echo.EchoRequest{Text: text}); err != nil {
			return err
		}
		if got, err := stream.Recv(); err != nil || got.GetText() != text || got.GetCell() != "na2" {
			return fmt.Errorf("answer %d is %v, %w", n, got, err)
		}
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("the end is %w", err)
	}
	return nil
}

func (c *caller) deadline(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	_, err := c.echo().Echo(as(ctx, c.keys.eu1, "echo-delay-ms", "60000"), &echo.EchoRequest{Text: "late"})
	return is(err, codes.DeadlineExceeded)
}

func (c *caller) failure(ctx context.Context) error {
	stream, err := c.echo().Repeat(as(ctx, c.keys.eu1, "echo-fail", "RESOURCE_EXHAUSTED", "echo-trailer", "why"), &echo.RepeatRequest{Text: "then fail", Times: 3})
	if err != nil {
		return err
	}
	answers := 0
	for {
		_, err = stream.Recv()
		if err != nil {
			break
		}
		answers++
	}
	if got := stream.Trailer()["echo-trailer"]; answers != 3 || len(got) != 1 || got[0] != "why" || status.Convert(err).Message() != "echo-fail asked for it" {
		return fmt.Errorf("%d answers, trailer %v, %w", answers, got, err)
	}
	return is(err, codes.ResourceExhausted)
}

func (c *caller) health(ctx context.Context) error {
	got, err := healthv1.NewHealthClient(c.conn).Check(as(ctx, c.keys.eu1), &healthv1.HealthCheckRequest{Service: echo.Echo_ServiceDesc.ServiceName})
	if err == nil && got.GetStatus() != healthv1.HealthCheckResponse_SERVING {
		err = fmt.Errorf("the cell says %v", got)
	}
	return err
}

func (c *caller) reflection(ctx context.Context) error {
	stream, err := reflectionv1.NewServerReflectionClient(c.conn).ServerReflectionInfo(as(ctx, c.keys.na2))
	if err != nil {
		return err
	}
	ask := &reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{}}
	if err := stream.Send(ask); err != nil {
		return err
	}
	got, err := stream.Recv()
	if err != nil {
		return err
	}
	for _, s := range got.GetListServicesResponse().GetService() {
		if s.GetName() == echo.Echo_ServiceDesc.ServiceName {
			return stream.CloseSend()
		}
	}
	return fmt.Errorf("it is not in %v", got)
}

// is says how an error differs from the code that was to be.
func is(err error, want codes.Code) error {
	if got := status.Code(err); got != want {
		return fmt.Errorf("got %v instead of %v: %w", got, want, err)
	}
	return nil
}
