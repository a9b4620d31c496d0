// Package load makes requests and says how they were answered: with wrk and
// h2load as many as a number of connections can, and by itself at a constant
// rate or with a new connection for each.
package load

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// ErrAnswers says that requests were not answered as they must be. What was
// measured then is not the work that is compared.
var ErrAnswers = errors.New("requests failed")

// Result is what a load got.
type Result struct {
	Requests int64         // answered with 200
	Errors   int64         // all others
	Took     time.Duration // from the first request to the last answer
	// Of the time to the last byte of an answer. That of an open loop starts
	// when the request was to be sent, not when it was.
	P50, P99, P999 time.Duration
}

// check is the error of a result that cannot be used.
func (r Result) check(what string) error {
	switch {
	case r.Errors > 0:
		return fmt.Errorf("%s: %d of %d: %w", what, r.Errors, r.Requests+r.Errors, ErrAnswers)
	case r.Requests == 0:
		return fmt.Errorf("%s: none was answered: %w", what, ErrAnswers)
	}
	return nil
}

// Quantile is the value below which the share q of the sorted values is, 0 of
// no values. It is one of the values.
func Quantile[T int64 | float64 | time.Duration](sorted []T, q float64) T {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

// percentiles sorts the latencies and sets those of the result.
func (r *Result) percentiles(latencies []time.Duration) {
	slices.Sort(latencies)
	r.P50, r.P99, r.P999 = Quantile(latencies, 0.5), Quantile(latencies, 0.99), Quantile(latencies, 0.999)
}

// Target is what is asked for.
type Target struct {
	Address string // of the proxy, as in 127.0.0.1:8080
	TLS     bool
	Host    string
	Path    string
	Tokens  []string // used in turn
	Post    int      // bytes of a body to send; 0 for GET
}

// Headers that clients of an API send beside Host and Authorization.
const (
	userAgent = "bench-client/1.0"
	accept    = "application/json"
)
