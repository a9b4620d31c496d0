package http2client

import (
	"time"

	"golang.org/x/net/http2"
)

// health asks a silent gateway for a sign of life while there are streams.
// mu of the connection guards it.
type health struct {
	conn  *Conn
	timer *time.Timer
	from  time.Duration // since when silence counts
	asked bool          // by a PING at from

	pinged   time.Duration // when last; zero for never
	answered bool          // a part of an answer has come since
}

// calm is how long after a PING no other is sent if no part of an answer came in
// between. Servers of gRPC count what comes sooner, and end the connection with
// ENHANCE_YOUR_CALM: theirs are 5 minutes (gRPC, "Client-side Keepalive").
const calm = 5*time.Minute + 10*time.Second

// hearing reads from the connection and notes when something came.
type hearing struct{ *Conn }

func (h hearing) Read(p []byte) (int, error) {
	n, err := h.nc.Read(p)
	if n > 0 {
		h.heard.Store(int64(time.Since(h.started)))
	}
	return n, err
}

// start watches, from now on.
func (h *health) start() {
	c := h.conn
	if c.o.Interval <= 0 {
		return
	}
	h.from, h.asked = time.Since(c.started), false
	if h.timer == nil {
		h.timer = time.AfterFunc(c.o.Interval, h.check)
	} else {
		h.timer.Reset(c.o.Interval)
	}
}

func (h *health) stop() {
	if h.timer != nil {
		h.timer.Stop()
	}
}

func (h *health) check() {
	c := h.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil || len(c.streams) == 0 {
		return
	}
	now := time.Since(c.started)
	if heard := time.Duration(c.heard.Load()); heard > h.from {
		h.from, h.asked = heard, false
	}
	limit := c.o.Interval
	if h.asked {
		limit = c.o.Timeout
	}
	if left := limit - (now - h.from); left > 0 {
		h.timer.Reset(left)
		return
	}
	if h.asked {
		c.end(ErrUnresponsive, 0, false)
		return
	}
	if left := calm - (now - h.pinged); h.pinged > 0 && !h.answered && left > 0 {
		h.timer.Reset(min(left, c.o.Interval)) // an answer may come, and the silence after it be another
		return
	}
	h.from, h.asked = now, true
	h.pinged, h.answered = now, false
	c.post(control{frame: http2.FramePing})
	h.timer.Reset(c.o.Timeout)
}
