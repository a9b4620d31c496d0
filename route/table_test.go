package route_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/homeward/homeward/cell"
	"github.com/homeward/homeward/route"
	"github.com/homeward/homeward/topology"
)

func pathRuleTo(path, to string) topology.PathRule { return topology.PathRule{Path: path, Cell: to} }

func TestAccessors(t *testing.T) {
	top := crowded()
	table := compile(t, top)
	for i, c := range top.Cells {
		at := table.CellIndex(cell.MustName(c.Name))
		if int(at) != i || table.Cell(at).Name != c.Name {
			t.Fatalf("cell %s is at %d, want %d", c.Name, at, i)
		}
		if kind, of := table.HostKind(c.Hosts[0]); kind != route.CellHost || of != at {
			t.Fatalf("host %s is a %v of %d, want the cell's", c.Hosts[0], kind, of)
		}
	}
	if i := table.CellIndex(cell.MustName("zz99")); i != route.None {
		t.Errorf("a cell that is not there has the index %d", i)
	}
	if table.Cell(route.None) != nil || table.Rule(route.None) != nil || table.PathRule(route.None) != nil || table.Lane(route.None) != nil {
		t.Error("None is the index of something")
	}
	if l := table.Lane(0); l.Name != "default" {
		t.Errorf("lane 0 is %s, want default", l.Name)
	}
	if l := table.Lane(1); l.Name != "batch" || len(table.Lanes()) != 2 {
		t.Errorf("lane 1 of %d is %s, want batch of 2", len(table.Lanes()), l.Name)
	}
	if table.Mode() != topology.Route || table.Cell(table.LegacyCell()).Name != "na1" || len(table.Cells()) != 1000 {
		t.Errorf("mode %s, legacy cell %v, %d cells", table.Mode(), table.Cell(table.LegacyCell()), len(table.Cells()))
	}
	if top.Mode = topology.Observe; table.Mode() != topology.Route {
		t.Error("changing the topology changes the table")
	}
}

// TestEveryRuleIsFound holds the index of rules against a credential of each,
// among 200.
func TestEveryRuleIsFound(t *testing.T) {
	table := compile(t, crowded())
	for i := range table.Topology().Credentials {
		rule := table.Rule(route.Index(i))
		if !strings.HasPrefix(rule.Name, "rule-") {
			continue
		}
		text := strings.NewReplacer("{cell}", "eu1", "{account}", "42", "{uuid}", benchUUID).Replace(rule.Pattern)
		if field := strings.IndexByte(text, '{'); field >= 0 {
			end := strings.IndexByte(text, '}')
			n := 0
			for _, c := range text[strings.IndexByte(text, ':')+1 : end] {
				n = n*10 + int(c-'0')
			}
			text = text[:field] + strings.Repeat("a", n) + text[end+1:]
		}
		if d := table.Decide(request("GET", "/", bearer(text))); d.Outcome != route.Home || int(d.Rule) != i {
			t.Errorf("%s: a credential of %s is %v by rule %d, want home by %d", rule.Name, rule.Pattern, d.Outcome, d.Rule, i)
		}
	}
}

func TestCompileErrors(t *testing.T) {
	tests := map[string]struct {
		change func(*topology.Topology)
		want   string
	}{
		"cell name":     {func(t *topology.Topology) { t.Cells[0].Name = "NA1" }, "not a cell name"},
		"legacy cell":   {func(t *topology.Topology) { t.Facade.LegacyCell = "ap9" }, "there is no cell ap9"},
		"host twice":    {func(t *topology.Topology) { t.Cells[0].Hosts = []string{"API.homeward.test"} }, "declared twice"},
		"bad host":      {func(t *topology.Topology) { t.Facade.Hosts = []string{"a:b:c]"} }, "not a host name"},
		"share":         {func(t *topology.Topology) { s := 101.0; t.Cells[0].Share = &s }, "not from 0 to 100"},
		"place":         {func(t *topology.Topology) { t.Credentials[0].In = []string{"nowhere"} }, "not a place"},
		"format":        {func(t *topology.Topology) { t.Credentials[0].Pattern = "" }, "private-app"},
		"rule's cell":   {func(t *topology.Topology) { t.Credentials[0].LegacyCell = "ap9" }, "private-app"},
		"override":      {func(t *topology.Topology) { t.Overrides = []topology.Override{{Cell: "eu1"}} }, "override 1"},
		"override cell": {func(t *topology.Topology) { t.Overrides = []topology.Override{{Cell: "ap9"}} }, "no cell ap9"},
		"fingerprint":   {func(t *topology.Topology) { t.Overrides = []topology.Override{{Cell: "eu1", Fingerprint: "x"}} }, "not a fingerprint"},
		"key":           {func(t *topology.Topology) { t.FingerprintKey = "x" }, "fingerprint_key"},
		"path rule":     {func(t *topology.Topology) { t.Paths = []topology.PathRule{pathRuleTo("/x", "ap9")} }, "path rule /x"},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			top := demoLike()
			c.change(top)
			table, err := route.Compile(top)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
			if table != nil {
				t.Error("a table in spite of the error")
			}
		})
	}
	top := demoLike()
	top.Facade.LegacyCell = "ap9"
	if _, err := route.Compile(top); !errors.Is(err, route.ErrNotCompilable) {
		t.Errorf("%v does not wrap ErrNotCompilable", err)
	}
}

func TestIPv6Host(t *testing.T) {
	for _, declared := range []string{"::A", "[::a]"} {
		top := demoLike()
		top.Facade.Hosts = []string{declared}
		table := compile(t, top)
		for host, want := range map[string]route.HostKind{
			"[::a]": route.FacadeHost, "[::A]:8080": route.FacadeHost, "::a": route.OtherHost, "[::b]": route.OtherHost,
			"[::a": route.OtherHost, "[]": route.OtherHost, "[::a]x": route.OtherHost, "[api.homeward.test]": route.OtherHost,
		} {
			if got, _ := table.HostKind(host); got != want {
				t.Errorf("declared %s: %q is a %v, want %v", declared, host, got, want)
			}
		}
	}
}

func TestWords(t *testing.T) {
	seen := map[string]bool{}
	for o := route.Home; o <= route.Encoded; o++ {
		if s := o.String(); seen[s] || strings.Contains(s, " ") {
			t.Errorf("outcome %d is %q", o, s)
		}
		seen[o.String()] = true
		if o.Refusal() != (o >= route.Malformed) {
			t.Errorf("%v: Refusal is %v", o, o.Refusal())
		}
	}
	for r := route.ByCredential; r <= route.BodyEncoded; r++ {
		if r.Code() == "" || r.String() == "" || seen[r.String()] || strings.Contains(r.Code(), " ") {
			t.Errorf("reason %d is %q, %q", r, r.Code(), r)
		}
		seen[r.String()] = true
	}
}
