package load

import (
	"context"
	"fmt"
	"sync"
)

// Held is connections that have had one request each and say nothing more.
type Held struct {
	mu      sync.Mutex
	clients []*client
	request []byte
}

// Hold opens n connections more.
func (h *Held) Hold(ctx context.Context, t Target, n int) error {
	const atOnce = 32
	h.request = t.requests()[0]
	left := make(chan struct{}, n)
	for range n {
		left <- struct{}{}
	}
	close(left)
	errs := make(chan error, atOnce)
	for range atOnce {
		go func() {
			var err error
			for range left {
				if err == nil {
					err = h.one(ctx, t)
				}
			}
			errs <- err
		}()
	}
	var first error
	for range atOnce {
		if err := <-errs; first == nil {
			first = err
		}
	}
	if first != nil {
		return fmt.Errorf("hold %d connections: %w", n, first)
	}
	return nil
}

func (h *Held) one(ctx context.Context, t Target) error {
	c, err := t.dial(ctx)
	if err != nil {
		return err
	}
	h.mu.Lock()
	h.clients = append(h.clients, c)
	h.mu.Unlock()
	return c.do(h.request)
}

// Check asks over every hundredth connection once more: the proxy must still
// hold them.
func (h *Held) Check() error {
	for i := 0; i < len(h.clients); i += 100 {
		if err := h.clients[i].do(h.request); err != nil {
			return fmt.Errorf("connection %d of %d is no longer held: %w", i+1, len(h.clients), err)
		}
	}
	return nil
}

// Close closes all connections.
func (h *Held) Close() {
	for _, c := range h.clients {
		_ = c.conn.Close()
	}
	h.clients = nil
}
