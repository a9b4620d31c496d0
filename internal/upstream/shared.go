package upstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/homeward/homeward/internal/upstream/http2client"
)

// How a shared connection that has gone silent is found out.
const (
	pingAfter   = 20 * time.Second
	pingTimeout = 10 * time.Second
)

// shared are the HTTP/2 connections to one endpoint. Each carries as many
// exchanges as the gateway allows; another is made when all are full, by one
// dial at a time, so that a burst of requests is no burst of connections.
type shared struct {
	write time.Duration
	log   *slog.Logger
	room  chan struct{} // has a value when there may be room for one that waits

	mu      sync.Mutex
	conns   []sharedConn
	dialing *dialing // nil when no connection is being made
	retired bool
}

type sharedConn struct {
	*http2client.Conn
	made time.Time
}

func newShared(write time.Duration, log *slog.Logger) *shared {
	return &shared{write: write, log: log, room: make(chan struct{}, 1)}
}

// busy is the number of exchanges under way.
func (s *shared) busy() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, c := range s.conns {
		n += c.Active()
	}
	return n
}

var errNoStreams = errors.New("the gateway allows no streams on a new connection")

// dialing is a connection in the making, which several exchanges may wait for.
type dialing struct {
	done chan struct{}
	err  error // valid once done is closed
}

// reserve takes a slot on a connection that was made after a time and has one,
// the oldest first: what is not needed any more grows idle and goes.
func (s *shared) reserve(after time.Time) *http2client.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reserveLocked(after)
}

func (s *shared) reserveLocked(after time.Time) *http2client.Conn {
	for _, c := range s.conns {
		if c.made.After(after) && c.Reserve() {
			return c.Conn
		}
	}
	return nil
}

// tell wakes one exchange that waits for a connection to be made.
func (s *shared) tell() {
	select {
	case s.room <- struct{}{}:
	default:
	}
}

// open takes a slot on a connection made after a time: one that is there by now,
// or one that is made for it, alone or with others that wait for one, unless a place
// becomes free before. It waits for no longer than making two connections may take,
// or for pool_wait where no more may be made. made says that it waited for the
// connection that it has.
func (s *shared) open(ctx context.Context, e *endpoint, o *settings, after time.Time) (c *http2client.Conn, made bool, _ error) {
	if c := s.reserve(after); c != nil {
		return c, false, nil
	}
	patience := time.NewTimer(2 * o.connect)
	defer patience.Stop()
	busy := time.NewTimer(o.poolWait)
	defer busy.Stop()
	for woken := false; ; {
		c, d := s.reserveOrDial(e, o, after)
		if c != nil {
			if woken {
				s.tell() // there may be more room, for others
			}
			return c, made, nil
		}
		var done <-chan struct{}
		var late <-chan time.Time
		if d != nil {
			done = d.done
		} else {
			late = busy.C
		}
		select {
		case <-s.room:
			woken = true
			continue
		case <-done:
			made = true
		case <-ctx.Done():
			return nil, made, ctx.Err()
		case <-patience.C:
			return nil, made, ErrBusy
		case <-late:
			return nil, made, ErrBusy
		}
		if d.err == nil {
			continue
		}
		if c := s.reserve(after); c != nil { // an exchange has ended meanwhile
			return c, false, nil
		}
		return nil, made, d.err
	}
}

// reserveOrDial takes a slot, or else has a connection made, or neither while there
// are as many as there may be.
func (s *shared) reserveOrDial(e *endpoint, o *settings, after time.Time) (*http2client.Conn, *dialing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.reserveLocked(after); c != nil {
		return c, nil
	}
	if s.dialing == nil && len(s.conns) < o.maxOpen {
		s.dialing = &dialing{done: make(chan struct{})}
		go s.dial(s.dialing, e, o.connect)
	}
	return nil, s.dialing
}

// dial makes a connection. It serves all who wait, so no client that leaves
// ends it.
func (s *shared) dial(d *dialing, e *endpoint, timeout time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	c, err := s.connect(ctx, e, timeout, d.done)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.conns = append(s.conns, sharedConn{c, e.pool.fleet.now()})
		if s.retired { // whoever waits for it still gets it
			time.AfterFunc(retireOver, c.Retire)
		}
	}
	d.err = err
	s.dialing = nil
	close(d.done)
}

// connect makes a connection, which is forgotten when it has ended, but not before
// it is listed.
func (s *shared) connect(ctx context.Context, e *endpoint, timeout time.Duration, listed <-chan struct{}) (*http2client.Conn, error) {
	raw, _, err := e.dial(ctx, timeout)
	if err != nil {
		return nil, err
	}
	gone := make(chan struct{})
	c, err := http2client.Open(ctx, raw, http2client.Options{
		Write: s.write, Interval: pingAfter, Timeout: pingTimeout, Now: e.pool.fleet.now, Closed: func() { close(gone) },
		Sensitive: mayHoldCredential, Log: s.log, Room: s.tell,
	})
	if err != nil {
		e.pool.open.Add(-1)
		e.target.failed()
		return nil, fmt.Errorf("speak HTTP/2: %w", err)
	}
	go func() {
		<-gone
		e.pool.open.Add(-1)
		<-listed
		s.forget(c)
	}()
	if !c.Reserve() { // or whoever waits would dial for ever
		_ = c.Close()
		return nil, errNoStreams
	}
	c.Release()
	return c, nil
}

// mayHoldCredential reports whether the values of a header may be credentials.
// Clients share a connection and its compression table: by the size of what is
// sent one could find out what is in it (RFC 7541 section 7.1).
func mayHoldCredential(name string) bool {
	for _, word := range []string{"token", "key", "auth", "secret", "session", "signature", "password"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

func (s *shared) forget(c *http2client.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns = slices.DeleteFunc(s.conns, func(o sharedConn) bool { return o.Conn == c })
}

// expired are the connections that nothing has used since then.
func (s *shared) expired(before time.Time) []*http2client.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	var old []*http2client.Conn
	for _, c := range s.conns {
		if since, idle := c.Idle(); idle && since.Before(before) {
			old = append(old, c.Conn)
		}
	}
	return old
}

// retire is all connections, for the caller to retire; one in the making is by
// itself, in time.
func (s *shared) retire() []sharedConn {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.retired = true
	return slices.Clone(s.conns)
}
