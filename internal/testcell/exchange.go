package testcell

import (
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"time"

	"github.com/homeward/homeward/internal/proxy/http1"
)

// exchange is one request and its answer, over any protocol.
type exchange struct {
	cell     *Cell
	proto    string
	protocol string // that an extended CONNECT asks for (RFC 8441)
	req      *http1.Request
	body     incoming
	out      outgoing
	wire     wire

	hash  hash.Hash
	bytes int64
}

// incoming is the body of a request.
type incoming interface {
	Read(p []byte) (int, error)
	// Whole reports whether it was read to its end.
	Whole() bool
	// Trailer is the trailer, once Read has returned io.EOF.
	Trailer() []http1.Field
}

// wire is what an exchange needs of its connection or stream besides.
type wire interface {
	// proceed tells a client that waits for it to send its body.
	proceed() error
	// watch gives a context that ends when the client leaves or the cell closes.
	// It must not be used while a body is read. stop waits for the watching to
	// end.
	watch() (ctx context.Context, stop func())
	// upgrade answers that the protocol is spoken from now on, with these fields
	// besides those that say so, and gives both directions of it.
	upgrade(protocol string, fields ...field) (io.ReadWriter, error)
	// leave ends an upgraded connection or stream so that what was written last
	// arrives.
	leave()
}

func newExchange(c *Cell, proto string, req *http1.Request, body incoming, out outgoing, w wire) *exchange {
	return &exchange{cell: c, proto: proto, req: req, body: body, out: out, wire: w, hash: sha256.New()}
}

// consume reads the body to its end, hashing it.
func (x *exchange) consume() error {
	if x.body.Whole() {
		return nil
	}
	if err := x.wire.proceed(); err != nil {
		return err
	}
	buf := make([]byte, pieceSize)
	for {
		n, err := x.body.Read(buf)
		x.bytes += int64(n)
		x.hash.Write(buf[:n])
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// wait returns nil after d, and an error as soon as the client is gone.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
