package explain

import (
	"bytes"
	"strings"

	"github.com/homeward/homeward/internal/proxy"
	"github.com/homeward/homeward/internal/proxy/http1"
	"github.com/homeward/homeward/route"
	"github.com/homeward/homeward/topology"
)

// Explain runs a request through the edge's own code as far as no connection
// is needed, and reports. It is pure; s may be shared with a running edge.
func Explain(s *proxy.State, in *Input) Report {
	head, err := readHead(s, in)
	if err != nil {
		return misframed(s, in, err)
	}
	r := newReport(s.Table, Head{
		From: in.From, Method: head.Method, Scheme: in.Scheme, Host: head.Host, Target: head.Origin,
	})
	r.Notes = append(r.Notes, in.Notes...)
	if s.IsHealth(head.Method, head.Origin) {
		r.Action, r.Why = Own, "This is the health path: the edge answers load balancers' probes itself, for any Host."
		r.Answer = &Answer{Status: 200, Headers: []Header{{"Content-Type", "text/plain; charset=utf-8"}, {"Cache-Control", "no-store"}}}
		return r
	}
	if fields, ok := s.Preflight(head.Method, head.Host, head.Fields); ok {
		r.preflight(fields)
		return r
	}
	request := route.Request{Method: head.Method, Host: head.Host, Target: head.Origin, Fields: head.Fields}
	r.look(s.Table, &request, in)
	d := s.Table.Decide(&request)
	r.decide(s.Table, &d)
	r.Seen = survey(s.Table, &request)
	if d.Outcome.Refusal() {
		answer := reply(s, s.Refusal(&d), head.Host, head.Fields)
		if d.Refused() {
			if r.Answer = answer; head.Method == "HEAD" {
				answer.Body = nil
			}
		} else {
			r.Would = answer
		}
	}
	if p, over := s.OverLimit(int64(len(in.Body))); over && r.Action == Send {
		r.Action, r.Send, r.Why = Refuse, "", p.Detail
		r.Answer = reply(s, p, head.Host, head.Fields)
	}
	return r
}

// readHead writes the head as a client does and reads it as the edge does.
func readHead(s *proxy.State, in *Input) (*http1.Request, error) {
	var b bytes.Buffer
	version := " HTTP/1.1\r\n"
	if in.Minor == 0 {
		version = " HTTP/1.0\r\n"
	}
	b.WriteString(in.Method + " " + in.Target + version)
	for _, f := range in.Fields {
		b.WriteString(f.Name + ": " + f.Value + "\r\n")
	}
	b.WriteString("\r\n")
	var head http1.Request
	if err := http1.ReadRequest(http1.NewReader(&b), &head, s.HeadLimits()); err != nil {
		return nil, err
	}
	return &head, nil
}

// misframed is the report of a request that the edge cannot read.
func misframed(s *proxy.State, in *Input, err error) Report {
	p, _ := proxy.HeadProblem(err)
	host := ""
	for _, f := range in.Fields {
		if strings.EqualFold(f.Name, "Host") {
			host = f.Value
			break
		}
	}
	r := newReport(s.Table, Head{From: in.From, Method: in.Method, Scheme: in.Scheme, Host: host, Target: originForm(in.Target)})
	r.Action, r.Why, r.Answer = Refuse, p.Detail, reply(s, p, "", nil)
	r.Notes = append(r.Notes, in.Notes...)
	return r
}

// originForm is the path and query of a target in any form.
func originForm(target string) string {
	if strings.HasPrefix(target, "/") || target == "*" {
		return target
	}
	if _, rest, ok := strings.Cut(target, "://"); ok {
		if i := strings.IndexAny(rest, "/?"); i >= 0 {
			return rest[i:]
		}
		return "/"
	}
	return hidden
}

// look gives the decision what the edge would have read of the body.
func (r *Report) look(t *route.Table, request *route.Request, in *Input) {
	limit, ok := t.Peek(request)
	switch {
	case !ok:
	case in.BodyUnknown:
		r.Notes = append(r.Notes, "on this path the edge looks into the body, which is not known here: a credential in it would count")
	case int64(len(in.Body)) > limit:
		request.BodyState = route.BodyTooLong
	default:
		request.Body, request.BodyState = in.Body, route.BodyWhole
	}
}

func (r *Report) preflight(fields []route.Field) {
	r.Action, r.Answer = Own, &Answer{Status: 204}
	for _, f := range fields {
		r.Answer.Headers = append(r.Answer.Headers, Header(f))
	}
	r.Why = "This is a CORS preflight: the edge answers it itself, because it carries no credential."
	if len(fields) == 1 {
		r.Why = "This is a CORS preflight from an origin that the topology does not allow: the edge answers without permission, and the browser stops."
	}
}

// reply is the edge's answer to a problem. What differs from request to
// request is not shown.
func reply(s *proxy.State, p proxy.Problem, host string, request []route.Field) *Answer {
	status, fields, body := s.Reply(p, hidden)
	if host != "" {
		fields = s.CORSFields(fields, host, request)
	}
	a := &Answer{Status: status, Kind: p.Kind.String(), Body: bytes.TrimSpace(body)}
	for _, f := range fields {
		if f.Name != "Content-Length" {
			a.Headers = append(a.Headers, Header(f))
		}
	}
	return a
}

// Head is what a Report tells of a request's head.
type Head struct {
	From   string
	Method string
	Scheme string
	Host   string
	Target string // origin form
}

// FromDecision reports a decision that was made, such as one that a running
// edge recorded. What only the whole request tells, the other credentials and
// the edge's answer, is left out.
func FromDecision(t *route.Table, h Head, d *route.Decision) Report {
	r := newReport(t, h)
	r.decide(t, d)
	return r
}

// newReport starts a report with what is known before the decision.
func newReport(t *route.Table, h Head) Report {
	r := Report{
		From: h.From, Mode: string(t.Mode()), Action: Send,
		Request: Request{Method: showMethod(h.Method), Scheme: h.Scheme, Target: showTarget(t, h.Target)},
		Host:    Host{Name: h.Host, Kind: "unknown"},
	}
	switch kind, cell := t.HostKind(h.Host); kind {
	case route.FacadeHost:
		r.Host.Kind = "facade"
	case route.CellHost:
		r.Host.Kind, r.Host.Cell = "cell", cellName(t, cell)
	default:
		r.Host.Name = showHost(h.Host)
	}
	return r
}

// decide tells what was decided.
func (r *Report) decide(t *route.Table, d *route.Decision) {
	r.Outcome, r.Reason = d.Outcome.String(), d.Reason.Code()
	r.Cell, r.Send = cellName(t, d.Cell), cellName(t, d.Send)
	if lane := t.Lane(d.Lane); lane != nil {
		r.Lane = lane.Name
	}
	if rule := t.PathRule(d.Path); rule != nil {
		r.Path = rule.Path
	}
	if d.Refused() {
		r.Action = Refuse
	}
	if d.Place != (topology.Place{}) && d.Fingerprint != 0 {
		c := describe(t, d)
		r.Credential = &c
	}
	r.held(t, d)
	r.Why = why(t, d, r)
}

// held says why a request is not sent to the cell that was decided.
func (r *Report) held(t *route.Table, d *route.Decision) {
	if c := t.Cell(d.Cell); c != nil && c.Share != nil && *c.Share < 100 {
		r.Share = percent(*c.Share)
	}
	switch {
	case d.Send == route.None || d.Send == d.Cell:
	case t.Mode() == topology.Observe:
		r.Held = "observe"
	default:
		r.Held = "share"
	}
}

func cellName(t *route.Table, i route.Index) string {
	if c := t.Cell(i); c != nil {
		return c.Name
	}
	return ""
}
