package route_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/homeward/homeward/route"
)

// FuzzDecide decides arbitrary heads under every topology of the conformance
// suite and holds what is true of all decisions.
func FuzzDecide(f *testing.F) {
	cases, tables := readDecisions(f)
	for _, c := range cases {
		lines := ""
		for _, h := range c.Request.Fields {
			lines += h[0] + ":" + h[1] + "\n"
		}
		f.Add(c.Request.Method, c.Request.Host, c.Request.Target, lines, c.Request.Body, c.Request.BodyState == "too-long")
	}
	var used route.Request
	f.Fuzz(func(t *testing.T, method, host, target, lines, body string, tooLong bool) {
		r := route.Request{Method: method, Host: host, Target: target, Body: []byte(body), BodyState: route.BodyWhole}
		if tooLong {
			r.Body, r.BodyState = nil, route.BodyTooLong
		}
		for line := range strings.SplitSeq(lines, "\n") {
			name, value, _ := strings.Cut(line, ":")
			r.Fields = append(r.Fields, route.Field{Name: name, Value: value})
		}
		for name, table := range tables {
			before := r
			d := table.Decide(&r)
			if r.Target != before.Target || r.Host != before.Host || string(r.Body) != string(before.Body) {
				t.Fatal("Decide changed the request")
			}
			holds(t, table, &d)
			if again := table.Decide(&r); again != d {
				t.Fatalf("%s: decided again: %+v, want %+v", name, again, d)
			}
			used.Method, used.Host, used.Target, used.Fields = r.Method, r.Host, r.Target, r.Fields
			used.Body, used.BodyState = r.Body, r.BodyState
			if other := table.Decide(&used); other != d {
				t.Fatalf("%s: with a used request: %+v, want %+v", name, other, d)
			}
			sameHost(t, table, &r, d)
			table.Peek(&r)
			table.RedactPath(target)
			table.RedactTarget(target)
		}
	})
}

// holds checks what is true of every decision.
func holds(t *testing.T, table *route.Table, d *route.Decision) {
	t.Helper()
	refusal, observes := d.Outcome.Refusal(), table.Mode() == "observe"
	switch {
	case refusal && d.Cell != route.None:
		t.Fatalf("%v names a cell to send to", d.Outcome)
	case refusal && !observes && d.Send != route.None:
		t.Fatalf("%v is sent on", d.Outcome)
	case !refusal && (table.Cell(d.Cell) == nil || table.Cell(d.Send) == nil):
		t.Fatalf("%v without a cell", d.Outcome)
	case observes && table.Cell(d.Send) == nil:
		t.Fatalf("%v is refused while the topology observes", d.Outcome)
	case d.Send != d.Cell && d.Send != table.LegacyCell() && !refusal:
		t.Fatalf("%v goes neither home nor to the legacy cell", d.Outcome)
	case table.Lane(d.Lane) == nil:
		t.Fatal("no lane")
	case d.Reason.Code() == "" || d.Outcome.String() == "":
		t.Fatalf("%d for reason %d has no words", d.Outcome, d.Reason)
	case d.Outcome == route.Home && d.Place.Kind == 0:
		t.Fatal("home without the place of a credential")
	}
}

// sameHost checks that neither case nor a port of the host matters.
func sameHost(t *testing.T, table *route.Table, r *route.Request, d route.Decision) {
	t.Helper()
	host := r.Host
	defer func() { r.Host = host }()
	variants := []string{swapCase(host)}
	if host != "" && !strings.ContainsAny(host, ":[") {
		variants = append(variants, host+":443", host+":")
		if !strings.HasSuffix(host, ".") {
			variants = append(variants, host+".", host+".:80")
		}
	}
	for _, v := range variants {
		r.Host = v
		if got := table.Decide(r); got != d {
			t.Fatalf("host %q: %+v, with %q: %+v", host, d, v, got)
		}
	}
}

// swapCase swaps the case of ASCII letters.
func swapCase(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c|0x20 >= 'a' && c|0x20 <= 'z' {
			b[i] = c ^ 0x20
		}
	}
	return string(b)
}

// FuzzNormalPath holds that a normal form is its own, is rooted, and has
// neither dot nor empty segments left.
func FuzzNormalPath(f *testing.F) {
	for _, c := range normalPaths {
		f.Add(c.target)
	}
	f.Fuzz(func(t *testing.T, target string) {
		once := route.AppendNormalPath(nil, target)
		if path := string(once); !strings.ContainsRune(path, '?') {
			if twice := route.AppendNormalPath(nil, path); !bytes.Equal(once, twice) {
				t.Fatalf("%q: normal form %q, whose normal form is %q", target, once, twice)
			}
		}
		if string(once) != "*" && (len(once) == 0 || once[0] != '/') {
			t.Fatalf("%q: %q is not rooted", target, once)
		}
		segments := strings.Split(string(once), "/")
		for i, s := range segments {
			if s == "." || s == ".." || s == "" && i > 0 && i < len(segments)-1 {
				t.Fatalf("%q: %q has the segment %q", target, once, s)
			}
		}
		prefixed := route.AppendNormalPath([]byte("%"), target)
		if string(prefixed[1:]) != string(once) {
			t.Fatalf("%q: %q after other text, %q alone", target, prefixed[1:], once)
		}
	})
}
