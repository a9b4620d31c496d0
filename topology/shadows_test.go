package topology_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/homeward/homeward/topology"
)

// candidate is a good shadow of small's na1.
func candidate() topology.Shadow {
	return topology.Shadow{Name: "na1-next", Of: "na1", Gateways: []string{"https://10.0.0.9:8443"}, Share: 1}
}

func TestValidateShadows(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*topology.Topology, *topology.Shadow)
		want   []string
	}{
		"endpoints of its own": {func(*topology.Topology, *topology.Shadow) {}, nil},
		"endpoints with tls": {func(_ *topology.Topology, s *topology.Shadow) {
			s.TLS = &topology.TLS{ServerName: "gw.na3.internal"}
		}, nil},
		"everything set": {func(_ *topology.Topology, s *topology.Shadow) {
			s.Gateways, s.Paths = []string{"h2c://10.0.0.9:8080"}, []string{"/crm/*", "/x"}
			s.Share, s.Concurrent, s.Timeout, s.Body = 100, 1000, topology.Duration(time.Minute), 1<<30
		}, nil},
		"turned off": {func(_ *topology.Topology, s *topology.Shadow) { s.Share = 0 }, nil},
		"a cell of the jurisdiction": {func(t *topology.Topology, s *topology.Shadow) {
			addCell(t)
			s.Gateways, s.Cell = nil, "na2"
		}, nil},
		"another jurisdiction": {func(_ *topology.Topology, s *topology.Shadow) { s.Gateways, s.Cell = nil, "eu1" }, []string{"$.shadows[0].cell"}},
		"the endpoint of a cell of another jurisdiction": {func(_ *topology.Topology, s *topology.Shadow) {
			s.Gateways = []string{"https://10.0.0.9", "h2://GW.eu1.internal:443"}
		}, []string{"$.shadows[0].gateways[1]"}},
		"the endpoint of a cell of the jurisdiction": {func(t *topology.Topology, s *topology.Shadow) {
			addCell(t)
			s.Gateways = []string{"http://10.0.0.3"}
		}, nil},
		"a gRPC endpoint of another jurisdiction": {func(t *topology.Topology, s *topology.Shadow) {
			t.Cells[1].GRPCGateways = []string{"h2c://10.0.0.9:50051"}
			s.Gateways = []string{"h2c://10.0.0.9:50051"}
		}, []string{"$.shadows[0].gateways[0]"}},
		"the endpoint of the cell itself": {func(_ *topology.Topology, s *topology.Shadow) { s.Gateways = []string{"http://10.0.0.1:8080"} }, []string{"$.shadows[0].gateways[0]"}},
		"the cell itself":                 {func(_ *topology.Topology, s *topology.Shadow) { s.Gateways, s.Cell = nil, "na1" }, []string{"$.shadows[0].cell"}},
		"cells that are not there": {func(_ *topology.Topology, s *topology.Shadow) { s.Gateways, s.Of, s.Cell = nil, "na7", "na8" },
			[]string{"$.shadows[0].of", "$.shadows[0].cell"}},
		"nothing at all": {func(_ *topology.Topology, s *topology.Shadow) { *s = topology.Shadow{} },
			[]string{"$.shadows[0].name", "$.shadows[0].of", "$.shadows[0]"}},
		"a cell and endpoints": {func(t *topology.Topology, s *topology.Shadow) { addCell(t); s.Cell = "na2" }, []string{"$.shadows[0].gateways"}},
		"tls for a cell": {func(t *topology.Topology, s *topology.Shadow) {
			addCell(t)
			s.Gateways, s.Cell, s.TLS = nil, "na2", &topology.TLS{ServerName: "gw"}
		}, []string{"$.shadows[0].tls"}},
		"a name that is no word":  {func(_ *topology.Topology, s *topology.Shadow) { s.Name = "Next\r\n" }, []string{"$.shadows[0].name"}},
		"a name twice":            {func(t *topology.Topology, _ *topology.Shadow) { t.Shadows = append(t.Shadows, candidate()) }, []string{"$.shadows[1].name"}},
		"a path not in its form":  {func(_ *topology.Topology, s *topology.Shadow) { s.Paths = []string{"/a//b", "/a", "/a"} }, []string{"$.shadows[0].paths[0]", "$.shadows[0].paths[2]"}},
		"a share NaN":             {func(_ *topology.Topology, s *topology.Shadow) { s.Share = math.NaN() }, []string{"$.shadows[0].share"}},
		"a share over 100":        {func(_ *topology.Topology, s *topology.Shadow) { s.Share = 100.1 }, []string{"$.shadows[0].share"}},
		"too many at once":        {func(_ *topology.Topology, s *topology.Shadow) { s.Concurrent = 1001 }, []string{"$.shadows[0].concurrent"}},
		"no time, a body too big": {func(_ *topology.Topology, s *topology.Shadow) { s.Timeout, s.Body = 1, 1<<30+1 }, []string{"$.shadows[0].timeout", "$.shadows[0].body"}},
		"a password in a gateway": {func(_ *topology.Topology, s *topology.Shadow) { s.Gateways = []string{"https://me:hidden@10.0.0.9"} }, []string{"$.shadows[0].gateways[0]"}},
	} {
		t.Run(name, func(t *testing.T) {
			top := small()
			top.Shadows = []topology.Shadow{candidate()}
			tc.change(top, &top.Shadows[0])
			var got []string
			for _, p := range top.Validate() {
				got = append(got, p.Path)
				if p.Message == "" || p.Fix == "" || strings.Contains(p.String(), "hidden") {
					t.Errorf("no message, no fix or too much: %+v", p)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("-want +got:\n%s\n%v", diff, top.Validate())
			}
		})
	}
}

func TestShadowDefaults(t *testing.T) {
	top := small()
	top.Shadows = []topology.Shadow{candidate(), {Name: "set", Concurrent: 2, Timeout: 3, Body: 4}}
	got := top.WithDefaults().Shadows
	want := []topology.Shadow{candidate(), top.Shadows[1]}
	want[0].Concurrent, want[0].Timeout, want[0].Body = 16, topology.Duration(10*time.Second), 1<<20
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestDiffShadows(t *testing.T) {
	west := topology.Shadow{Name: "west", Of: "na1", Cell: "na2", Share: 5}
	for name, tc := range map[string]struct {
		old, new []topology.Shadow
		want     []topology.Change
	}{
		"added": {nil, []topology.Shadow{candidate()}, []topology.Change{{Path: "shadows.na1-next", Op: topology.Added, Cells: []string{"na1"},
			New: "{name: na1-next, of: na1, gateways: [https://10.0.0.9:8443], share: 1, concurrent: 16, timeout: 10s, body: 1MiB}"}}},
		"removed": {[]topology.Shadow{west}, nil, []topology.Change{{Path: "shadows.west", Op: topology.Removed, Cells: []string{"na1", "na2"},
			Old: "{name: west, of: na1, cell: na2, share: 5, concurrent: 16, timeout: 10s, body: 1MiB}"}}},
		"in another order, endpoints in another spelling": {
			[]topology.Shadow{candidate(), west},
			[]topology.Shadow{west, edited(func(s *topology.Shadow) { s.Gateways[0] = "https://10.0.0.9:8443/" })}, nil,
		},
		"a share and the endpoints": {
			[]topology.Shadow{candidate()},
			[]topology.Shadow{edited(func(s *topology.Shadow) { s.Share, s.Gateways = 25, []string{"h2://10.0.0.9:8443"} })},
			[]topology.Change{
				{Path: "shadows.na1-next.gateways", Op: topology.Removed, Old: "https://10.0.0.9:8443", Cells: []string{"na1"}},
				{Path: "shadows.na1-next.gateways", Op: topology.Added, New: "h2://10.0.0.9:8443", Cells: []string{"na1"}},
				{Path: "shadows.na1-next.share", Op: topology.Changed, Old: "1", New: "25", Cells: []string{"na1"}},
			},
		},
		"another cell that gets them": {
			[]topology.Shadow{west},
			[]topology.Shadow{{Name: "west", Of: "na2", Cell: "na1", Share: 5}},
			[]topology.Change{
				{Path: "shadows.west.of", Op: topology.Changed, Old: "na1", New: "na2", Cells: []string{"na1", "na2"}},
				{Path: "shadows.west.cell", Op: topology.Changed, Old: "na2", New: "na1", Cells: []string{"na1", "na2"}},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			old, new := small(), small()
			addCell(old)
			addCell(new)
			old.Shadows, new.Shadows = tc.old, tc.new
			if diff := cmp.Diff(tc.want, topology.Diff(old, new)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func edited(change func(*topology.Shadow)) topology.Shadow {
	s := candidate()
	change(&s)
	return s
}
