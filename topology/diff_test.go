package topology_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/homeward/homeward/topology"
)

func ptr[T any](v T) *T { return &v }

func TestDiffOfATopologyAndItselfIsEmpty(t *testing.T) {
	if c := topology.Diff(small(), small()); len(c) != 0 {
		t.Errorf("Diff = %v", c)
	}
	if c := topology.Diff(small(), small().WithDefaults()); len(c) != 0 {
		t.Errorf("writing out the defaults is a change: %v", c)
	}
}

func TestDiff(t *testing.T) {
	both := []string{"na1", "eu1"}
	for name, tc := range map[string]struct {
		old, new func(*topology.Topology) // what is done to small; nil for nothing
		want     []topology.Change
	}{
		"a share": {
			new:  func(n *topology.Topology) { n.Cells[1].Share = ptr(25.0) },
			want: []topology.Change{{Path: "cells.eu1.share", Op: topology.Changed, Old: "100", New: "25", Cells: []string{"eu1"}}},
		},
		"ids of GitLab cells with leading zeros": {
			old:  func(o *topology.Topology) { mapIDs(o, map[string]string{"1": "na1", "0": "eu1", "02s": "eu1"}) },
			new:  func(n *topology.Topology) { mapIDs(n, map[string]string{"01": "na1", "00": "eu1", "2s": "na1"}) },
			want: []topology.Change{{Path: "credentials.gl.gitlab_routable.cells.2s", Op: topology.Changed, Old: "eu1", New: "na1", Cells: both}},
		},
		"cells in another order": {
			new: func(n *topology.Topology) { n.Cells[0], n.Cells[1] = n.Cells[1], n.Cells[0] },
		},
		"hosts and places in other spellings and order": {
			old: func(o *topology.Topology) { o.Facade.Hosts = []string{"a.test", "::1"} },
			new: func(n *topology.Topology) {
				n.Facade.Hosts = []string{"0:0:0:0:0:0:0:1", "A.TEST"}
				n.Credentials[0].In = []string{"header x-key", "bearer"}
				n.Cells[1].Gateways = []string{"https://gw.eu1.internal:443"}
			},
		},
		"a cell without cookies": {
			new: func(n *topology.Topology) {
				n.Cells = append(n.Cells, topology.Cell{Name: "na2", Region: "r", Jurisdiction: "us", Gateways: []string{"http://10.0.0.3"}})
			},
			want: []topology.Change{{Path: "cells.na2", Op: topology.Added,
				New:   "{name: na2, region: r, jurisdiction: us, state: open, gateways: [http://10.0.0.3], share: 100}",
				Cells: []string{"na2"}}},
		},
		"a cell that a cookie may name": {
			old: func(o *topology.Topology) { addCookie(o) },
			new: func(n *topology.Topology) { addCookie(n); n.Cells = n.Cells[:1] },
			want: []topology.Change{{Path: "cells.eu1", Op: topology.Removed,
				Old:   "{name: eu1, region: eu-central-1, jurisdiction: eu, state: open, gateways: [https://gw.eu1.internal], share: 100}",
				Cells: both}},
		},
		"rules that meet swapped": {
			new: func(n *topology.Topology) {
				n.Credentials[0], n.Credentials[1] = n.Credentials[1], n.Credentials[0]
			},
			want: []topology.Change{{Path: "credentials.opaque", Op: topology.Moved, Old: "place 2", New: "place 1", Cells: both}},
		},
		"rules that share no place swapped": {
			old: func(o *topology.Topology) { o.Credentials[1].In = []string{"query k"} },
			new: func(n *topology.Topology) {
				n.Credentials[1].In = []string{"query k"}
				n.Credentials[0], n.Credentials[1] = n.Credentials[1], n.Credentials[0]
			},
		},
		"a pattern and the rule's legacy cell": {
			new: func(n *topology.Topology) {
				n.Credentials[0].Pattern, n.Credentials[0].LegacyCell = "key-{cell}-{uuid}", "eu1"
			},
			want: []topology.Change{
				{Path: "credentials.key.pattern", Op: topology.Changed, Old: "pat-{cell}-{uuid}", New: "key-{cell}-{uuid}", Cells: both},
				{Path: "credentials.key.legacy_cell", Op: topology.Added, New: "eu1", Cells: both},
			},
		},
		"the facade's legacy cell among three": {
			old:  func(o *topology.Topology) { addCell(o) },
			new:  func(n *topology.Topology) { addCell(n); n.Facade.LegacyCell = "eu1" },
			want: []topology.Change{{Path: "facade.legacy_cell", Op: topology.Changed, Old: "na1", New: "eu1", Cells: both}},
		},
		"the facade's legacy cell while observing": {
			old: func(o *topology.Topology) { addCell(o); o.Mode = topology.Observe },
			new: func(n *topology.Topology) {
				addCell(n)
				n.Mode, n.Facade.LegacyCell = topology.Observe, "eu1"
			},
			want: []topology.Change{{Path: "facade.legacy_cell", Op: topology.Changed, Old: "na1", New: "eu1", Cells: []string{"na1", "eu1", "na2"}}},
		},
		"an override to another cell": {
			old: func(o *topology.Topology) {
				addCell(o)
				o.Overrides = []topology.Override{{Account: ptr(uint64(7)), Cell: "na1", Epoch: 1}}
			},
			new: func(n *topology.Topology) {
				addCell(n)
				n.Overrides = []topology.Override{{Account: ptr(uint64(7)), Cell: "na2", Epoch: 2}}
			},
			want: []topology.Change{
				{Path: `overrides["account:7"].cell`, Op: topology.Changed, Old: "na1", New: "na2", Cells: []string{"na1", "na2"}},
				{Path: `overrides["account:7"].epoch`, Op: topology.Changed, Old: "1", New: "2", Cells: []string{"na1", "na2"}},
			},
		},
		"the fingerprint key": {
			old:  func(o *topology.Topology) { o.FingerprintKey = "000102030405060708090a0b0c0d0e0f" },
			new:  func(n *topology.Topology) { n.FingerprintKey = "100102030405060708090a0b0c0d0e0f" },
			want: []topology.Change{{Path: "fingerprint_key", Op: topology.Changed, Old: "[redacted]", New: "[redacted]", Cells: both}},
		},
		"path rules": {
			old: func(o *topology.Topology) {
				addCell(o)
				o.Paths = []topology.PathRule{{Path: "/a/*", Cell: "na1"}, {Path: "/b", Cell: "na1"}}
			},
			new: func(n *topology.Topology) {
				addCell(n)
				n.Paths = []topology.PathRule{{Path: "/b", Cell: "eu1"}, {Path: "/a/x", Methods: []string{"POST"}, Cell: "na1"}, {Path: "/a/*", Cell: "na1"}}
			},
			want: []topology.Change{
				{Path: `paths["/b"].cell`, Op: topology.Changed, Old: "na1", New: "eu1", Cells: both},
				{Path: `paths["POST /a/x"]`, Op: topology.Added, New: "{path: /a/x, methods: [POST], cell: na1}", Cells: both},
			},
		},
		"bodies split": {
			old: func(o *topology.Topology) { o.Bodies = []topology.Body{{Paths: []string{"/a", "/b"}}} },
			new: func(n *topology.Topology) {
				n.Bodies = []topology.Body{{Paths: []string{"/b"}, Limit: 1 << 20}, {Paths: []string{"/a"}}}
			},
			want: []topology.Change{{Path: `bodies["POST /b"].limit`, Op: topology.Changed, Old: "16KiB", New: "1MiB", Cells: both}},
		},
		"a map, a limit and a pointer": {
			old: func(o *topology.Topology) {
				o.Credentials = append([]topology.CredentialRule{{Name: "gl", In: []string{"query t"}, GitLabRoutable: &topology.GitLabFormat{Cells: map[string]string{"1": "na1"}}}}, o.Credentials...)
			},
			new: func(n *topology.Topology) {
				n.Credentials = append([]topology.CredentialRule{{Name: "gl", In: []string{"query t"}, GitLabRoutable: &topology.GitLabFormat{Cells: map[string]string{"1": "na1", "2s": "eu1"}}}}, n.Credentials...)
				n.Status = map[string]int{"malformed": 488}
				n.CORS = &topology.CORS{Origins: []string{"https://app.test"}, Methods: []string{"GET"}}
				n.Timeouts.Connect = 1e9
			},
			want: []topology.Change{
				{Path: "credentials.gl.gitlab_routable.cells.2s", Op: topology.Added, New: "eu1", Cells: []string{"eu1"}},
				{Path: "status.malformed", Op: topology.Added, New: "488", Cells: both},
				{Path: "cors", Op: topology.Added, New: "{origins: [https://app.test], methods: [GET], max_age: 2h}", Cells: both},
				{Path: "timeouts.connect", Op: topology.Changed, Old: "3s", New: "1s", Cells: both},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			old, new := small(), small()
			for _, side := range []struct {
				change func(*topology.Topology)
				t      *topology.Topology
			}{{tc.old, old}, {tc.new, new}} {
				if side.change != nil {
					side.change(side.t)
				}
			}
			if diff := cmp.Diff(tc.want, topology.Diff(old, new)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func addCell(t *topology.Topology) {
	t.Cells = append(t.Cells, topology.Cell{Name: "na2", Region: "r", Jurisdiction: "us", Gateways: []string{"http://10.0.0.3"}})
}

func mapIDs(t *topology.Topology, cells map[string]string) {
	t.Credentials = append(t.Credentials, topology.CredentialRule{Name: "gl", In: []string{"query t"}, GitLabRoutable: &topology.GitLabFormat{Cells: cells}})
}

func addCookie(t *topology.Topology) {
	t.Credentials = append(t.Credentials, topology.CredentialRule{Name: "session", In: []string{"cookie session"}, Pattern: "{cell}.{rest}"})
}
