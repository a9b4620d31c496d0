package http1_test

import (
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/homeward/homeward/conformance"
	"github.com/homeward/homeward/internal/proxy/http1"
)

// message is one message as it was read, for comparison. Its strings are copies.
type message struct {
	Method, Target, Reason, Body string
	Status, Minor                int
	Fields, Trailer              [][2]string
}

// outcome is what was read of a stream: messages, and what ended it.
type outcome struct {
	Read   []message
	Refuse int    // 400 or 431
	In     string // head or body, of what was refused or is not whole
	Cut    bool
	Closes bool
}

// errStalled is what a source says that has given all it has. A rule that a
// stream breaks must be found without more of it.
var errStalled = errors.New("nothing more comes")

// end tells what kind of end an error is.
func (o *outcome) end(err error, in string) {
	var rule *http1.SyntaxError
	switch {
	case errors.As(err, &rule):
		o.Refuse, o.In = 400, in
	case errors.Is(err, http1.ErrTooLarge):
		o.Refuse, o.In = 431, in
	case errors.Is(err, io.ErrUnexpectedEOF):
		o.Cut, o.In = true, in
	case errors.Is(err, io.EOF) && in == "head":
	default:
		o.In = "an error that is none of a reader's: " + err.Error()
	}
}

// readRequests reads a connection as a server does, to its end.
func readRequests(src io.Reader) (o outcome) {
	r := http1.NewReader(src)
	var req http1.Request
	for {
		if err := http1.ReadRequest(r, &req, http1.Limits{}); err != nil {
			o.end(err, "head")
			return o
		}
		m := message{Method: strings.Clone(req.Method), Target: strings.Clone(req.Target), Minor: req.Minor, Fields: pairs(req.Fields)}
		closes := req.Close
		body := http1.RequestBody(r, &req, http1.Limits{})
		content, err := io.ReadAll(body)
		if err != nil || !body.Whole() {
			o.end(err, "body")
			return o
		}
		m.Body, m.Trailer = string(content), pairs(body.Trailer())
		o.Read = append(o.Read, m)
		r.Release()
		if closes {
			o.Closes = true
			return o
		}
	}
}

func pairs(fields []http1.Field) (out [][2]string) {
	for _, f := range fields {
		out = append(out, [2]string{strings.Clone(f.Name), strings.Clone(f.Value)})
	}
	return out
}

func wirePairs(fields [][2]conformance.Wire) (out [][2]string) {
	for _, f := range fields {
		out = append(out, [2]string{string(f[0]), string(f[1])})
	}
	return out
}

func want(m conformance.Message) message {
	minor := 1
	if m.Version == "1.0" {
		minor = 0
	}
	return message{
		Method: string(m.Method), Target: string(m.Target), Status: m.Status, Reason: string(m.Reason), Minor: minor,
		Fields: wirePairs(m.Fields), Body: string(m.Body), Trailer: wirePairs(m.Trailer),
	}
}

func wantRequests(v conformance.RequestStream) (o outcome) {
	for _, m := range v.Read {
		o.Read = append(o.Read, want(m))
	}
	o.Refuse, o.Cut, o.Closes = v.Refuse, v.Cut != "", v.Closes
	if o.In = v.In + v.Cut; v.Refuse != 0 && v.In == "" {
		o.In = "head"
	}
	return o
}

func vectors(t testing.TB) conformance.Framing {
	t.Helper()
	v, err := conformance.ReadFraming()
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Requests) < 500 || len(v.Responses) < 100 {
		t.Fatalf("%d and %d vectors only", len(v.Requests), len(v.Responses))
	}
	return v
}

func TestRequestVectors(t *testing.T) {
	for _, v := range vectors(t).Requests {
		t.Run(v.Name, func(t *testing.T) {
			wire, want := string(v.Send), wantRequests(v)
			var src io.Reader = strings.NewReader(wire)
			if v.Refuse != 0 {
				src = io.MultiReader(src, iotest.ErrReader(errStalled))
			}
			if d := cmp.Diff(want, readRequests(src)); d != "" {
				t.Fatalf("%q (- want, + got)\n%s", clip(wire), d)
			}
			for _, src := range splits(wire) {
				if d := cmp.Diff(want, readRequests(src)); d != "" {
					t.Fatalf("split, %q (- want, + got)\n%s", clip(wire), d)
				}
			}
		})
	}
}

// splits are readers of the same bytes: one by one, and, of short ones, in two
// parts at every boundary there is. The longest come in halves.
func splits(wire string) (out []io.Reader) {
	if len(wire) > 50_000 {
		return []io.Reader{iotest.HalfReader(strings.NewReader(wire))}
	}
	out = append(out, iotest.OneByteReader(strings.NewReader(wire)), iotest.DataErrReader(strings.NewReader(wire)))
	if len(wire) > 250 {
		return out
	}
	for at := 1; at < len(wire); at++ {
		out = append(out, io.MultiReader(strings.NewReader(wire[:at]), strings.NewReader(wire[at:])))
	}
	return out
}

// Words of the protocol are compared in ASCII: other letters that fold to theirs
// are other letters to everybody else.
func TestListsFoldsNoOtherLetters(t *testing.T) {
	for value, want := range map[string]bool{"a, WebSocket": true, "websoc\u212aet": false, "web\u017focket": false} {
		if got := http1.Lists([]http1.Field{{Name: "UPGRADE", Value: value}}, "Upgrade", "websocket"); got != want {
			t.Errorf("%q: %v", value, got)
		}
	}
}

func clip(wire string) string { return wire[:min(len(wire), 400)] }

// answered is what was read of an answer.
type answered struct {
	Interim  [][2]string // status and reason
	Answer   *message
	Reusable bool
	Refuse   string // head or body
	Cut      string
}

// readAnswer reads the answer to a request with this method as a client does.
func readAnswer(src io.Reader, method string) (a answered) {
	r := http1.NewReader(src)
	var resp http1.Response
	for {
		if err := http1.ReadResponse(r, &resp, http1.Limits{}); err != nil {
			a.end(err, "head")
			return a
		}
		if !resp.Interim() {
			break
		}
		a.Interim = append(a.Interim, [2]string{strconv.Itoa(resp.Status), strings.Clone(resp.Reason)})
		r.Release()
	}
	m := &message{Status: resp.Status, Reason: strings.Clone(resp.Reason), Minor: resp.Minor, Fields: pairs(resp.Fields)}
	body := http1.ResponseBody(r, &resp, method, http1.Limits{})
	content, err := io.ReadAll(body)
	if err != nil {
		a.end(err, "body")
		return a
	}
	m.Body, m.Trailer = string(content), pairs(body.Trailer())
	a.Answer, a.Reusable = m, body.Whole() && !resp.Close
	return a
}

func (a *answered) end(err error, in string) {
	var o outcome
	if o.end(err, in); o.Refuse != 0 {
		a.Refuse = in
	} else {
		a.Cut = o.In
	}
}

func wantAnswer(v conformance.ResponseStream) answered {
	a := answered{Reusable: v.Reusable, Refuse: v.Refuse, Cut: v.Cut}
	for _, i := range v.Interim {
		a.Interim = append(a.Interim, [2]string{strconv.Itoa(i.Status), string(i.Reason)})
	}
	if v.Answer != nil {
		m := want(*v.Answer)
		a.Answer = &m
	}
	return a
}

func TestResponseVectors(t *testing.T) {
	for _, v := range vectors(t).Responses {
		t.Run(v.Name, func(t *testing.T) {
			wire, want := string(v.Send), wantAnswer(v)
			var src io.Reader = strings.NewReader(wire)
			if v.Refuse != "" || v.Reusable {
				src = io.MultiReader(src, iotest.ErrReader(errStalled))
			}
			if d := cmp.Diff(want, readAnswer(src, v.Method)); d != "" {
				t.Fatalf("%q (- want, + got)\n%s", clip(wire), d)
			}
			for _, src := range splits(wire) {
				if d := cmp.Diff(want, readAnswer(src, v.Method)); d != "" {
					t.Fatalf("split, %q (- want, + got)\n%s", clip(wire), d)
				}
			}
		})
	}
}
