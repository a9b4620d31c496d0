package proxy

import (
	"context"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/homeward/homeward/route"
)

// grpcCode is the status of a gRPC call (gRPC, "Status codes and their use").
type grpcCode uint8

// Those that the edge gives.
const (
	grpcOK                 grpcCode = 0
	grpcInvalidArgument    grpcCode = 3
	grpcDeadlineExceeded   grpcCode = 4
	grpcNotFound           grpcCode = 5
	grpcResourceExhausted  grpcCode = 8
	grpcFailedPrecondition grpcCode = 9
	grpcUnimplemented      grpcCode = 12
	grpcUnavailable        grpcCode = 14
	grpcUnauthenticated    grpcCode = 16
)

// isGRPC reports whether a request is a gRPC call (gRPC over HTTP/2,
// "Requests"). gRPC-Web is not: it is for HTTP of any version.
func isGRPC(fields []route.Field) bool {
	const name = "application/grpc"
	t := mediaType(first(fields, "Content-Type"))
	return len(t) >= len(name) && strings.EqualFold(t[:len(name)], name) && (len(t) == len(name) || t[len(name)] == '+')
}

// speaksGRPC reports whether the client understands a gRPC status.
func (x *exchange) speaksGRPC() bool {
	return !strings.HasPrefix(x.in.Proto, "HTTP/1.") && isGRPC(x.in.Fields)
}

// grpcReply is the head of an answer that is only a trailer: the fields of
// a problem for a client that reads no problem documents.
func grpcReply(p Problem, requestID string) []route.Field {
	return append([]route.Field{
		{Name: "Content-Type", Value: "application/grpc"},
		{Name: "Homeward-Error", Value: kinds[p.Kind].name},
		{Name: "X-Request-Id", Value: requestID},
	}, grpcStatus(p, requestID)...)
}

// grpcStatus is a problem as the status of a call, with its details.
func grpcStatus(p Problem, requestID string) []route.Field {
	k := kinds[p.Kind]
	message := k.title
	if p.Detail != "" {
		message += ": " + p.Detail
	}
	details := grpcDetails(p.Kind, message, requestID)
	return []route.Field{
		{Name: "Grpc-Status", Value: strconv.Itoa(int(k.grpc))},
		{Name: "Grpc-Message", Value: grpcMessage(message)},
		{Name: "Grpc-Status-Details-Bin", Value: base64.RawStdEncoding.EncodeToString(details)},
	}
}

// maxGRPCCode is the last status that there is.
const maxGRPCCode = 16

// grpcStatusIn is the status that a cell gave a call, in its trailer or, where there
// is nothing else, in its head; -1 for none.
func grpcStatusIn(head, trailer []route.Field) int8 {
	text := first(trailer, "Grpc-Status")
	if text == "" {
		text = first(head, "Grpc-Status")
	}
	n, err := strconv.ParseUint(text, 10, 8)
	if err != nil || n > maxGRPCCode {
		return -1
	}
	return int8(n)
}

// grpcMessage percent-encodes what is not printable ASCII.
func grpcMessage(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c > '~' || c == '%' {
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// deadlineGrace is how long past its deadline a call may go on: client and cell
// both know the deadline and should end it themselves.
const deadlineGrace = time.Second

var tooLate = Problem{Kind: UpstreamTimeout, Detail: "The call was not over at its deadline."}

// takeDeadline notes when a gRPC call is to be over.
func (x *exchange) takeDeadline() {
	if d, ok := grpcTimeout(first(x.in.Fields, "grpc-timeout")); ok {
		x.due = x.rec.Start.Add(d)
	}
}

// untilDue is the context for finding a gateway, which ends with a call's deadline.
func (x *exchange) untilDue() (context.Context, context.CancelFunc) {
	if x.due.IsZero() {
		return x.ctx, func() {}
	}
	return context.WithDeadline(x.ctx, x.due)
}

// overdue reports whether a call has missed its deadline. A cell that breaks it off
// then does so because of that: it got the same deadline, and later.
func (x *exchange) overdue() bool {
	return !x.due.IsZero() && !time.Now().Before(x.due)
}

// limit ends a call some time after its deadline.
func (t *transfer) limit() {
	if due := t.x.due; !due.IsZero() {
		t.deadline = time.AfterFunc(time.Until(due)+deadlineGrace, t.hop.abort)
	}
}

// grpcTimeout reads a grpc-timeout: up to 8 digits and a unit.
func grpcTimeout(s string) (time.Duration, bool) {
	if len(s) < 2 || len(s) > 9 {
		return 0, false
	}
	var unit time.Duration
	switch s[len(s)-1] {
	case 'H':
		unit = time.Hour
	case 'M':
		unit = time.Minute
	case 'S':
		unit = time.Second
	case 'm':
		unit = time.Millisecond
	case 'u':
		unit = time.Microsecond
	case 'n':
		unit = time.Nanosecond
	default:
		return 0, false
	}
	n, err := strconv.ParseUint(s[:len(s)-1], 10, 32)
	if err != nil {
		return 0, false
	}
	return time.Duration(min(int64(n), int64(maxDeadline/unit))) * unit, true
}

// maxDeadline is the longest deadline that is kept watch over; a longer one is no
// different from none.
const maxDeadline = 1000 * time.Hour
