package proxy_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"slices"
	"testing"

	"github.com/homeward/homeward/internal/proxy"
	"github.com/homeward/homeward/internal/proxy/http1"
	"github.com/homeward/homeward/internal/upstream"
	"github.com/homeward/homeward/route"
	"github.com/homeward/homeward/topology"
)

// state is the state of a small topology.
func state(t *testing.T, change func(*topology.Topology)) *proxy.State {
	t.Helper()
	top := &topology.Topology{
		Version: 1, Facade: topology.Facade{Hosts: []string{"api.test"}, LegacyCell: "na1"},
		Cells: []topology.Cell{{Name: "na1", Region: "r", Jurisdiction: "us", Hosts: []string{"na1.test"}, Gateways: []string{"http://127.0.0.1:1"}}},
	}
	if change != nil {
		change(top)
	}
	if problems := top.Validate(); len(problems) > 0 {
		t.Fatal(problems)
	}
	table, err := route.Compile(top)
	if err != nil {
		t.Fatal(err)
	}
	s, err := proxy.NewState(table, upstream.Applied{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// value is the value of a field, "" when it is not there.
func value(fields []route.Field, name string) string {
	for _, f := range fields {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

func preflight(origin string) []route.Field {
	return []route.Field{{Name: "origin", Value: origin}, {Name: "Access-Control-Request-Method", Value: "PUT"}, {Name: "Access-Control-Request-Headers", Value: "x-a"}}
}

func TestOrigins(t *testing.T) {
	s := state(t, func(top *topology.Topology) {
		top.CORS = &topology.CORS{Origins: []string{"https://app.test", "https://*.apps.test", "http://localhost:3000"}}
	})
	for origin, allowed := range map[string]bool{
		"https://app.test": true, "https://a.apps.test": true, "https://a.b.apps.test": true, "http://localhost:3000": true,
		"http://app.test": false, "https://app.test:8443": false, "https://apps.test": false, "https://evilapps.test": false, "http://a.apps.test": false,
		"https://a.apps.test.evil.test": false, "https://evil.test/.apps.test": false, "https://x@.apps.test": false, "https://.apps.test": false,
		"http://localhost:3001": false, "null": false,
	} {
		fields, ok := s.Preflight("OPTIONS", "api.test", preflight(origin))
		if got := value(fields, "Access-Control-Allow-Origin"); !ok || (got == origin) != allowed || !allowed && got != "" {
			t.Errorf("%s: allowed as %q, want %v", origin, got, allowed)
		}
		if value(fields, "Vary") == "" {
			t.Errorf("%s: a cache could give the answer to another origin", origin)
		}
	}
}

func TestPreflights(t *testing.T) {
	cors := func(top *topology.Topology) { top.CORS = &topology.CORS{Origins: []string{"*"}} }
	for name, c := range map[string]struct {
		change func(*topology.Topology)
		method string
		host   string
		fields []route.Field
		answer bool
	}{
		"facade host":       {cors, "OPTIONS", "api.test", preflight("https://a.test"), true},
		"cell host":         {cors, "OPTIONS", "NA1.test:8443", preflight("https://a.test"), true},
		"unknown host":      {cors, "OPTIONS", "b.test", preflight("https://a.test"), false},
		"another method":    {cors, "GET", "api.test", preflight("https://a.test"), false},
		"no origin":         {cors, "OPTIONS", "api.test", preflight("")[1:], false},
		"no method asked":   {cors, "OPTIONS", "api.test", preflight("https://a.test")[:1], false},
		"no CORS declared":  {nil, "OPTIONS", "api.test", preflight("https://a.test"), false},
		"while it observes": {func(top *topology.Topology) { cors(top); top.Mode = topology.Observe }, "OPTIONS", "api.test", preflight("https://a.test"), false},
	} {
		fields, ok := state(t, c.change).Preflight(c.method, c.host, c.fields)
		if ok != c.answer {
			t.Errorf("%s: answered %v", name, ok)
		}
		if ok && (value(fields, "Access-Control-Allow-Origin") != "*" || value(fields, "Access-Control-Allow-Headers") != "x-a" ||
			value(fields, "Access-Control-Allow-Methods") == "" || value(fields, "Access-Control-Max-Age") != "7200") {
			t.Errorf("%s: %v", name, fields)
		}
	}
}

// The kinds are those that a topology may set the status of, but for the ones
// of parts that do not exist yet.
func TestKinds(t *testing.T) {
	declared := topology.Kinds()
	for _, k := range proxy.Kinds() {
		if !slices.Contains(declared, k.String()) {
			t.Errorf("a topology cannot set the status of %s", k)
		}
		if k.Status() < 400 || k.Status() > 599 {
			t.Errorf("%s has status %d", k, k.Status())
		}
	}
	for o := route.Malformed; o <= route.Encoded; o++ {
		if o.Refusal() != (proxy.KindOf(o) != proxy.NoProblem) || o.String() != proxy.KindOf(o).String() {
			t.Errorf("outcome %s is of kind %q", o, proxy.KindOf(o))
		}
	}
}

func TestStatusOfKinds(t *testing.T) {
	s := state(t, func(top *topology.Topology) { top.Status = map[string]int{"malformed": 488, "too-large": 400} })
	for _, c := range []struct {
		problem proxy.Problem
		status  int
	}{
		{proxy.Problem{Kind: proxy.Malformed}, 488},
		{proxy.Problem{Kind: proxy.TooLarge}, 400},
		{proxy.Problem{Kind: proxy.TooLarge, Status: 431}, 400},
		{proxy.Problem{Kind: proxy.BadFraming}, 400},
		{proxy.Problem{Kind: proxy.CellUnavailable}, 503},
	} {
		status, fields, body := s.Reply(c.problem, "id-1")
		var got struct {
			Status     int
			Kind, Type string
			RequestID  string `json:"request_id"`
		}
		if err := json.Unmarshal(body, &got); err != nil || status != c.status || got.Status != c.status || got.Kind != c.problem.Kind.String() || got.RequestID != "id-1" {
			t.Errorf("%+v: status %d, %s, %v", c.problem, status, body, err)
		}
		if (value(fields, "Retry-After") != "") != (c.problem.Kind == proxy.CellUnavailable) {
			t.Errorf("%+v: %v", c.problem, fields)
		}
	}
	if _, fields, _ := state(t, nil).Reply(proxy.Problem{Kind: proxy.Malformed}, ""); value(fields, "WWW-Authenticate") == "" {
		t.Error("a 401 without WWW-Authenticate")
	}
}

func TestHeadProblem(t *testing.T) {
	for _, c := range []struct {
		err    error
		kind   proxy.Kind
		answer bool
	}{
		{&http1.SyntaxError{Rule: "x"}, proxy.BadFraming, true},
		{http1.ErrTooLarge, proxy.TooLarge, true},
		{os.ErrDeadlineExceeded, proxy.RequestTimeout, true},
		{io.ErrUnexpectedEOF, proxy.BadFraming, true},
		{io.EOF, proxy.NoProblem, false},
		{errors.New("reset"), proxy.NoProblem, false},
	} {
		if p, ok := proxy.HeadProblem(c.err); p.Kind != c.kind || ok != c.answer {
			t.Errorf("%v: %s, %v", c.err, p.Kind, ok)
		}
	}
}
