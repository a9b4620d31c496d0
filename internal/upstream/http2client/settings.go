package http2client

import (
	"math"

	"golang.org/x/net/http2"
)

// settings are those of the gateway (RFC 9113 section 6.5.2). mu of the
// connection guards them.
type settings struct {
	known   bool  // its first SETTINGS have come
	window  int64 // of a new stream
	frame   int   // bytes of a frame's payload
	streams uint32
	head    uint32 // bytes of a head, as RFC 9113 section 6.5.2 counts them
	connect bool
	// Sizes of the compression table since the last block was encoded: the
	// smallest and the latest, to be told both (RFC 7541 section 4.2).
	table, smallest uint32
	resized         bool
}

func firstSettings() settings {
	return settings{window: 1<<16 - 1, frame: minFrameSize, streams: math.MaxInt32, head: math.MaxUint32}
}

// onSettings applies settings in their order and acknowledges them.
func (c *Conn) onSettings(f *http2.SettingsFrame) error {
	if f.IsAck() {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := f.ForeachSetting(c.set); err != nil {
		return err
	}
	for _, s := range c.streams {
		s.out.Broadcast()
	}
	if !c.peer.known {
		c.peer.known = true
		close(c.ready)
	}
	c.post(control{frame: http2.FrameSettings})
	c.o.Room()
	return nil
}

func (c *Conn) set(s http2.Setting) error {
	p := &c.peer
	switch s.ID {
	case http2.SettingInitialWindowSize:
		return c.setWindow(s.Val)
	case http2.SettingMaxFrameSize:
		if s.Val < minFrameSize || s.Val > maxFrameSize {
			return connError{http2.ErrCodeProtocol, "SETTINGS_MAX_FRAME_SIZE is out of its range"}
		}
		p.frame = int(s.Val)
	case http2.SettingMaxConcurrentStreams:
		p.streams = min(s.Val, math.MaxInt32)
	case http2.SettingMaxHeaderListSize:
		p.head = s.Val
	case http2.SettingHeaderTableSize:
		if !p.resized || s.Val < p.smallest {
			p.smallest = s.Val
		}
		p.table, p.resized = s.Val, true
	case http2.SettingEnablePush:
		if s.Val != 0 {
			return connError{http2.ErrCodeProtocol, "a gateway sets SETTINGS_ENABLE_PUSH"}
		}
	case http2.SettingEnableConnectProtocol:
		if s.Val > 1 || (s.Val == 0 && p.connect) {
			return connError{http2.ErrCodeProtocol, "SETTINGS_ENABLE_CONNECT_PROTOCOL is neither 0 nor 1, or was taken back"}
		}
		p.connect = s.Val == 1
	}
	return nil
}

// setWindow changes the windows of all streams by the difference, which may
// make them negative (RFC 9113 section 6.9.2).
func (c *Conn) setWindow(v uint32) error {
	if v > maxWindow {
		return connError{http2.ErrCodeFlowControl, "SETTINGS_INITIAL_WINDOW_SIZE is out of its range"}
	}
	change := int64(v) - c.peer.window
	c.peer.window = int64(v)
	for _, s := range c.streams {
		if s.window += change; s.window > maxWindow {
			return connError{http2.ErrCodeFlowControl, "SETTINGS_INITIAL_WINDOW_SIZE makes a window too large"}
		}
	}
	return nil
}

// receipt is a window for what the gateway sends.
type receipt struct {
	window int64 // at its largest
	left   int64 // what the gateway may send
	free   int64 // what it may have back and was not told of
}

// take notes n bytes that came, and reports whether they were allowed.
func (r *receipt) take(n int64) bool {
	if n > r.left {
		return false
	}
	r.left -= n
	return true
}

// give frees n bytes. The result is what to tell the gateway now: half a
// window at least, or nothing.
func (r *receipt) give(n int64) uint32 {
	r.free += n
	if r.free < (r.window+1)/2 {
		return 0
	}
	n = r.free
	r.left += n
	r.free = 0
	return uint32(n)
}
