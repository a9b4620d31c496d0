package edge_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/homeward/homeward/conformance"
	"github.com/homeward/homeward/internal/testcell"
	"github.com/homeward/homeward/topology"
)

// request puts a credential into its place.
func request(t *testing.T, base string, p topology.Place, credential string) *http.Request {
	t.Helper()
	method, target, body := "GET", "/crm/v3/objects", ""
	switch p.Kind {
	case topology.QueryPlace:
		target += "?limit=10&" + p.Name + "=" + url.QueryEscape(credential)
	case topology.PathPlace:
		target = strings.Replace(p.Name, topology.CredentialSegment, url.PathEscape(credential), 1)
	case topology.FormPlace:
		method, target, body = "POST", "/oauth/v1/token", "grant_type=x&"+p.Name+"="+url.QueryEscape(credential)
	}
	req, err := http.NewRequest(method, base+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "api.homeward.test"
	switch p.Kind {
	case topology.Bearer:
		req.Header.Set("Authorization", "Bearer "+credential)
	case topology.BasicUsername:
		req.SetBasicAuth(credential, "x")
	case topology.HeaderPlace:
		req.Header.Set(p.Name, credential)
	case topology.CookiePlace:
		req.Header.Set("Cookie", p.Name+"="+credential)
	case topology.FormPlace:
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return req
}

// Every vector, in every place of its rule, over every protocol.
func TestEveryVectorInEveryPlace(t *testing.T) { onBothPaths(t, everyVector) }

func everyVector(t *testing.T, goroutines bool) {
	w := newWorldOn(t, goroutines, nil, testcell.Options{})
	places := map[string][]topology.Place{}
	for _, rule := range w.top.Credentials {
		for _, in := range rule.In {
			p, err := topology.ParsePlace(in)
			if err != nil {
				t.Fatal(err)
			}
			places[rule.Name] = append(places[rule.Name], p)
		}
	}
	credentials, err := conformance.ReadCredentials()
	if err != nil {
		t.Fatal(err)
	}
	all := credentials.Vectors
	for _, c := range w.clients() {
		t.Run(c.name, func(t *testing.T) {
			sent := 0
			for _, v := range all {
				for _, p := range places[v.Format] {
					sent++
					checkVector(t, v, p, c.do(t, request(t, c.base, p, v.Credential)))
				}
			}
			if sent < 2*len(all) {
				t.Errorf("only %d requests for %d vectors", sent, len(all))
			}
		})
	}
	log := w.log.String()
	for _, v := range all {
		if len(v.Credential) > 12 && strings.Contains(log, v.Credential) {
			t.Errorf("%s: the credential is in the log", v.Name)
		}
	}
}

func checkVector(t *testing.T, v conformance.Vector, p topology.Place, r reply) {
	t.Helper()
	switch v.Outcome {
	case "home", "legacy", "anonymous":
		if r.StatusCode != 200 || r.report.Cell != v.Cell || r.report.Host != "api.homeward.test" {
			t.Errorf("%s in %s: %d %s, cell %q; want %q\n%s", v.Name, p, r.StatusCode, r.kind(), r.report.Cell, v.Cell, r.body)
		}
	default:
		if r.StatusCode != 401 || r.kind() != v.Outcome {
			t.Errorf("%s in %s: %d %q, want %q", v.Name, p, r.StatusCode, r.kind(), v.Outcome)
		}
	}
}
