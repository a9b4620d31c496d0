package demo

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"github.com/homeward/homeward/internal/proxy"
	"github.com/homeward/homeward/internal/telemetry"
	"github.com/homeward/homeward/route"
	"github.com/homeward/homeward/topology"
)

// liveBuffer is how many lines may wait for a slow terminal.
const liveBuffer = 1024

// live shows a line for each request. No line holds a credential: it shows what
// a proxy.Record has.
type live struct {
	out     io.Writer
	colored bool
	lines   chan string
	dropped atomic.Int64
	quit    chan struct{}
	ended   chan struct{} // nil until start

	mu sync.Mutex // of out
}

func newLive(out io.Writer, colored bool) *live {
	return &live{out: out, colored: colored, lines: make(chan string, liveBuffer), quit: make(chan struct{})}
}

// Done implements proxy.Observer. It never waits for the terminal.
func (l *live) Done(r *proxy.Record) {
	select {
	case l.lines <- l.line(r):
	default:
		l.dropped.Add(1)
	}
}

// start begins to show lines, those that came before among them.
func (l *live) start() {
	l.ended = make(chan struct{})
	go func() {
		defer close(l.ended)
		for {
			select {
			case line := <-l.lines:
				l.write(line)
			case <-l.quit:
				for len(l.lines) > 0 {
					l.write(<-l.lines)
				}
				return
			}
		}
	}()
}

// stop shows what came so far and ends. Later lines are lost.
func (l *live) stop() {
	close(l.quit)
	if l.ended != nil {
		<-l.ended
	}
}

func (l *live) write(line string) {
	if n := l.dropped.Swap(0); n > 0 {
		line = fmt.Sprintf("(%d more requests, faster than could be shown)\n%s", n, line)
	}
	l.say("%s", line)
}

// say writes a line between the others. Errors of the terminal are its own.
func (l *live) say(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = fmt.Fprintf(l.out, format+"\n", args...)
}

// line is the line of one request: time, method, host, path, outcome and cell,
// what settled it, status, milliseconds.
func (l *live) line(r *proxy.Record) string {
	outcome, tint := result(r)
	status := "-"
	if r.Status != 0 {
		status = fmt.Sprint(r.Status)
	}
	end := fmt.Sprintf("%s %8.1f ms", pad(status, 3), float64(r.Duration.Microseconds())/1000)
	if r.Aborted != proxy.NotAborted {
		end += ", broken off by the " + r.Aborted.String()
	}
	return strings.Join([]string{
		r.Start.Format("15:04:05.000"), pad(cut(r.Method, 7), 7), pad(cut(r.Host, 22), 22), pad(cut(r.Path, 32), 32),
		l.color(tint, pad(outcome, 23)), pad(why(r), 32), end,
	}, "  ")
}

// Colors, as terminals number them.
const (
	red    = 31
	green  = 32
	yellow = 33
	cyan   = 36
)

func (l *live) color(code int, text string) string { return paint(l.colored, code, text) }

func paint(colored bool, code int, text string) string {
	if !colored {
		return text
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", code, text)
}

// result is the outcome and where the request went, and its color.
func result(r *proxy.Record) (text string, tint int) {
	switch {
	case r.Own != "":
		return r.Own + " -> edge", cyan
	case !r.Decided || r.Decision.Refused():
		return r.Kind.String() + " -> refused", red
	}
	text = r.Decision.Outcome.String() + " -> " + telemetry.CellName(r.Table, r.Decision.Send)
	switch {
	case r.Kind != proxy.NoProblem:
		return text + ", " + r.Kind.String(), red
	case r.Decision.Outcome == route.Home:
		return text, green
	}
	return text, yellow
}

// why is what settled the decision: mostly the rule and the place.
func why(r *proxy.Record) string {
	d := &r.Decision
	switch {
	case !r.Decided:
		return "-"
	case d.Other.Kind != 0:
		return short(d.Place) + " and " + short(d.Other)
	case d.Outcome == route.Conflict:
		return d.Reason.Code()
	case d.Rule != route.None:
		return r.Table.Rule(d.Rule).Name + " in " + short(d.Place)
	case d.Place.Kind != 0:
		return "no rule for " + short(d.Place)
	case d.Outcome == route.Anonymous && d.Reason == route.ByLegacy:
		return "no credential"
	}
	return d.Reason.Code()
}

// short is a place without what the line has already or nobody needs.
func short(p topology.Place) string {
	switch p.Kind {
	case topology.PathPlace:
		return p.Kind.String()
	case topology.HeaderPlace:
		return p.Name
	}
	return p.String()
}

func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(s)))
}

// cut is at most width bytes of a text of visible ASCII.
func cut(s string, width int) string {
	if len(s) <= width {
		return s
	}
	return s[:width-2] + ".."
}
