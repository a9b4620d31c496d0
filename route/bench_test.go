package route_test

import (
	"fmt"
	"testing"

	"github.com/homeward/homeward/route"
	"github.com/homeward/homeward/topology"
)

// demoLike is the demonstration's world as Go values, so that what a benchmark
// measures does not move with the example file.
func demoLike() *topology.Topology {
	access := []string{"bearer", "header PRIVATE-TOKEN", "path /oauth/v1/access-tokens/{credential}"}
	key := "{cell}-{hex:4}-{hex:4}-{hex:4}-{hex:4}-{hex:12}"
	return &topology.Topology{
		Version: topology.Version,
		Mode:    topology.Route,
		Facade:  topology.Facade{Hosts: []string{"api.homeward.test", "localhost"}, LegacyCell: "na1"},
		Cells: []topology.Cell{
			{Name: "na1", Region: "a", Jurisdiction: "us", Hosts: []string{"api-na1.homeward.test"}, Gateways: []string{"http://127.0.0.1:8101"}},
			{Name: "na2", Region: "b", Jurisdiction: "us", Hosts: []string{"api-na2.homeward.test"}, Gateways: []string{"http://127.0.0.1:8102"}},
			{Name: "eu1", Region: "c", Jurisdiction: "eu", Hosts: []string{"api-eu1.homeward.test"}, Gateways: []string{"http://127.0.0.1:8103"}},
		},
		Credentials: []topology.CredentialRule{
			{Name: "private-app", In: access, Pattern: "pat-{cell}-{uuid}"},
			{Name: "homeward", In: append([]string{"basic-username", "form refresh_token"}, access...), Homeward: &topology.HomewardFormat{Prefix: "hw"}},
			{Name: "gitlab", In: access, GitLabRoutable: &topology.GitLabFormat{Cells: map[string]string{"1": "na1", "2": "na2", "2s": "eu1"}}},
			{Name: "jwt", In: access, JWT: &topology.JWTFormat{Claim: "cell"}},
			{Name: "refresh", In: append([]string{"form refresh_token"}, access...), Pattern: key},
			{Name: "api-key", In: []string{"query hapikey"}, Pattern: key},
			{Name: "api-key-legacy", In: []string{"query hapikey"}, Pattern: "{uuid}"},
			{Name: "session", In: []string{"cookie session"}, Pattern: "{cell}.{rest}"},
			{Name: "oauth-access", In: access, Protobuf: &topology.ProtobufFormat{Field: 9}},
		},
		Bodies: []topology.Body{{Paths: []string{"/oauth/v1/token"}}},
		Lanes: []topology.Lane{
			{Name: "batch", Match: topology.LaneMatch{Paths: []string{"/batch/*"}}},
			{Name: "default"},
		},
	}
}

// crowded is demoLike with 1,000 cells and 200 credential rules for bearer:
// 150 with a literal prefix and 50 without. The benchmark's credential is
// claimed by one in the middle.
func crowded() *topology.Topology {
	t := demoLike()
	for i := len(t.Cells); i < 1000; i++ {
		t.Cells = append(t.Cells, topology.Cell{
			Name: cellName(i), Region: "x", Jurisdiction: "us",
			Hosts:    []string{"api-" + cellName(i) + ".homeward.test"},
			Gateways: []string{"http://127.0.0.1:9000"},
		})
	}
	protobuf := t.Credentials[len(t.Credentials)-1]
	t.Credentials = t.Credentials[:len(t.Credentials)-1]
	bearer := []string{"bearer"}
	for i := len(t.Credentials); i < 199; i++ {
		r := topology.CredentialRule{Name: fmt.Sprintf("rule-%d", i), In: bearer}
		if i%4 == 3 {
			r.Pattern = shapeOf(i)
		} else {
			r.Pattern = fmt.Sprintf("%s%d-{cell}-{uuid}", []string{"app", "svc", "key"}[i%3], i)
		}
		t.Credentials = append(t.Credentials, r)
	}
	t.Credentials = append(t.Credentials, protobuf)
	return t
}

// shapeOf is a pattern without a prefix that no other number's hides.
func shapeOf(i int) string {
	switch i % 3 {
	case 0:
		return fmt.Sprintf("{cell}-{hex:%d}", 8+i/4)
	case 1:
		return fmt.Sprintf("{cell}_{account}_{base62:%d}", 8+i/4)
	}
	return fmt.Sprintf("{hex:%d}.{cell}", 8+i/4)
}

// cellName is a name for the i-th of many cells.
func cellName(i int) string {
	return fmt.Sprintf("%c%cz%d", 'a'+i/10%26, 'a'+i/260%26, i%10)
}

const (
	benchUUID  = "20b81d7f-8e9e-4bb8-b4a3-7b2b926271f2"
	benchKey   = "eu1-8cc2-79b5-4a73-838e-4a118913c782"
	benchOwn   = "hw_eu1_19juN56_f1v2cFAedxukuoTucal7UkVcwjphJhtl4DIXQL"
	benchPAT   = "pat-eu1-" + benchUUID
	benchAgent = "python-requests/2.32.3"
)

// request is a head as a common client sends it.
func request(method, target string, more ...route.Field) *route.Request {
	fields := []route.Field{
		{Name: "User-Agent", Value: benchAgent},
		{Name: "Accept-Encoding", Value: "gzip, deflate"},
		{Name: "Accept", Value: "*/*"},
		{Name: "Connection", Value: "keep-alive"},
	}
	return &route.Request{Method: method, Host: "api.homeward.test", Target: target, Fields: append(fields, more...)}
}

func bearer(token string) route.Field {
	return route.Field{Name: "Authorization", Value: "Bearer " + token}
}

func measure(b *testing.B, top *topology.Topology, r *route.Request, want route.Outcome) {
	b.Helper()
	t, err := route.Compile(top)
	if err != nil {
		b.Fatal(err)
	}
	if d := t.Decide(r); d.Outcome != want {
		b.Fatalf("outcome %v (%v), want %v", d.Outcome, d.Reason, want)
	}
	b.ReportAllocs()
	for b.Loop() {
		t.Decide(r)
	}
}

func BenchmarkDecideBearer(b *testing.B) {
	measure(b, demoLike(), request("GET", "/crm/v3/objects/contacts", bearer(benchPAT)), route.Home)
}

func BenchmarkDecideBearerHomeward(b *testing.B) {
	measure(b, demoLike(), request("GET", "/crm/v3/objects/contacts", bearer(benchOwn)), route.Home)
}

func BenchmarkDecideBearer1000Cells200Rules(b *testing.B) {
	measure(b, crowded(), request("GET", "/crm/v3/objects/contacts", bearer("svc100-"+cellName(700)+"-"+benchUUID)), route.Home)
}

func BenchmarkDecideLegacy(b *testing.B) {
	r := request("GET", "/crm/v3/objects/contacts", bearer("opaque!credential/of=the+days:before~cells"))
	b.Run("9Rules", func(b *testing.B) { measure(b, demoLike(), r, route.Legacy) })
	b.Run("1000Cells200Rules", func(b *testing.B) { measure(b, crowded(), r, route.Legacy) })
}

func BenchmarkDecideQuery(b *testing.B) {
	measure(b, demoLike(), request("GET", "/contacts/v1/lists/all?count=20&hapikey="+benchKey), route.Home)
}

func BenchmarkDecideCookie(b *testing.B) {
	measure(b, demoLike(), request("GET", "/reports", route.Field{Name: "Cookie", Value: "theme=dark; session=eu1.0d5f8a6b3c; lang=de"}), route.Home)
}

func BenchmarkDecidePath(b *testing.B) {
	measure(b, demoLike(), request("GET", "/oauth/v1/access-tokens/"+benchPAT), route.Home)
}

func BenchmarkDecideForm(b *testing.B) {
	r := request("POST", "/oauth/v1/token", route.Field{Name: "Content-Type", Value: "application/x-www-form-urlencoded"})
	r.Body = []byte("grant_type=refresh_token&client_id=app&refresh_token=" + benchKey)
	r.BodyState = route.BodyWhole
	measure(b, demoLike(), r, route.Home)
}

func BenchmarkCompile1000Cells200Rules(b *testing.B) {
	top := crowded()
	for b.Loop() {
		if _, err := route.Compile(top); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRedactPath(b *testing.B) {
	t, err := route.Compile(demoLike())
	if err != nil {
		b.Fatal(err)
	}
	for name, target := range map[string]string{
		"Short": "/crm/v3/objects/contacts", "LongSegment": "/v1/accounts/0123456789abcdef0123456789abcdef/x?y", "Credential": "/oauth/v1/access-tokens/" + benchPAT,
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				t.RedactPath(target)
			}
		})
	}
}
