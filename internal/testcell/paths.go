package testcell

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/homeward/homeward/internal/proxy/http1"
)

// Bounds and defaults of what the special paths take. A number beyond its bound
// counts as the bound.
const (
	defaultEvents   = 10
	maxEvents       = 100_000
	defaultInterval = 200  // milliseconds between two events
	defaultDelay    = 1000 // milliseconds of /slow
	maxMillis       = 10 * 60 * 1000
	maxBytes        = 1 << 40
	defaultHints    = 2 // of /early-hints
	maxHints        = 50
)

// answer answers the request by its path. An error says that the connection
// cannot go on.
//
// The special paths are compared as they stand before the question mark; any
// other spelling, and a number out of range in /status/ and /bytes/, is an
// ordinary path, which the report answers.
func (x *exchange) answer() error {
	path, query, _ := strings.Cut(x.req.Origin, "?")
	if x.req.Method == http.MethodConnect && path != "/ws" {
		return x.refuse(http.StatusNotImplemented, onlyWebSocket)
	}
	switch path {
	case "/ws":
		return x.webSocket()
	case "/early-hints":
		return x.hints(number(query, "n", defaultHints, maxHints))
	case "/trailers":
		return x.trailers()
	case "/duplex":
		return x.duplex()
	case "/sse":
		return x.events(number(query, "n", defaultEvents, maxEvents), millis(query, defaultInterval))
	case "/slow":
		return x.slow(millis(query, defaultDelay))
	}
	if n, ok := ranged(path, "/status/", 200, 599); ok {
		return x.reply(int(n))
	}
	if n, ok := ranged(path, "/bytes/", 0, maxBytes); ok {
		return x.content(n)
	}
	return x.reply(http.StatusOK)
}

// reply answers with the report.
func (x *exchange) reply(status int) error {
	if err := x.consume(); err != nil {
		return err
	}
	body := x.report()
	if status == http.StatusResetContent {
		body = nil // RFC 9110 section 15.3.6
	}
	x.out.head(status, int64(len(body)), field{"Content-Type", "application/json"})
	x.out.write(body)
	return x.out.end(nil)
}

// slow answers with the report after a while, or not at all when the client
// leaves before.
func (x *exchange) slow(delay time.Duration) error {
	if err := x.consume(); err != nil {
		return err
	}
	ctx, stop := x.wire.watch()
	err := wait(ctx, delay)
	stop()
	if err != nil {
		return err
	}
	return x.reply(http.StatusOK)
}

// events answers with server-sent events, the first of them at once.
func (x *exchange) events(n int, every time.Duration) error {
	if err := x.consume(); err != nil {
		return err
	}
	x.out.head(http.StatusOK, -1, field{"Content-Type", "text/event-stream"}, field{"Cache-Control", "no-store"})
	if x.req.Method != http.MethodHead {
		ctx, stop := x.wire.watch()
		err := x.emit(ctx, n, every)
		stop()
		if err != nil {
			return err
		}
	}
	return x.out.end(nil)
}

func (x *exchange) emit(ctx context.Context, n int, every time.Duration) error {
	for i := 1; i <= n; i++ {
		if i > 1 {
			if err := wait(ctx, every); err != nil {
				return err
			}
		}
		x.out.write(fmt.Appendf(nil, "id: %d\ndata: {\"cell\":%q,\"event\":%d}\n\n", i, x.cell.name, i))
		if err := x.out.flush(); err != nil {
			return err
		}
	}
	return nil
}

// duplex echoes the body piece by piece as it arrives, and its trailer. The head
// of the answer is sent before any of the body is read.
func (x *exchange) duplex() error {
	if err := x.wire.proceed(); err != nil {
		return err
	}
	x.out.head(http.StatusOK, -1, field{"Content-Type", "application/octet-stream"})
	if err := x.out.flush(); err != nil {
		return err
	}
	buf := make([]byte, pieceSize)
	for {
		n, err := x.body.Read(buf)
		x.out.write(buf[:n])
		if errors.Is(err, io.EOF) {
			return x.out.end(x.body.Trailer())
		}
		if err != nil {
			return err
		}
		if err := x.out.flush(); err != nil {
			return err
		}
	}
}

// hints tells n times what the client may load already, then reports.
func (x *exchange) hints(n int) error {
	for i := 1; i <= n; i++ {
		x.out.inform(http.StatusEarlyHints, field{"Link", fmt.Sprintf("</style-%d.css>; rel=preload; as=style", i)})
	}
	return x.reply(http.StatusOK)
}

// The lines of the trailer of /trailers. The head announces the first only. The
// second also stands in the head of an answer that opens a WebSocket.
const (
	sumField  = "Report-SHA256"
	cellField = "Report-Cell"
)

// trailers reports in pieces of unknown number, with a trailer.
func (x *exchange) trailers() error {
	if err := x.consume(); err != nil {
		return err
	}
	body := x.report()
	x.out.head(http.StatusOK, -1, field{"Content-Type", "application/json"}, field{"Trailer", sumField})
	for piece := range slices.Chunk(body, len(body)/3+1) {
		x.out.write(piece)
		if err := x.out.flush(); err != nil {
			return err
		}
	}
	sum := sha256.Sum256(body)
	return x.out.end([]http1.Field{{Name: sumField, Value: hex.EncodeToString(sum[:])}, {Name: cellField, Value: x.cell.name}})
}

// content answers with n bytes: byte i is Alphabet[i%64].
func (x *exchange) content(n int64) error {
	if err := x.consume(); err != nil {
		return err
	}
	x.out.head(http.StatusOK, n, field{"Content-Type", "application/octet-stream"})
	if x.req.Method == http.MethodHead {
		return x.out.end(nil)
	}
	block := bytes.Repeat([]byte(Alphabet), pieceSize/len(Alphabet))
	for n > 0 {
		piece := block[:min(n, int64(len(block)))]
		n -= int64(len(piece))
		x.out.write(piece)
		if n > 0 && x.cell.base.Err() != nil {
			return x.cell.base.Err()
		}
		if err := x.out.flush(); err != nil {
			return err
		}
	}
	return x.out.end(nil)
}

// Alphabet is what /bytes/{n} repeats.
const Alphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-\n"

// ranged reads the number that is all of the path after prefix.
func ranged(path, prefix string, low, high int64) (int64, bool) {
	digits, ok := strings.CutPrefix(path, prefix)
	if !ok || digits == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	return n, err == nil && low <= n && n <= high
}

// number reads a parameter of a query, which is none of a credential's.
func number(query, name string, otherwise, most int) int {
	for piece := range strings.SplitSeq(query, "&") {
		if value, ok := strings.CutPrefix(piece, name+"="); ok {
			if n, err := strconv.Atoi(value); err == nil && n >= 0 {
				return min(n, most)
			}
		}
	}
	return otherwise
}

func millis(query string, otherwise int) time.Duration {
	return time.Duration(number(query, "ms", otherwise, maxMillis)) * time.Millisecond
}
