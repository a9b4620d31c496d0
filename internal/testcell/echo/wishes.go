package echo

import (
	"context"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// What metadata of a call may ask for.
const (
	failKey    = "echo-fail"
	delayKey   = "echo-delay-ms"
	trailerKey = "echo-trailer"
)

// maxDelay is the longest delay that may be asked for, in milliseconds.
const maxDelay = 10 * 60 * 1000

// begin checks what the call asks for, and sets its trailing metadata.
func begin(ctx context.Context) error {
	md, _ := metadata.FromIncomingContext(ctx)
	if values := md.Get(trailerKey); len(values) > 0 {
		if err := grpc.SetTrailer(ctx, metadata.MD{trailerKey: values}); err != nil {
			return err
		}
	}
	if text := last(md, delayKey); text != "" {
		if n, err := strconv.Atoi(text); err != nil || n < 0 || n > maxDelay {
			return status.Errorf(codes.InvalidArgument, "%s is not a number of milliseconds from 0 to %d", delayKey, maxDelay)
		}
	}
	if text := last(md, failKey); text != "" {
		if _, ok := code(text); !ok {
			return status.Errorf(codes.InvalidArgument, "%s is no code of gRPC: give a number from 0 to 16 or a name such as UNAVAILABLE", failKey)
		}
	}
	return nil
}

// delay is how long each answer takes.
func delay(md metadata.MD) time.Duration {
	n, _ := strconv.Atoi(last(md, delayKey)) // begin has checked it
	return time.Duration(n) * time.Millisecond
}

// failure is the status that the call asks for.
func failure(ctx context.Context) error {
	md, _ := metadata.FromIncomingContext(ctx)
	text := last(md, failKey)
	if text == "" {
		return nil
	}
	c, _ := code(text)
	return status.Error(c, failKey+" asked for it") // nil for OK
}

// code reads a code by number or by name.
func code(text string) (c codes.Code, ok bool) {
	if _, err := strconv.Atoi(text); err != nil {
		text = strconv.Quote(strings.ToUpper(text))
	}
	err := c.UnmarshalJSON([]byte(text))
	return c, err == nil
}
