package telemetry

import (
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/homeward/homeward/internal/proxy"
	"github.com/homeward/homeward/route"
	"github.com/homeward/homeward/topology"
)

// line makes the lines of the access log, one at a time.
type line struct {
	bytes  []byte
	second int64             // since 1970, of stamp
	stamp  [len(layout)]byte // "" in the beginning
	ready  bool              // stamp is that of second
	said   [8]said
}

// said is what is told of a decision that most requests share. It belongs to one
// table: a line that is used again lets go of one that was replaced.
type said struct {
	table            *route.Table
	outcome          route.Outcome
	reason           route.Reason
	cell, sent, rule route.Index
	place            topology.Place
	text             []byte
}

// layout is a time up to its seconds (RFC 3339 section 5.6).
const layout = "2006-01-02T15:04:05"

// set makes the line of one request. Fields that say nothing are left out.
func (l *line) set(r *proxy.Record) {
	b := l.time(append(l.bytes[:0], `{"time":"`...), r.Start)
	b = text(b, `","request_id":"`, r.RequestID, 128)
	if r.Client.IsValid() {
		b = append(b, `","client":"`...)
		if r.Client.Zone() == "" {
			b = r.Client.AppendTo(b)
		} else {
			b = escaped(b, r.Client.String())
		}
	}
	b = text(b, `","proto":"`, r.Proto, 16)
	b = text(b, `","method":"`, r.Method, 32)
	b = text(b, `","host":"`, r.Host, 255)
	b = text(b, `","path":"`, r.Path, 1024)
	if r.Decided {
		b = l.decision(b, r.Table, &r.Decision)
	}
	if r.Type != proxy.Short {
		b = text(b, `","type":"`, r.Type.String(), 16)
	}
	b = number(b, `","status":`, int64(r.Status)) // the first that is no text
	if r.Type == proxy.GRPC && r.GRPC >= 0 {
		b = number(b, `,"grpc_status":`, int64(r.GRPC))
	}
	b = ended(b, `,"error":"`, r.Kind.String(), 32)
	b = ended(b, `,"own":"`, r.Own, 16)
	b = millis(b, `,"duration_ms":`, r.Duration)
	if r.Upstream > 0 {
		b = millis(b, `,"upstream_ms":`, r.Upstream)
	}
	b = ended(b, `,"gateway":"`, r.Gateway, 255)
	if r.Attempts > 1 {
		b = number(b, `,"attempts":`, int64(r.Attempts))
	}
	b = number(b, `,"bytes_in":`, r.BytesIn)
	b = number(b, `,"bytes_out":`, r.BytesOut)
	b = ended(b, `,"aborted":"`, r.Aborted.String(), 16)
	l.bytes = append(b, "}\n"...)
}

// time appends when a request began, in UTC, to the millisecond. Most requests
// begin in the same second as the one before.
func (l *line) time(b []byte, t time.Time) []byte {
	if second := t.Unix(); !l.ready || second != l.second {
		if year := t.UTC().Year(); year < 0 || year > 9999 {
			return t.UTC().AppendFormat(b, layout+".000Z")
		}
		t.UTC().AppendFormat(l.stamp[:0], layout)
		l.second, l.ready = second, true
	}
	ms := t.Nanosecond() / int(time.Millisecond)
	b = append(append(b, l.stamp[:]...), '.')
	return append(thousandths(b, ms), 'Z')
}

// decision appends what was decided and why.
func (l *line) decision(b []byte, t *route.Table, d *route.Decision) []byte {
	s := &l.said[(int(d.Send)+3*int(d.Rule)+5*int(d.Reason))&(len(l.said)-1)]
	if s.table != t || s.outcome != d.Outcome || s.reason != d.Reason || s.cell != d.Cell || s.sent != d.Send || s.rule != d.Rule || s.place != d.Place {
		l.learn(s, t, d)
	}
	b = append(b, s.text...)
	if d.Fingerprint != 0 {
		b = d.Fingerprint.AppendTo(append(b, `","fingerprint":"`...))
	}
	if d.HasAccount {
		b = strconv.AppendUint(append(b, `","account":"`...), uint64(d.Account), 10)
	}
	return text(b, `","lane":"`, t.Lane(d.Lane).Name, 64)
}

// learn makes s that of a decision.
func (l *line) learn(s *said, t *route.Table, d *route.Decision) {
	for i := range l.said {
		if l.said[i].table != t {
			l.said[i] = said{text: l.said[i].text}
		}
	}
	if s.text == nil {
		s.text = make([]byte, 0, 256)
	}
	b := text(s.text[:0], `","outcome":"`, d.Outcome.String(), 32)
	b = text(b, `","cell":"`, CellName(t, d.Cell), 16)
	b = text(b, `","sent":"`, CellName(t, d.Send), 16)
	b = text(b, `","why":"`, d.Reason.String(), 128)
	if d.Rule != route.None {
		b = text(b, `","rule":"`, t.Rule(d.Rule).Name, 64)
	}
	if d.Place.Kind != 0 {
		b = text(b, `","place":"`, d.Place.String(), 128)
	}
	*s = said{t, d.Outcome, d.Reason, d.Cell, d.Send, d.Rule, d.Place, b}
}

// CellName is the name of a cell of the table, "" for none.
func CellName(t *route.Table, i route.Index) string {
	if i == route.None {
		return ""
	}
	return t.Cell(i).Name
}

// number appends a field and its value.
func number(b []byte, name string, n int64) []byte {
	return strconv.AppendInt(append(b, name...), n, 10)
}

// millis appends a field and a time in milliseconds, with three decimals.
func millis(b []byte, name string, d time.Duration) []byte {
	us := max(0, d.Microseconds())
	b = number(b, name, us/1000)
	return thousandths(append(b, '.'), int(us%1000))
}

// thousandths appends a number below 1000 as three digits.
func thousandths(b []byte, n int) []byte {
	return append(b, byte('0'+n/100), byte('0'+n/10%10), byte('0'+n%10))
}

// text appends a string field, cut to most bytes, unless it is empty. name ends
// the text before it and begins its own, whose end is left to what follows.
func text(b []byte, name, s string, most int) []byte {
	if s == "" {
		return b
	}
	return escaped(append(b, name...), s[:min(len(s), most)])
}

// ended is text that ends by itself, for what follows no text.
func ended(b []byte, name, s string, most int) []byte {
	if s == "" {
		return b
	}
	return append(text(b, name, s, most), '"')
}

// escaped appends s as it stands in a JSON string (RFC 8259 section 7).
func escaped(b []byte, s string) []byte {
	if plain(s) {
		return append(b, s...)
	}
	for _, c := range s {
		switch {
		case c == utf8.RuneError:
			b = append(b, `\ufffd`...)
		case c == '"' || c == '\\':
			b = append(b, '\\', byte(c))
		case c < ' ' || c == 0x7f:
			const hex = "0123456789abcdef"
			b = append(b, `\u00`...)
			b = append(b, hex[c>>4], hex[c&15])
		default:
			b = utf8.AppendRune(b, c)
		}
	}
	return b
}

// plain reports whether s is printable ASCII without quotes and backslashes. It
// looks at eight bytes at a time.
func plain(s string) bool {
	const each, high = 0x0101010101010101, 0x8080808080808080
	if len(s) < 8 {
		for i := 0; i < len(s); i++ {
			if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
				return false
			}
		}
		return true
	}
	bad := uint64(0)
	for i := 0; i < len(s); i += 8 {
		i = min(i, len(s)-8) // the last word overlaps the one before it
		w := uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 |
			uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
		// No sum carries out of its byte, the high bits being cleared. Each sets
		// the high bit of a byte that is at least what it is subtracted from.
		low := w &^ high
		quote, slash := low^each*'"', low^each*'\\'
		bad |= w | ^(low + each*(0x80-' ')) | (low + each*(0x80-0x7f)) | ^(quote + each*0x7f) | ^(slash + each*0x7f)
	}
	return bad&high == 0
}
