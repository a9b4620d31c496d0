// Package echo is the gRPC service of a cell of the demo and of tests, with the
// standard health service and server reflection beside it. Each answer tells
// which cell the call arrived at and with what metadata.
//
// The types and the client of the service are generated from echo.proto by
// make proto.
package echo

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"
)

// MaxMessage is how long a message may be, in bytes.
const MaxMessage = 32 << 20

// Repeat's number of answers.
const (
	defaultTimes = 3
	maxTimes     = 100_000
)

// service is the Echo service of one cell.
type service struct {
	UnimplementedEchoServer
	cell      string
	cancelled *atomic.Int64
}

// NewServer is a gRPC server of the cell's. It adds to cancelled each call that
// its client gives up before it is answered.
func NewServer(cell string, cancelled *atomic.Int64) *grpc.Server {
	s := &service{cell: cell, cancelled: cancelled}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(MaxMessage), grpc.MaxSendMsgSize(MaxMessage),
		grpc.UnaryInterceptor(s.unary), grpc.StreamInterceptor(s.stream))
	RegisterEchoServer(server, s)
	state := health.NewServer()
	state.SetServingStatus(Echo_ServiceDesc.ServiceName, healthv1.HealthCheckResponse_SERVING)
	healthv1.RegisterHealthServer(server, state)
	reflection.Register(server)
	return server
}

func (s *service) unary(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	defer s.count(ctx)
	if err := begin(ctx); err != nil {
		return nil, err
	}
	answer, err := handler(ctx, req)
	if err == nil {
		err = failure(ctx)
	}
	return answer, err
}

func (s *service) stream(srv any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	defer s.count(ss.Context())
	if err := begin(ss.Context()); err != nil {
		return err
	}
	if err := handler(srv, ss); err != nil {
		return err
	}
	return failure(ss.Context())
}

// count counts the call if its client gave it up. A deadline that passes is none.
func (s *service) count(ctx context.Context) {
	if errors.Is(ctx.Err(), context.Canceled) {
		s.cancelled.Add(1)
	}
}

// Echo implements EchoServer.
func (s *service) Echo(ctx context.Context, req *EchoRequest) (*EchoResponse, error) {
	return s.answer(ctx, req.GetText(), 1)
}

// Repeat implements EchoServer.
func (s *service) Repeat(req *RepeatRequest, stream grpc.ServerStreamingServer[EchoResponse]) error {
	times := req.GetTimes()
	if times == 0 {
		times = defaultTimes
	}
	for n := range min(times, maxTimes) {
		if err := s.reply(stream, req.GetText(), n+1); err != nil {
			return err
		}
	}
	return nil
}

// Collect implements EchoServer.
func (s *service) Collect(stream grpc.ClientStreamingServer[EchoRequest, EchoResponse]) error {
	var all strings.Builder
	for n := uint32(0); ; n++ {
		req, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			answer, err := s.answer(stream.Context(), all.String(), n)
			if err != nil {
				return err
			}
			return stream.SendAndClose(answer)
		}
		if err != nil {
			return err
		}
		if all.Len()+len(req.GetText()) > MaxMessage/2 {
			return status.Errorf(codes.ResourceExhausted, "the texts have more than %d bytes together", MaxMessage/2)
		}
		all.WriteString(req.GetText())
	}
}

// Chat implements EchoServer.
func (s *service) Chat(stream grpc.BidiStreamingServer[EchoRequest, EchoResponse]) error {
	for n := uint32(1); ; n++ {
		req, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.reply(stream, req.GetText(), n); err != nil {
			return err
		}
	}
}

// sender is a stream of answers.
type sender interface {
	Context() context.Context
	Send(*EchoResponse) error
}

func (s *service) reply(to sender, text string, number uint32) error {
	answer, err := s.answer(to.Context(), text, number)
	if err != nil {
		return err
	}
	return to.Send(answer)
}

// answer tells of the call, after the delay that it asks for. It returns early
// when the client gives up or the deadline passes.
func (s *service) answer(ctx context.Context, text string, number uint32) (*EchoResponse, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	if d := delay(md); d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-ctx.Done():
			return nil, status.FromContextError(ctx.Err()).Err()
		case <-timer.C:
		}
	}
	return &EchoResponse{
		Cell: s.cell, Authority: last(md, ":authority"), Lane: last(md, "homeward-lane"),
		Text: text, Number: number, Metadata: received(md),
	}, nil
}

// received is the metadata as it may be shown.
func received(md metadata.MD) []*Metadata {
	var all []*Metadata
	for key, values := range md {
		if strings.HasPrefix(key, ":") {
			continue
		}
		for _, v := range values {
			switch {
			case secret(key):
				sum := sha256.Sum256([]byte(v))
				v = fmt.Sprintf("%d bytes, SHA-256 %s...", len(v), hex.EncodeToString(sum[:8]))
			case strings.HasSuffix(key, "-bin"):
				v = base64.StdEncoding.EncodeToString([]byte(v))
			}
			all = append(all, &Metadata{Key: key, Value: v})
		}
	}
	slices.SortStableFunc(all, func(a, b *Metadata) int { return strings.Compare(a.Key, b.Key) })
	return all
}

// secret reports whether the key looks like that of a credential.
func secret(key string) bool {
	for _, part := range []string{"auth", "token", "cookie", "key", "secret", "password"} {
		if strings.Contains(key, part) {
			return true
		}
	}
	return false
}

// last is the last value of a key, "" without one.
func last(md metadata.MD, key string) string {
	if values := md.Get(key); len(values) > 0 {
		return values[len(values)-1]
	}
	return ""
}
