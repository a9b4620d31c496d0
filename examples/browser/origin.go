//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"

	"github.com/homeward/homeward/internal/testcell/websocket"
)

// origin is the API of one cell, for scripts of other origins.
type origin struct {
	cell       string
	preflights atomic.Int64 // that arrived; the edge answers them, so none

	mu   sync.Mutex
	acks map[string]chan struct{} // by stream: one for each event that the page has
}

// serveOrigin says where it listens, and serves until the process ends.
func serveOrigin(out io.Writer, cell string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(out, "listening %s\n", l.Addr()); err != nil {
		return err
	}
	o := &origin{cell: cell, acks: map[string]chan struct{}{}}
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: o}
	return server.Serve(l)
}

// ServeHTTP answers with what a cell has to send for CORS itself.
func (o *origin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if from := r.Header.Get("Origin"); from != "" {
		w.Header().Set("Access-Control-Allow-Origin", from)
		w.Header().Set("Access-Control-Allow-Credentials", "true")
		w.Header().Set("Vary", "Origin")
	}
	switch {
	case r.Method == http.MethodOptions:
		o.preflights.Add(1)
		w.WriteHeader(http.StatusForbidden)
	case r.URL.Path == "/sse":
		o.events(w, r)
	case r.URL.Path == "/ack":
		o.ack(r.URL.Query().Get("stream")) <- struct{}{}
	case r.URL.Path == "/ws":
		o.webSocket(w, r)
	default:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{
			"cell": o.cell, "method": r.Method, "host": r.Host, "target": r.RequestURI, "preflights": o.preflights.Load(),
			"authorization": r.Header.Get("Authorization"), "custom": r.Header.Get("X-Custom"), "cookie": r.Header.Get("Cookie"),
		})
	}
}

func (o *origin) ack(stream string) chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.acks[stream] == nil {
		o.acks[stream] = make(chan struct{}, 1)
	}
	return o.acks[stream]
}

// events sends five, each only after the page has acknowledged the one before:
// whatever holds events back on the way stops the stream.
func (o *origin) events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	flush := http.NewResponseController(w)
	acknowledged := o.ack(r.URL.Query().Get("stream"))
	for i := 1; i <= 5; i++ {
		_, _ = fmt.Fprintf(w, "id: %d\ndata: {\"cell\":%q,\"event\":%d}\n\n", i, o.cell, i)
		_ = flush.Flush()
		select {
		case <-acknowledged:
		case <-r.Context().Done():
			return
		}
	}
}

// webSocket echoes. Of the subprotocols offered it speaks the one that is called
// after its cell, so that the page sees where it is.
func (o *origin) webSocket(w http.ResponseWriter, r *http.Request) {
	upgrader := ws.HTTPUpgrader{Protocol: func(name string) bool { return strings.TrimPrefix(name, "cell.") == o.cell }}
	conn, buffered, _, err := upgrader.Upgrade(r, w)
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	_ = websocket.Echo(struct {
		io.Reader
		io.Writer
	}{buffered, conn})
}
