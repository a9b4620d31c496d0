package explain_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/homeward/homeward/conformance"
	"github.com/homeward/homeward/internal/config"
	"github.com/homeward/homeward/internal/explain"
	"github.com/homeward/homeward/internal/proxy"
	"github.com/homeward/homeward/internal/upstream"
	"github.com/homeward/homeward/route"
	"github.com/homeward/homeward/topology"
)

var update = flag.Bool("update", false, "write the golden reports anew")

// world is the topology of the demo, changed.
func world(tb testing.TB, change func(*topology.Topology)) *proxy.State {
	tb.Helper()
	top, err := config.LoadFile("../../examples/demo.yaml")
	if err != nil {
		tb.Fatal(err)
	}
	if change != nil {
		change(top)
	}
	table, err := route.Compile(top)
	if err != nil {
		tb.Fatal(err)
	}
	state, err := proxy.NewState(table, upstream.Applied{})
	if err != nil {
		tb.Fatal(err)
	}
	return state
}

func share(percent float64) func(*topology.Topology) {
	return func(t *topology.Topology) { t.Cells[2].Share = &percent }
}

func observe(t *topology.Topology) { t.Mode = topology.Observe }

func override(t *topology.Topology) {
	account := uint64(42)
	t.Overrides = []topology.Override{{Account: &account, Cell: "na2", Epoch: 3}, {Fingerprint: "fc0aa5ab9ebf1a98", Cell: "na2"}}
	t.Credentials = append([]topology.CredentialRule{{Name: "numbered", In: []string{"bearer"}, Pattern: "acct-{cell}-{account}"}}, t.Credentials...)
}

func paths(t *topology.Topology) {
	t.Paths = []topology.PathRule{{Path: "/login/*", Cell: "eu1"}}
}

const (
	eu      = "pat-eu1-20b81d7f-8e9e-4bb8-b4a3-7b2b926271f2"
	na2     = "na2-f193-6e85-4f08-b592-7b0fe339d309"
	refresh = "eu1-8cc2-79b5-4a73-838e-4a118913c782"
)

// TestReports compares whole reports with testdata/report; go test -update
// writes them anew.
func TestReports(t *testing.T) {
	for _, c := range []struct {
		name, command string
		change        func(*topology.Topology)
	}{
		{"home", `curl -H 'Authorization: Bearer ` + eu + `' -b 'session=na1.stale; theme=dark' 'https://api.homeward.test/contacts/v1?limit=1'`, nil},
		{"query", `curl 'https://api.homeward.test/a?hapikey=` + na2 + `&q=1'`, nil},
		{"legacy", `curl -u user:pass https://api.homeward.test/`, nil},
		{"anonymous", `curl localhost:8080/batch/x`, nil},
		{"cookie", `curl -b 'session=eu1.abc; session=na1.def' localhost:8080/`, nil},
		{"two-cells", `curl -H 'Authorization: Bearer ` + eu + `' 'https://api.homeward.test/?hapikey=` + na2 + `' -H 'Origin: https://app.homeward.test'`, nil},
		{"repeated", `curl -H 'Authorization: Bearer ` + eu + `' -H 'Authorization: Bearer ` + eu + `' https://api.homeward.test/`, nil},
		{"two-readings", `curl 'https://api.homeward.test/?x=1;hapikey=` + na2 + `'`, nil},
		{"malformed", `curl https://localhost/oauth/v1/access-tokens/hw_na1_GEb0fel_7FQw4U5K95EhDN0wMXmtvfR1DCtdB8Gd2VFvc4`, nil},
		{"unknown-cell", `curl -I -H 'PRIVATE-TOKEN: pat-zz9-20b81d7f-8e9e-4bb8-b4a3-7b2b926271f2' https://localhost/`, nil},
		{"misrouted", `curl -H 'Authorization: Bearer ` + eu + `' https://api-na1.homeward.test/`, nil},
		{"cell-host", `curl -H 'Authorization: Bearer ` + eu + `' -b session=na1.x https://api-eu1.homeward.test/`, nil},
		{"unknown-host", `curl https://www.example.com/`, nil},
		{"unknown-address", `curl 'http://[::1]:8080/'`, nil},
		{"two-hosts", `curl -H $'X-A: b\r\nHost: evil.test' https://api.homeward.test/`, nil},
		{"form", `curl -d refresh_token=` + refresh + ` -d code=hw_eu1_x -H 'Origin: https://app.homeward.test' https://api.homeward.test/oauth/v1/token`, nil},
		{"form-file", `curl -d @body.txt https://api.homeward.test/oauth/v1/token`, nil},
		{"gzipped", `curl -d x -H 'Content-Encoding: gzip' https://api.homeward.test/oauth/v1/token`, nil},
		{"long-body", `curl -d ` + strings.Repeat("x", 17<<10) + ` https://api.homeward.test/oauth/v1/token`, nil},
		{"large-head", `curl -H 'X-A: ` + strings.Repeat("x", 40<<10) + `' https://api.homeward.test/`, nil},
		{"preflight", `curl -X OPTIONS -H 'Origin: https://app.homeward.test' -H 'Access-Control-Request-Method: PUT' -H 'Access-Control-Request-Headers: x-a' localhost`, nil},
		{"preflight-refused", `curl -X OPTIONS -H 'Origin: https://evil.test' -H 'Access-Control-Request-Method: PUT' localhost`, nil},
		{"health", `curl http://10.0.0.1/healthz`, nil},
		{"observe", `curl -H 'Authorization: Bearer ` + eu + `' https://api.homeward.test/`, observe},
		{"observe-refusal", `curl -H 'Authorization: Bearer ` + eu + `' 'https://api.homeward.test/?hapikey=` + na2 + `'`, observe},
		{"share", `curl -H 'Authorization: Bearer ` + eu + `' https://api.homeward.test/`, share(0)},
		{"override", `curl -H 'Authorization: Bearer acct-eu1-42' https://api.homeward.test/`, override},
		{"override-misrouted", `curl -H 'Authorization: Bearer acct-eu1-42' https://api-eu1.homeward.test/`, override},
		{"settled-first", `curl -u old:pass -H 'PRIVATE-TOKEN: ` + eu + `' https://localhost/`, nil},
		{"path-rule", `curl https://api.homeward.test/login//./form`, paths},
		{"several", `curl https://api.homeward.test/a https://api-eu1.homeward.test/b`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			state := world(t, c.change)
			inputs, err := explain.ParseCommand(c.command)
			if err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			if err := explain.WriteText(&got, reports(state, inputs), false); err != nil {
				t.Fatal(err)
			}
			golden(t, c.name+".txt", got.Bytes())
			var doc bytes.Buffer
			if err := explain.WriteJSON(&doc, reports(state, inputs)); err != nil {
				t.Fatal(err)
			}
			if c.name == "two-cells" {
				golden(t, c.name+".json", doc.Bytes())
			}
			for _, secret := range []string{eu, na2, refresh, "pass", "na1.stale", "eu1.abc", "GEb0fel"} {
				if strings.Contains(got.String()+doc.String(), secret) {
					t.Errorf("the report shows %s", secret)
				}
			}
		})
	}
}

func reports(state *proxy.State, inputs []*explain.Input) []explain.Report {
	out := make([]explain.Report, len(inputs))
	for i, in := range inputs {
		out[i] = explain.Explain(state, in)
	}
	return out
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", "report", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s: %s", file, diff)
	}
}

func vectors(tb testing.TB) []conformance.Vector {
	tb.Helper()
	c, err := conformance.ReadCredentials()
	if err != nil || len(c.Vectors) == 0 {
		tb.Fatalf("%d vectors, %v", len(c.Vectors), err)
	}
	return c.Vectors
}

// command is a curl command that carries a credential at a place; it has no
// options where none can.
func command(place topology.Place, text string) []string {
	const url = "https://api.homeward.test"
	switch place.Kind {
	case topology.Bearer:
		return []string{"curl", "--oauth2-bearer", text, url}
	case topology.BasicUsername:
		return []string{"curl", "-u", text + ":", url}
	case topology.HeaderPlace:
		return []string{"curl", "-H", place.Name + ": " + text, url}
	case topology.CookiePlace:
		return []string{"curl", "-b", place.Name + "=" + text, url}
	case topology.QueryPlace:
		return []string{"curl", "-G", "--data-urlencode", place.Name + "=" + text, url}
	case topology.PathPlace:
		return []string{"curl", "-g", url + strings.Replace(place.Name, topology.CredentialSegment, text, 1)}
	case topology.FormPlace:
		return []string{"curl", "--data-urlencode", place.Name + "=" + text, url + "/oauth/v1/token"}
	}
	return nil
}

// TestVectors explains every vector in every place where its format may stand.
func TestVectors(t *testing.T) {
	state := world(t, nil)
	for _, v := range vectors(t) {
		for _, rule := range state.Table.Topology().Credentials {
			if rule.Name != v.Format {
				continue
			}
			for _, in := range rule.In {
				place, err := topology.ParsePlace(in)
				if err != nil {
					t.Fatal(err)
				}
				if place.Kind == topology.BasicUsername && strings.Contains(v.Credential, ":") {
					continue
				}
				check(t, state, v, place)
			}
		}
	}
}

func check(t *testing.T, state *proxy.State, v conformance.Vector, place topology.Place) {
	t.Helper()
	inputs, err := explain.ParseCurl(command(place, v.Credential))
	if err != nil {
		t.Errorf("%s in %s: %v", v.Name, place, err)
		return
	}
	r := explain.Explain(state, inputs[0])
	if r.Outcome != v.Outcome || r.Send != v.Cell {
		t.Errorf("%s in %s: %s to %q, want %s to %q", v.Name, place, r.Outcome, r.Send, v.Outcome, v.Cell)
	}
	if len(r.Seen) != 1 || r.Seen[0].Fingerprint != v.Fingerprint || r.Seen[0].Place != place.String() {
		t.Errorf("%s in %s: seen %+v, want fingerprint %s", v.Name, place, r.Seen, v.Fingerprint)
	}
	var out bytes.Buffer
	_ = explain.WriteText(&out, []explain.Report{r}, true)
	_ = explain.WriteJSON(&out, []explain.Report{r})
	if len(v.Credential) > 8 && strings.Contains(out.String(), v.Credential) {
		t.Errorf("%s in %s: the report shows the credential", v.Name, place)
	}
}
