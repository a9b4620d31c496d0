package proxy

import (
	"sync"
	"time"
)

// http1Tunnel is what an HTTP/1.1 connection carries once it is a WebSocket.
type http1Tunnel struct {
	conn *conn

	mu          sync.Mutex
	begun       bool
	interrupted bool
}

// begin lifts the deadline that the connection had as one of requests.
func (t *http1Tunnel) begin() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.interrupted:
		return errInterrupted
	case !t.begun:
		t.begun = true
		t.conn.client.AllowRead(0)
	}
	return nil
}

// Read implements Tunnel.
func (t *http1Tunnel) Read(p []byte) (int, error) {
	if err := t.begin(); err != nil {
		return 0, err
	}
	return t.conn.reader.Read(p)
}

// Ready implements Tunnel.
func (t *http1Tunnel) Ready() error {
	if err := t.begin(); err != nil {
		return err
	}
	return t.conn.reader.Await()
}

// Interrupt implements Tunnel.
func (t *http1Tunnel) Interrupt() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.interrupted = true
	_ = t.conn.client.SetReadDeadline(time.Unix(1, 0))
}
