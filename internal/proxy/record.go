package proxy

import (
	"net/netip"
	"strings"
	"time"

	"github.com/homeward/homeward/route"
)

// Record is what is known of a request when it is over. It holds no
// credential: Path is redacted and the decision has a fingerprint. RequestID,
// Proto, Method, Host and Path may be parts of a buffer that the next request is
// read into: they are valid until Observer.Done returns.
type Record struct {
	Start    time.Time
	Duration time.Duration
	Upstream time.Duration // from the request sent to the head of the answer; 0 when there was none

	RequestID string
	Proto     string
	Method    string
	Host      string
	Path      string // normal form, without query, credentials replaced
	Client    netip.Addr
	TLS       bool

	Table    *route.Table
	Decided  bool // Decision is valid
	Decision route.Decision

	Type     RequestType
	Status   int    // sent to the client; 0 when none was
	GRPC     int8   // status of a call of the type GRPC, -1 when it ended without one
	Kind     Kind   // of the edge's own answer, or of what broke the answer off
	Own      string // "health", "preflight" or "challenge" for the edge's own good answers
	Gateway  string // address the request was sent to
	Attempts int
	BytesIn  int64 // request body
	BytesOut int64 // answer body
	Aborted  Abort
}

// Clone is a copy to keep.
func (r *Record) Clone() Record {
	kept := *r
	for _, s := range []*string{&kept.RequestID, &kept.Proto, &kept.Method, &kept.Host, &kept.Path} {
		*s = strings.Clone(*s)
	}
	return kept
}

// Scheme is http or https, by the connection.
func (r *Record) Scheme() string { return scheme(r.TLS) }

// Abort says who broke an exchange off.
type Abort uint8

// Who broke it off.
const (
	NotAborted      Abort = iota
	ClientAborted         // the client left or sent a broken body
	UpstreamAborted       // the cell broke its answer off after the head
)

// String is the word for logs; "" when nothing was broken off.
func (a Abort) String() string { return [...]string{"", "client", "upstream"}[a] }

// Observer is told of every request when it is over. Done must not keep rec or
// its strings, and is called by many goroutines at once.
type Observer interface {
	Done(rec *Record)
}
