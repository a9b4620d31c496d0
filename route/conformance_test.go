package route_test

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/homeward/homeward/conformance"
	"github.com/homeward/homeward/internal/config"
	"github.com/homeward/homeward/route"
	"github.com/homeward/homeward/topology"
)

// decisionFile is conformance/decisions.json.
type decisionFile struct {
	Topologies map[string]json.RawMessage `json:"topologies"`
	Decisions  []decisionCase             `json:"decisions"`
}

type decisionCase struct {
	Name     string       `json:"name"`
	Topology string       `json:"topology"`
	Request  requestHead  `json:"request"`
	Peek     int64        `json:"peek"`
	Decision wantDecision `json:"decision"`
}

type requestHead struct {
	Method    string      `json:"method"`
	Host      string      `json:"host"`
	Target    string      `json:"target"`
	Fields    [][2]string `json:"fields"`
	Body      string      `json:"body"`
	BodyState string      `json:"body_state"`
}

// wantDecision is a decision in words. Left-out members are empty, but for
// lane, which is default, and fingerprint, which is not compared.
type wantDecision struct {
	Outcome     string `json:"outcome"`
	Reason      string `json:"reason"`
	Cell        string `json:"cell"`
	Send        string `json:"send"`
	Lane        string `json:"lane"`
	Rule        string `json:"rule"`
	Place       string `json:"place"`
	Other       string `json:"other"`
	Path        string `json:"path"`
	Named       string `json:"named"`
	Account     string `json:"account"`
	Epoch       uint64 `json:"epoch"`
	Fingerprint string `json:"fingerprint"`
}

func (h *requestHead) request(t testing.TB) *route.Request {
	t.Helper()
	states := map[string]route.BodyState{"": route.BodyUnread, "unread": route.BodyUnread, "whole": route.BodyWhole, "too-long": route.BodyTooLong}
	state, ok := states[h.BodyState]
	if !ok {
		t.Fatalf("there is no body_state %q", h.BodyState)
	}
	r := &route.Request{Method: h.Method, Host: h.Host, Target: h.Target, BodyState: state}
	for _, f := range h.Fields {
		r.Fields = append(r.Fields, route.Field{Name: f[0], Value: f[1]})
	}
	if state == route.BodyWhole {
		r.Body = []byte(h.Body)
	}
	return r
}

// inWords writes a decision as the file has it.
func inWords(t *route.Table, d *route.Decision) wantDecision {
	w := wantDecision{
		Outcome: d.Outcome.String(), Reason: d.Reason.Code(), Lane: t.Lane(d.Lane).Name,
		Named: d.Named.String(), Epoch: d.Epoch, Fingerprint: d.Fingerprint.String(),
	}
	if c := t.Cell(d.Cell); c != nil {
		w.Cell = c.Name
	}
	if c := t.Cell(d.Send); c != nil {
		w.Send = c.Name
	}
	if r := t.Rule(d.Rule); r != nil {
		w.Rule = r.Name
	}
	if d.Place.Kind != 0 {
		w.Place = d.Place.String()
	}
	if d.Other.Kind != 0 {
		w.Other = d.Other.String()
	}
	if p := t.PathRule(d.Path); p != nil {
		w.Path = p.Path
	}
	if d.HasAccount {
		w.Account = d.Account.String()
	}
	return w
}

func compile(t testing.TB, top *topology.Topology) *route.Table {
	t.Helper()
	table, err := route.Compile(top)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func demo(t testing.TB) *route.Table {
	t.Helper()
	top, err := config.LoadFile(filepath.Join("..", "examples", "demo.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return compile(t, top)
}

// readDecisions reads the file and compiles its topologies.
func readDecisions(t testing.TB) ([]decisionCase, map[string]*route.Table) {
	t.Helper()
	var file decisionFile
	if err := conformance.Read("decisions.json", &file); err != nil {
		t.Fatal(err)
	}
	tables := map[string]*route.Table{"demo": demo(t)}
	for name, raw := range file.Topologies {
		top, err := config.Load(name, raw)
		if err != nil {
			t.Fatalf("topology %s: %v", name, err)
		}
		tables[name] = compile(t, top)
	}
	return file.Decisions, tables
}

func TestDecisions(t *testing.T) {
	cases, tables := readDecisions(t)
	var shared route.Request
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			table := tables[c.Topology]
			if table == nil {
				t.Fatalf("there is no topology %q", c.Topology)
			}
			r := c.Request.request(t)
			if limit, ok := table.Peek(r); limit != c.Peek || ok != (c.Peek != 0) {
				t.Errorf("Peek = %d, %v, want %d", limit, ok, c.Peek)
			}
			d := table.Decide(r)
			got := inWords(table, &d)
			if c.Decision.Lane == "" {
				c.Decision.Lane = "default"
			}
			if c.Decision.Fingerprint == "" {
				got.Fingerprint = ""
			}
			if diff := cmp.Diff(c.Decision, got); diff != "" {
				t.Errorf("decision (-want +got):\n%s", diff)
			}
			if d.Refused() != (c.Decision.Send == "") {
				t.Errorf("Refused is %v with send %q", d.Refused(), c.Decision.Send)
			}
			// A request that was used before decides the same.
			shared.Reset()
			shared.Method, shared.Host, shared.Target = r.Method, r.Host, r.Target
			shared.Fields = append(shared.Fields, r.Fields...)
			shared.Body, shared.BodyState = r.Body, r.BodyState
			if again := table.Decide(&shared); again != d {
				t.Errorf("with a used request: %+v, want %+v", again, d)
			}
		})
	}
	if len(cases) < 150 {
		t.Errorf("%d cases, want at least 150", len(cases))
	}
}
