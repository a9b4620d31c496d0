package proxy

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/homeward/homeward/internal/proxy/http1"
	"github.com/homeward/homeward/route"
)

// Kind is the kind of an answer that Homeward makes itself.
type Kind uint8

// The kinds of refusals and failures.
const (
	NoProblem Kind = iota
	Malformed
	UnknownCell
	Conflict
	UnknownHost
	Misrouted
	BadFraming
	TooLarge
	UnsupportedEncoding
	RequestTimeout
	NotSupported
	Overloaded
	CellUnavailable
	UpstreamTimeout
	UpstreamReset
)

// kinds is the one place that maps kinds to HTTP and gRPC.
var kinds = [...]struct {
	name, title string
	status      int
	grpc        grpcCode
	retry       bool // Retry-After: the same request may succeed later
}{
	NoProblem:           {"", "", http.StatusOK, grpcOK, false},
	Malformed:           {"malformed", "The credential is broken", http.StatusUnauthorized, grpcUnauthenticated, false},
	UnknownCell:         {"unknown-cell", "The credential names a cell that does not exist", http.StatusUnauthorized, grpcUnauthenticated, false},
	Conflict:            {"conflict", "The request carries credentials that contradict each other", http.StatusBadRequest, grpcInvalidArgument, false},
	UnknownHost:         {"unknown-host", "This host is not served here", http.StatusMisdirectedRequest, grpcNotFound, false},
	Misrouted:           {"misrouted", "The credential belongs to another cell than this host", http.StatusMisdirectedRequest, grpcFailedPrecondition, false},
	BadFraming:          {"bad-framing", "The request is not well-formed HTTP", http.StatusBadRequest, grpcInvalidArgument, false},
	TooLarge:            {"too-large", "The request is too large", http.StatusRequestEntityTooLarge, grpcResourceExhausted, false},
	UnsupportedEncoding: {"unsupported-encoding", "The body must come without a Content-Encoding here", http.StatusUnsupportedMediaType, grpcInvalidArgument, false},
	RequestTimeout:      {"request-timeout", "The request did not arrive in time", http.StatusRequestTimeout, grpcDeadlineExceeded, false},
	NotSupported:        {"not-supported", "The cell does not take this protocol", http.StatusNotImplemented, grpcUnimplemented, false},
	Overloaded:          {"overloaded", "The cell has no room for the request now", http.StatusServiceUnavailable, grpcUnavailable, true},
	CellUnavailable:     {"cell-unavailable", "The cell does not take connections", http.StatusServiceUnavailable, grpcUnavailable, true},
	UpstreamTimeout:     {"upstream-timeout", "The cell did not answer in time", http.StatusGatewayTimeout, grpcDeadlineExceeded, false},
	UpstreamReset:       {"upstream-reset", "The cell broke off its answer", http.StatusBadGateway, grpcUnavailable, false},
}

// String is the kind as Homeward-Error, logs and metrics have it.
func (k Kind) String() string { return kinds[k].name }

// Status is the kind's HTTP status where the topology names no other.
func (k Kind) Status() int { return kinds[k].status }

// Kinds lists all kinds in use.
func Kinds() []Kind {
	all := make([]Kind, 0, len(kinds)-1)
	for k := NoProblem + 1; int(k) < len(kinds); k++ {
		all = append(all, k)
	}
	return all
}

// KindOf is the kind of refusal for an outcome; NoProblem when it is none.
func KindOf(o route.Outcome) Kind {
	switch o {
	case route.Malformed:
		return Malformed
	case route.UnknownCell:
		return UnknownCell
	case route.Conflict:
		return Conflict
	case route.Misrouted:
		return Misrouted
	case route.UnknownHost:
		return UnknownHost
	case route.TooLarge:
		return TooLarge
	case route.Encoded:
		return UnsupportedEncoding
	}
	return NoProblem
}

// Problem is an answer that Homeward makes itself (RFC 9457).
type Problem struct {
	Kind   Kind
	Status int // 0 for the kind's own
	Detail string
}

// HeadProblem is the problem of a request whose head could not be read; ok is
// false when nobody is there to be told.
func HeadProblem(err error) (p Problem, ok bool) {
	var broken *http1.SyntaxError
	switch {
	case errors.As(err, &broken):
		return Problem{Kind: BadFraming, Detail: "In the request, " + broken.Rule + "."}, true
	case errors.Is(err, http1.ErrTooLarge):
		return Problem{Kind: TooLarge, Status: 431, Detail: "The head of the request is over the limit in bytes or lines."}, true
	case http1.IsTimeout(err):
		return Problem{Kind: RequestTimeout, Detail: "The head of the request did not arrive in time."}, true
	case errors.Is(err, io.ErrUnexpectedEOF):
		return Problem{Kind: BadFraming, Detail: "The head of the request broke off before its end."}, true
	}
	return Problem{}, false
}

// retryAfterSeconds is the Retry-After of temporary problems.
const retryAfterSeconds = 1

// problemBody is the JSON of a problem.
type problemBody struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail,omitempty"`
	Kind      string `json:"kind"`
	RequestID string `json:"request_id"`
}

// StatusOf is the status of a problem under this topology.
func (s *State) StatusOf(p Problem) int {
	if status, ok := s.status[p.Kind.String()]; ok {
		return status
	}
	if p.Status != 0 {
		return p.Status
	}
	return p.Kind.Status()
}

// Reply is the whole answer for a problem: status, header fields and body. It is
// what the edge sends and what explain shows.
func (s *State) Reply(p Problem, requestID string) (status int, fields []route.Field, body []byte) {
	status = s.StatusOf(p)
	k := kinds[p.Kind]
	body, err := json.Marshal(problemBody{
		Type: "urn:homeward:problem:" + k.name, Title: k.title, Status: status,
		Detail: p.Detail, Kind: k.name, RequestID: requestID,
	})
	if err != nil { // strings and a number: cannot be
		panic(fmt.Sprintf("encode problem %s: %v", k.name, err))
	}
	body = append(body, '\n')
	fields = []route.Field{
		{Name: "Content-Type", Value: "application/problem+json"},
		{Name: "Content-Length", Value: strconv.Itoa(len(body))},
		{Name: "Cache-Control", Value: "no-store"},
		{Name: "Homeward-Error", Value: k.name},
		{Name: "X-Request-Id", Value: requestID},
	}
	if status == http.StatusUnauthorized {
		fields = append(fields, route.Field{Name: "WWW-Authenticate", Value: `Bearer realm="homeward", error="invalid_token"`})
	}
	if k.retry {
		fields = append(fields, route.Field{Name: "Retry-After", Value: strconv.Itoa(retryAfterSeconds)})
	}
	return status, fields, body
}

// Refusal is the problem of a decision that is refused. Its detail is the
// same for the same decision and holds nothing of the credential.
func (s *State) Refusal(d *route.Decision) Problem {
	p := Problem{Kind: KindOf(d.Outcome), Detail: d.Reason.String()}
	switch d.Outcome {
	case route.Malformed:
		p.Detail = fmt.Sprintf("The credential in %s is claimed by the rule %s, but %s.", d.Place, s.ruleName(d.Rule), d.Detail)
	case route.UnknownCell:
		p.Detail = "The credential in " + d.Place.String() + " is well-formed, but its cell is not one of this platform."
	case route.Conflict:
		p.Detail = "Send one credential, once: " + d.Reason.String() + "."
	case route.Misrouted:
		p.Detail = "Call the API domain, or the host of the credential's own cell."
	case route.UnknownHost:
		p.Detail = "The Host of the request is neither the API domain nor the host of a cell."
	case route.TooLarge:
		p.Detail = "On this path the body is looked into for a credential, and it is over the limit for that."
	case route.Encoded:
		p.Detail = "On this path the body is looked into for a credential: send it without Content-Encoding."
	}
	return p
}

func (s *State) ruleName(i route.Index) string {
	if i == route.None {
		return "-"
	}
	return s.Table.Rule(i).Name
}
