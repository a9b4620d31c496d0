package main

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/homeward/homeward/internal/testcell/echo"
)

func (c *caller) unknownCell(ctx context.Context) error {
	return c.refused(as(ctx, c.keys.lost), codes.Unauthenticated, "UNKNOWN_CELL", false)
}

// cellDown shows what a client gets when the cell of its credential takes no
// connections, in a single call and in a stream.
func (c *caller) cellDown(ctx context.Context, key string) error {
	ctx = as(ctx, key)
	if err := c.refused(ctx, codes.Unavailable, "CELL_UNAVAILABLE", true); err != nil {
		return err
	}
	stream, err := c.echo().Chat(ctx)
	if err != nil {
		return err
	}
	if _, err := stream.Recv(); status.Code(err) != codes.Unavailable || len(status.Convert(err).Details()) == 0 {
		return fmt.Errorf("a stream to the cell that is down: %w", err)
	}
	fmt.Println("  a cell that is down: UNAVAILABLE, ErrorInfo CELL_UNAVAILABLE, RequestInfo, RetryInfo; so does a stream")
	return nil
}

// refused makes a call that the edge must refuse, and reads the details of the
// status as any client of gRPC can.
func (c *caller) refused(ctx context.Context, code codes.Code, reason string, retry bool) error {
	var header, trailer metadata.MD
	_, err := c.echo().Echo(ctx, &echo.EchoRequest{Text: "nobody reads this"}, grpc.Header(&header), grpc.Trailer(&trailer))
	if err := is(err, code); err != nil {
		return err
	}
	var info *errdetails.ErrorInfo
	var request *errdetails.RequestInfo
	var again *errdetails.RetryInfo
	for _, detail := range status.Convert(err).Details() {
		switch d := detail.(type) {
		case *errdetails.ErrorInfo:
			info = d
		case *errdetails.RequestInfo:
			request = d
		case *errdetails.RetryInfo:
			again = d
		default:
			return fmt.Errorf("a detail that says nothing: %v", d)
		}
	}
	switch {
	case info.GetReason() != reason || info.GetDomain() != "homeward":
		return fmt.Errorf("ErrorInfo %v", info)
	case request.GetRequestId() == "":
		return errors.New("no request id")
	case (again != nil) != retry:
		return fmt.Errorf("RetryInfo %v", again)
	}
	return nil
}
