package explain

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// column is the width of the labels of a report in text.
const column = 12

// text writes a report line by line.
type text struct {
	w     io.Writer
	color bool
	err   error
}

// WriteText writes reports for people, with colours of the terminal if color.
func WriteText(w io.Writer, reports []Report, color bool) error {
	t := &text{w: w, color: color}
	for i := range reports {
		if i > 0 {
			t.print("\n")
		}
		t.report(&reports[i], len(reports) > 1)
	}
	return t.err
}

func (t *text) print(s string) {
	if t.err == nil {
		_, t.err = io.WriteString(t.w, s)
	}
}

// line writes a label and what it says; an empty label continues the one above.
func (t *text) line(label, format string, args ...any) {
	t.print(fmt.Sprintf("  %-*s %s\n", column, label, fmt.Sprintf(format, args...)))
}

// paint puts a text in a colour: 1 bold, 31 red, 32 green, 33 yellow.
func (t *text) paint(code, s string) string {
	if !t.color {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (t *text) report(r *Report, several bool) {
	title := r.Request.Method + " "
	if r.Request.Scheme != "" {
		title += r.Request.Scheme + "://"
	}
	title += r.Host.Name + r.Request.Target
	if several {
		title = r.From + ": " + title
	}
	t.print(t.paint("1", title) + "\n\n")
	t.line("result", "%s", t.result(r))
	t.line("why", "%s", r.Why)
	switch r.Host.Kind {
	case "facade":
		t.line("host", "%s is a facade host", r.Host.Name)
	case "cell":
		t.line("host", "%s is a host of the cell %s", r.Host.Name, r.Host.Cell)
	default:
		t.line("host", "%s is not in the topology", r.Host.Name)
	}
	if r.Outcome != "" {
		t.line("outcome", "%s (%s)", r.Outcome, r.Reason)
	}
	t.credentials(r)
	if r.Path != "" {
		t.line("path rule", "%s", r.Path)
	}
	if r.Lane != "" {
		t.line("lane", "%s", r.Lane)
	}
	if r.Mode == "observe" {
		t.line("mode", "observe: the topology reports and does not route")
	}
	if r.Share != "" {
		t.line("share", "%s%% of the credentials of %s", r.Share, r.Cell)
	}
	t.answer("answer", r.Answer)
	t.answer("in route", r.Would)
	for _, n := range r.Notes {
		t.line("note", "%s", n)
	}
}

// result is the one thing to know.
func (t *text) result(r *Report) string {
	switch r.Action {
	case Refuse:
		if r.Answer == nil {
			return t.paint("31", "refused")
		}
		return t.paint("31", fmt.Sprintf("refused with %d %s", r.Answer.Status, r.Answer.Kind))
	case Own:
		return t.paint("32", fmt.Sprintf("answered by the edge itself with %d", r.Answer.Status))
	}
	if r.Held != "" {
		return t.paint("33", "sent to "+r.Send) + " (" + r.Held + ")"
	}
	return t.paint("32", "sent to "+r.Send)
}

// credentials tells of all credentials, the one that settled it first.
func (t *text) credentials(r *Report) {
	seen := r.Seen
	if len(seen) == 0 && r.Credential != nil {
		seen = []Credential{*r.Credential}
	}
	if len(seen) == 0 && r.Outcome != "" {
		t.line("credential", "none")
	}
	settled := func(c Credential) bool {
		return r.Credential != nil && c.Place == r.Credential.Place && c.Fingerprint == r.Credential.Fingerprint
	}
	if i := slices.IndexFunc(seen, settled); i > 0 {
		seen = slices.Concat(seen[i:i+1], seen[:i], seen[i+1:])
	}
	for i := range seen {
		c := &seen[i]
		label := "credential"
		if i > 0 {
			label = "and"
		}
		t.line(label, "%s, fingerprint %s", c.Where, c.Fingerprint)
		says := c.Says
		if c.Account != "" {
			says += ", account " + c.Account
		}
		if c.Epoch != 0 {
			says += fmt.Sprintf(", epoch %d", c.Epoch)
		}
		if c.Rule != "" && !c.Ignored {
			says = fmt.Sprintf("rule %s (%s): it %s", c.Rule, c.Format, says)
		} else {
			says = "it " + says
		}
		t.line("", "%s", says)
	}
}

func (t *text) answer(label string, a *Answer) {
	if a == nil {
		return
	}
	t.line(label, "%d %s", a.Status, http.StatusText(a.Status))
	for _, h := range a.Headers {
		t.line("", "%s: %s", h.Name, h.Value)
	}
	if len(a.Body) > 0 {
		var body bytes.Buffer
		if json.Indent(&body, a.Body, "", "  ") == nil {
			for l := range strings.Lines(body.String()) {
				t.line("", "%s", strings.TrimRight(l, "\n"))
			}
		}
	}
}
