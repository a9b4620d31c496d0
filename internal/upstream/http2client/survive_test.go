package http2client_test

import (
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/homeward/homeward/internal/testjournal"
	"github.com/homeward/homeward/internal/upstream/http2client"
	"github.com/homeward/homeward/route"
)

// buggy is a connection whose calls panic once they are armed.
type buggy struct {
	net.Conn
	reads, writes atomic.Bool
}

type bug struct{ secret string }

func (b *buggy) Read(p []byte) (int, error) {
	n, err := b.Conn.Read(p)
	if b.reads.Swap(false) {
		panic(bug{"secret"})
	}
	return n, err
}

func (b *buggy) Write(p []byte) (int, error) {
	if b.writes.Swap(false) {
		panic(bug{"secret"})
	}
	return b.Conn.Write(p)
}

// TestBugsEndTheConnectionAlone has the goroutines of a connection panic: its
// streams fail, it takes no more, and the log says where.
func TestBugsEndTheConnectionAlone(t *testing.T) {
	for name, arm := range map[string]func(b *buggy){
		"reading": func(b *buggy) { b.reads.Store(true) },
		"writing": func(b *buggy) { b.writes.Store(true) },
	} {
		t.Run(name, func(t *testing.T) {
			near, far := socket(t)
			p := newPeer(t, far)
			p.must(p.fr.WriteSettings())
			b, log, ended := &buggy{Conn: near}, &testjournal.Buffer{}, make(chan struct{})
			c := open(t, b, http2client.Options{Log: slog.New(slog.NewTextHandler(log, nil)), Closed: func() { close(ended) }})
			s := begin(t, c, post("/"), false)
			p.settle()
			arm(b)
			p.must(p.fr.WritePing(false, [8]byte{}))
			if err := s.ReadHead(new(http2client.Response)); err == nil || errors.Is(err, http2client.ErrRefused) {
				t.Errorf("read: %v", err)
			}
			if _, err := s.Write([]byte("x")); err == nil {
				t.Error("written")
			}
			<-ended
			if c.Reserve() || c.Active() != 0 {
				t.Error("the connection goes on")
			}
			if got := log.String(); !strings.Contains(got, "http2client_test.bug") || !strings.Contains(got, "survive_test.go") || strings.Contains(got, "secret") {
				t.Errorf("logged %q", got)
			}
		})
	}
}

// TestBugInTheMiddleOfAHead has a caller panic while it writes: what it has put into
// the compression table never left, so that nothing may follow it.
func TestBugInTheMiddleOfAHead(t *testing.T) {
	c, p := scripted(t, http2client.Options{Sensitive: func(name string) bool {
		if name == "x-bug" {
			panic(bug{})
		}
		return false
	}})
	other := begin(t, c, get("/"), true)
	p.settle()
	if !c.Reserve() {
		t.Fatal("no slot")
	}
	func() {
		defer func() {
			if _, ok := recover().(bug); !ok {
				t.Error("the caller's panic is gone")
			}
		}()
		_, _ = c.Begin(get("/", route.Field{Name: "X-New", Value: "1"}, route.Field{Name: "X-Bug"}), true)
	}()
	if err := other.ReadHead(new(http2client.Response)); err == nil || errors.Is(err, http2client.ErrRefused) {
		t.Errorf("read: %v", err)
	}
	if c.Reserve() || c.Active() != 0 {
		t.Error("the connection goes on")
	}
}
