package route_test

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"

	"github.com/homeward/homeward/conformance"
	"github.com/homeward/homeward/route"
	"github.com/homeward/homeward/topology"
)

// put puts a credential into a place of a new request to the facade. escaped
// writes it with every byte escaped where the place allows that.
func put(p topology.Place, text string, escaped bool) *route.Request {
	r := &route.Request{Method: "GET", Host: "api.homeward.test", Target: "/v1/things"}
	coded := text
	if escaped {
		coded = percent(text)
	}
	switch p.Kind {
	case topology.Bearer:
		r.Fields = []route.Field{{Name: "Authorization", Value: "Bearer " + text}}
	case topology.BasicUsername:
		r.Fields = []route.Field{{Name: "Authorization", Value: "Basic " + base64.StdEncoding.EncodeToString([]byte(text+":x"))}}
	case topology.BasicPassword:
		r.Fields = []route.Field{{Name: "Authorization", Value: "Basic " + base64.StdEncoding.EncodeToString([]byte("x:"+text))}}
	case topology.HeaderPlace:
		r.Fields = []route.Field{{Name: p.Name, Value: text}}
	case topology.CookiePlace:
		r.Fields = []route.Field{{Name: "Cookie", Value: "a=b; " + p.Name + "=" + text}}
	case topology.QueryPlace:
		r.Target += "?a=b&" + url.QueryEscape(p.Name) + "=" + coded
	case topology.PathPlace:
		r.Target = strings.Replace(p.Name, topology.CredentialSegment, coded, 1)
	case topology.FormPlace:
		r.Method, r.Target = "POST", "/oauth/v1/token"
		r.Fields = []route.Field{{Name: "Content-Type", Value: "application/x-www-form-urlencoded"}}
		r.Body, r.BodyState = []byte("a=b&"+url.QueryEscape(p.Name)+"="+coded), route.BodyWhole
	}
	return r
}

func percent(s string) string {
	var b strings.Builder
	for i := range len(s) {
		const hex = "0123456789abcdef"
		b.WriteString("%" + string(hex[s[i]>>4]) + string(hex[s[i]&15]))
	}
	return b.String()
}

// TestEveryVectorInEveryPlace puts each credential of the conformance suite
// into every place where its format may stand in the demonstration's topology.
func TestEveryVectorInEveryPlace(t *testing.T) {
	file, err := conformance.ReadCredentials()
	if err != nil {
		t.Fatal(err)
	}
	table := demo(t)
	rules := map[string]*topology.CredentialRule{}
	for i := range table.Topology().Credentials {
		r := &table.Topology().Credentials[i]
		rules[r.Name] = r
	}
	count := 0
	for _, v := range file.Vectors {
		rule := rules[v.Format]
		if rule == nil {
			t.Fatalf("%s: there is no rule %q", v.Name, v.Format)
		}
		for _, in := range rule.In {
			place, err := topology.ParsePlace(in)
			if err != nil {
				t.Fatal(err)
			}
			for _, escaped := range []bool{false, true} {
				count++
				d := table.Decide(put(place, v.Credential, escaped))
				got := inWords(table, &d)
				if got.Outcome != v.Outcome || got.Cell != v.Cell || got.Send != v.Cell && v.Outcome != "anonymous" {
					t.Errorf("%s in %v (escaped: %v): %s to %q, %v; want %s to %q",
						v.Name, place, escaped, got.Outcome, got.Send, d.Reason, v.Outcome, v.Cell)
				}
				if v.Outcome != "anonymous" && d.Place != place {
					t.Errorf("%s in %v: found in %v", v.Name, place, d.Place)
				}
				if v.Outcome != "anonymous" && d.Fingerprint != table.Fingerprint(v.Credential) {
					t.Errorf("%s in %v: fingerprint %v, want that of the credential", v.Name, place, d.Fingerprint)
				}
			}
		}
	}
	if count < 400 {
		t.Errorf("only %d requests were made", count)
	}
}

// TestVectorsAreRedacted makes sure that no vector shows in a redacted path or
// target, wherever a client puts it.
func TestVectorsAreRedacted(t *testing.T) {
	file, err := conformance.ReadCredentials()
	if err != nil {
		t.Fatal(err)
	}
	table := demo(t)
	for _, v := range file.Vectors {
		claimed := v.Outcome == "home" || v.Outcome == "malformed" || v.Outcome == "unknown-cell"
		for target, want := range map[string]string{
			"/oauth/v1/access-tokens/" + v.Credential:        "/oauth/v1/access-tokens/{credential}",
			"/oauth/v1/refresh-tokens/" + v.Credential + "/": "/oauth/v1/refresh-tokens/{credential}/",
		} {
			if got := table.RedactPath(target); got != want {
				t.Errorf("%s: RedactPath(%q) = %s, want %s", v.Name, target, got, want)
			}
		}
		if !claimed || len(v.Credential) < 32 {
			continue
		}
		for _, target := range []string{
			"/x/" + v.Credential, "/x/" + v.Credential + "/y?z", "/x/key=" + v.Credential + ";v=1", "/" + percent(v.Credential),
		} {
			if got := table.RedactPath(target); strings.Contains(got, v.Credential) {
				t.Errorf("%s: RedactPath(%q) shows the credential: %s", v.Name, target, got)
			}
		}
		for _, target := range []string{
			"/?hapikey=" + v.Credential, "/?other=" + v.Credential, "/?" + v.Credential, "/?a=" + percent(v.Credential) + ";b",
		} {
			if got := table.RedactTarget(target); strings.Contains(got, v.Credential) || strings.Contains(got, percent(v.Credential)) {
				t.Errorf("%s: RedactTarget(%q) shows the credential: %s", v.Name, target, got)
			}
		}
	}
}
