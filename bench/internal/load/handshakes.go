package load

import (
	"context"
	"sync"
	"time"
)

// handshakes opens a connection for each request, with a full handshake, and
// closes it after the answer; as many at a time as it has workers.
type handshakes struct {
	target   Target
	workers  int
	duration time.Duration
}

func (h *handshakes) run(ctx context.Context) (Result, error) {
	record := &recorder{}
	requests := h.target.requests()
	began := time.Now()
	var workers sync.WaitGroup
	for i := range h.workers {
		workers.Go(func() {
			for n := i; time.Since(began) < h.duration && ctx.Err() == nil; n++ {
				start := time.Now()
				if err := h.once(ctx, requests[n%len(requests)]); err != nil {
					record.failed(err)
					return
				}
				record.answered(start, time.Now())
			}
		})
	}
	workers.Wait()
	if err := ctx.Err(); err != nil {
		return Result{}, err
	}
	return record.result(began)
}

// once is one connection with one request.
func (h *handshakes) once(ctx context.Context, request []byte) error {
	c, err := h.target.dial(ctx)
	if err != nil {
		return err
	}
	defer c.conn.Close()
	_ = c.conn.SetDeadline(time.Now().Add(patience))
	return c.do(request)
}
