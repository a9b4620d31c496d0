// Package telemetry tells what the edge does: an access log, metrics, and the
// last decisions. Each is a proxy.Observer that costs a request as little as it
// can and never makes one wait for a disk or a scraper.
package telemetry

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/homeward/homeward/internal/proxy"
	"github.com/homeward/homeward/route"
)

// logBuffer is how many bytes of lines may wait for the writer. What comes
// while it is full is dropped and counted: a slow disk must not slow requests.
const logBuffer = 4 << 20

// AccessLog writes one JSON line for each request, in the background. It is
// safe for concurrent use.
type AccessLog struct {
	out     io.Writer
	wake    chan struct{}
	done    chan struct{}
	dropped atomic.Int64

	mu      sync.Mutex
	pending []byte
	closed  bool
}

// OpenAccessLog starts a log that writes to out. Close ends it.
func OpenAccessLog(out io.Writer) *AccessLog {
	l := &AccessLog{out: out, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go l.run()
	return l
}

// Dropped is the number of lines that were lost to a writer that is too slow
// or fails.
func (l *AccessLog) Dropped() int64 { return l.dropped.Load() }

// Close writes what is pending and stops. Requests that end later are not logged.
// When ctx ends before the writer has taken all, the rest is lost and the error is
// that of ctx: a pipe that nobody reads must not keep a process from ending.
func (l *AccessLog) Close(ctx context.Context) error {
	l.mu.Lock()
	if !l.closed {
		l.closed = true
		close(l.wake)
	}
	l.mu.Unlock()
	select {
	case <-l.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("write the rest of the access log: %w", ctx.Err())
	}
}

// Done implements proxy.Observer.
func (l *AccessLog) Done(r *proxy.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	if len(l.pending) >= logBuffer {
		l.dropped.Add(1)
		return
	}
	l.pending = appendLine(l.pending, r)
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

func (l *AccessLog) run() {
	defer close(l.done)
	var spare []byte
	for range l.wake {
		l.mu.Lock()
		lines := l.pending
		l.pending = spare[:0]
		l.mu.Unlock()
		if len(lines) > 0 {
			if _, err := l.out.Write(lines); err != nil {
				l.dropped.Add(countLines(lines))
			}
		}
		spare = lines
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.pending) > 0 {
		if _, err := l.out.Write(l.pending); err != nil {
			l.dropped.Add(countLines(l.pending))
		}
	}
}

func countLines(b []byte) (n int64) {
	for _, c := range b {
		if c == '\n' {
			n++
		}
	}
	return n
}

// appendLine appends the line of one request. Fields that say nothing are left out.
func appendLine(b []byte, r *proxy.Record) []byte {
	b = append(b, `{"time":"`...)
	b = r.Start.UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z07:00")
	b = append(b, '"')
	b = text(b, "request_id", r.RequestID, 128)
	if r.Client.IsValid() {
		b = text(b, "client", r.Client.String(), 64)
	}
	b = text(b, "proto", r.Proto, 16)
	b = text(b, "method", r.Method, 32)
	b = text(b, "host", r.Host, 255)
	b = text(b, "path", r.Path, 1024)
	if r.Decided {
		b = decision(b, r.Table, &r.Decision)
	}
	if r.Type != proxy.Short {
		b = text(b, "type", r.Type.String(), 16)
	}
	b = number(b, "status", int64(r.Status))
	if r.Type == proxy.GRPC && r.GRPC >= 0 {
		b = number(b, "grpc_status", int64(r.GRPC))
	}
	b = text(b, "error", r.Kind.String(), 32)
	b = text(b, "own", r.Own, 16)
	b = millis(b, "duration_ms", r.Duration)
	if r.Upstream > 0 {
		b = millis(b, "upstream_ms", r.Upstream)
	}
	b = text(b, "gateway", r.Gateway, 255)
	if r.Attempts > 1 {
		b = number(b, "attempts", int64(r.Attempts))
	}
	b = number(b, "bytes_in", r.BytesIn)
	b = number(b, "bytes_out", r.BytesOut)
	b = text(b, "aborted", r.Aborted.String(), 16)
	return append(b, "}\n"...)
}

func decision(b []byte, t *route.Table, d *route.Decision) []byte {
	b = text(b, "outcome", d.Outcome.String(), 32)
	b = text(b, "cell", CellName(t, d.Cell), 16)
	b = text(b, "sent", CellName(t, d.Send), 16)
	b = text(b, "why", d.Reason.String(), 128)
	if d.Rule != route.None {
		b = text(b, "rule", t.Rule(d.Rule).Name, 64)
	}
	if d.Place.Kind != 0 {
		b = text(b, "place", d.Place.String(), 128)
	}
	if d.Fingerprint != 0 {
		b = text(b, "fingerprint", d.Fingerprint.String(), 32)
	}
	if d.HasAccount {
		b = text(b, "account", d.Account.String(), 32)
	}
	return text(b, "lane", t.Lane(d.Lane).Name, 64)
}

// CellName is the name of a cell of the table, "" for none.
func CellName(t *route.Table, i route.Index) string {
	if i == route.None {
		return ""
	}
	return t.Cell(i).Name
}

func number(b []byte, name string, n int64) []byte {
	b = append(b, `,"`...)
	b = append(b, name...)
	b = append(b, `":`...)
	return strconv.AppendInt(b, n, 10)
}

func millis(b []byte, name string, d time.Duration) []byte {
	b = append(b, `,"`...)
	b = append(b, name...)
	b = append(b, `":`...)
	return strconv.AppendFloat(b, float64(d.Microseconds())/1000, 'f', 3, 64)
}

// text appends a string field, cut to most bytes, unless it is empty.
func text(b []byte, name, s string, most int) []byte {
	if s == "" {
		return b
	}
	b = append(b, `,"`...)
	b = append(b, name...)
	b = append(b, `":"`...)
	if len(s) > most {
		s = s[:most]
	}
	for _, c := range s {
		switch {
		case c == utf8.RuneError:
			b = append(b, `\ufffd`...)
		case c == '"' || c == '\\':
			b = append(b, '\\', byte(c))
		case c < ' ' || c == 0x7f:
			const hex = "0123456789abcdef"
			b = append(b, `\u00`...)
			b = append(b, hex[c>>4], hex[c&15])
		default:
			b = utf8.AppendRune(b, c)
		}
	}
	return append(b, '"')
}
