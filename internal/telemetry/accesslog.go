// Package telemetry tells what the edge does: an access log, metrics, and the
// last decisions. Each is a proxy.Observer that costs a request as little as it
// can and never makes one wait for a disk or a scraper.
package telemetry

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/homeward/homeward/internal/proxy"
)

const (
	// logBuffer is how many bytes of lines may wait for the writer. What comes
	// while it is full is dropped and counted: a slow disk must not slow requests.
	logBuffer = 4 << 20
	// logPiece is how many bytes the writer takes at the latest, and logLinger how
	// long the first of them waits for more: to wake the writer and to call the
	// system for each line would cost more than all else about it.
	logPiece  = 64 << 10
	logLinger = 25 * time.Millisecond
)

// AccessLog writes one JSON line for each request, in the background. It is
// safe for concurrent use.
type AccessLog struct {
	out     io.Writer
	some    chan struct{} // lines came where there were none
	plenty  chan struct{} // logPiece of them are there
	closing chan struct{}
	done    chan struct{}
	dropped atomic.Int64
	lines   sync.Pool // of *line

	mu      sync.Mutex
	pending []byte
	closed  bool
}

// OpenAccessLog starts a log that writes to out. Close ends it.
func OpenAccessLog(out io.Writer) *AccessLog {
	l := &AccessLog{
		out: out, some: make(chan struct{}, 1), plenty: make(chan struct{}, 1), closing: make(chan struct{}), done: make(chan struct{}),
		lines: sync.Pool{New: func() any { return &line{bytes: make([]byte, 0, 1024)} }},
	}
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
		close(l.closing)
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
	line := l.lines.Get().(*line)
	line.set(r)
	if wake := l.append(line.bytes); wake != nil {
		select {
		case wake <- struct{}{}:
		default:
		}
	}
	l.lines.Put(line)
}

// append adds a line to those that wait, and tells which of the writer's
// channels must hear of it, nil for none.
func (l *AccessLog) append(line []byte) chan<- struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := len(l.pending)
	if l.closed {
		return nil
	}
	if before >= logBuffer {
		l.dropped.Add(1)
		return nil
	}
	l.pending = append(l.pending, line...)
	switch {
	case before < logPiece && len(l.pending) >= logPiece:
		return l.plenty
	case before == 0:
		return l.some
	}
	return nil
}

// run writes until the log is closed.
func (l *AccessLog) run() {
	defer close(l.done)
	linger := time.NewTimer(0)
	defer linger.Stop()
	var spare []byte
	for open := true; open; {
		select {
		case <-l.some:
			linger.Reset(logLinger)
			select {
			case <-linger.C:
			case <-l.plenty:
			case <-l.closing:
			}
		case <-l.plenty: // of a wait that ended otherwise, or of one line that is as long
		case <-l.closing:
			open = false
		}
		spare = l.write(spare)
	}
}

// write writes what is pending, and tells what can hold the next lines
// after those that will come to spare.
func (l *AccessLog) write(spare []byte) []byte {
	l.mu.Lock()
	lines := l.pending
	l.pending = spare[:0]
	l.mu.Unlock()
	if len(lines) == 0 {
		return lines
	}
	if _, err := l.out.Write(lines); err != nil {
		l.dropped.Add(int64(bytes.Count(lines, []byte{'\n'})))
	}
	if cap(lines) > 16*logPiece {
		return nil // grown while the writer stood still
	}
	return lines
}
