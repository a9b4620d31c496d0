package topology

import (
	"net/url"
	"strconv"
	"strings"
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
		{"pool_wait", t.PoolWait}, {"response_header", t.ResponseHeader}, {"response_body", t.ResponseBody}, {"stream", t.Stream}, {"half_closed", t.HalfClosed}, {"upstream_idle", t.UpstreamIdle}, {"drain", t.Drain},
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
	v.ranged(at.Key("upstream_connections"), int64(l.UpstreamConnections), 1, 65535, number)
}

// health checks how the gateways of a cell are probed.
func (v *validator) health(at Path, who string, h *Health) {
	if h == nil {
		return
	}
	if h.Path != "" {
		if wrong, fix := probePathProblem(h.Path); wrong != "" {
			v.add(at.Key("path"), fix, "the health path %q of %s %s", clip(h.Path), who, wrong)
		}
	}
	period := func(n int64) string { return Duration(n).String() }
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	v.ranged(at.Key("interval"), int64(h.Interval), int64(time.Second), int64(time.Hour), period)
	v.ranged(at.Key("timeout"), int64(h.Timeout), int64(time.Millisecond), int64(time.Minute), period)
	v.ranged(at.Key("healthy"), int64(h.Healthy), 1, 100, number)
	v.ranged(at.Key("unhealthy"), int64(h.Unhealthy), 1, 100, number)
}

// probePathProblem says what keeps p from being sent as a request-target. It is
// sent as it is written, with its query if it has one.
func probePathProblem(p string) (wrong, fix string) {
	if !strings.HasPrefix(p, "/") {
		return "does not begin with a slash", "write a path such as /healthz"
	}
	for i := range len(p) {
		if p[i] <= ' ' || p[i] > '~' || p[i] == '#' {
			return "has a character that no request-target has", "escape it, as in %20"
		}
	}
	if _, err := url.ParseRequestURI(p); err != nil || strings.HasPrefix(p, "//") {
		return "is not a path", "write a path such as /healthz"
	}
	return "", ""
}
