package topology

import (
	"strconv"
	"time"
)

// maxTimeout is the longest time that a stage of a request may take: a day.
const maxTimeout = Duration(24 * time.Hour)

func (v *validator) timeouts() {
	at, t := Root.Key("timeouts"), &v.t.Timeouts
	for _, d := range []struct {
		key string
		is  Duration
	}{
		{"header", t.Header}, {"idle", t.Idle}, {"body", t.Body}, {"write", t.Write}, {"connect", t.Connect},
		{"response_header", t.ResponseHeader}, {"response_body", t.ResponseBody}, {"stream", t.Stream}, {"half_closed", t.HalfClosed}, {"upstream_idle", t.UpstreamIdle}, {"drain", t.Drain},
	} {
		v.ranged(at.Key(d.key), int64(d.is), int64(time.Millisecond), int64(maxTimeout), func(n int64) string { return Duration(n).String() })
	}
}

func (v *validator) limits() {
	at, l := Root.Key("limits"), &v.t.Limits
	size := func(n int64) string { return Size(n).String() }
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	v.ranged(at.Key("head"), int64(l.Head), 1<<10, 1<<20, size)
	v.ranged(at.Key("headers"), int64(l.Headers), 1, 1000, number)
	v.ranged(at.Key("body"), int64(l.Body), 1, 1<<50, size)
	v.ranged(at.Key("connections"), int64(l.Connections), 1, 10_000_000, number)
	v.ranged(at.Key("upstream_idle"), int64(l.UpstreamIdle), 1, 65535, number)
}
