package topology_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/homeward/homeward/topology"
)

// small is a good topology of two cells to break in one place at a time.
func small() *topology.Topology {
	return &topology.Topology{
		Version: 1,
		Facade:  topology.Facade{Hosts: []string{"api.example.com"}, LegacyCell: "na1"},
		Cells: []topology.Cell{
			{Name: "na1", Region: "us-east-1", Jurisdiction: "us", Hosts: []string{"api-na1.example.com"}, Gateways: []string{"http://10.0.0.1:8080"}},
			{Name: "eu1", Region: "eu-central-1", Jurisdiction: "eu", Gateways: []string{"https://gw.eu1.internal"}},
		},
		Credentials: []topology.CredentialRule{
			{Name: "key", In: []string{"bearer", "header X-Key"}, Pattern: "pat-{cell}-{uuid}"},
			{Name: "opaque", In: []string{"bearer"}, Protobuf: &topology.ProtobufFormat{Field: 9}},
		},
	}
}

func TestGoodTopologyHasNoProblems(t *testing.T) {
	for _, p := range small().Validate() {
		t.Errorf("%s", p)
	}
	for _, p := range small().WithDefaults().Validate() {
		t.Errorf("with defaults: %s", p)
	}
}

// TestValidate breaks a good topology in one way and expects exactly the
// problems at the paths given.
func TestValidate(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*topology.Topology)
		want   []string
	}{
		"no version":           {func(t *topology.Topology) { t.Version = 0 }, []string{"$.version"}},
		"a later version":      {func(t *topology.Topology) { t.Version = 2 }, []string{"$.version"}},
		"no facade":            {func(t *topology.Topology) { t.Facade = topology.Facade{} }, []string{"$.facade.hosts", "$.facade.legacy_cell"}},
		"dangling legacy cell": {func(t *topology.Topology) { t.Facade.LegacyCell = "na9" }, []string{"$.facade.legacy_cell"}},
		"no cells say it once": {func(t *topology.Topology) { t.Cells = nil }, []string{"$.cells"}},
		"a host in two spellings": {func(t *topology.Topology) { t.Cells[1].Hosts = []string{"API.example.com"} },
			[]string{"$.cells[1].hosts[0]"}},
		"an address in two spellings": {func(t *topology.Topology) { t.Facade.Hosts = []string{"::1", "0:0::1", "::ffff:10.0.0.1", "10.0.0.1"} },
			[]string{"$.facade.hosts[1]", "$.facade.hosts[3]"}},
		"share NaN":            {func(t *topology.Topology) { t.Cells[0].Share = ptr(math.NaN()) }, []string{"$.cells[0].share"}},
		"share below 0":        {func(t *topology.Topology) { t.Cells[0].Share = ptr(-0.5) }, []string{"$.cells[0].share"}},
		"tls without https":    {func(t *topology.Topology) { t.Cells[0].TLS = &topology.TLS{CA: "ca.pem"} }, []string{"$.cells[0].tls"}},
		"an IPv6 gateway":      {func(t *topology.Topology) { t.Cells[0].Gateways = []string{"http://[::1]:80", "http://[::1]"} }, []string{"$.cells[0].gateways[1]"}},
		"control characters":   {func(t *topology.Topology) { t.Cells[0].Region = "us\x1b[2J" }, []string{"$.cells[0].region"}},
		"negative timeouts":    {func(t *topology.Topology) { t.Timeouts.Idle = -1 }, []string{"$.timeouts.idle"}},
		"negative limits":      {func(t *topology.Topology) { t.Limits.Body = -1 }, []string{"$.limits.body"}},
		"unknown kind":         {func(t *topology.Topology) { t.Status = map[string]int{"x.y": 400} }, []string{`$.status["x.y"]`}},
		"fingerprint key":      {func(t *topology.Topology) { t.FingerprintKey = "ABCDEF00112233445566778899aabbcc" }, []string{"$.fingerprint_key"}},
		"health path a prefix": {func(t *topology.Topology) { t.HealthPath = "/health/*" }, []string{"$.health_path"}},
		"a shadow in one of two places": {func(t *topology.Topology) {
			t.Credentials = []topology.CredentialRule{
				{Name: "a", In: []string{"query k"}, Pattern: "{uuid}"},
				{Name: "b", In: []string{"query j", "query k"}, Pattern: "{hex:8}-{hex:4}-{hex:4}-{hex:4}-{hex:12}"},
			}
		}, []string{"$.credentials[1].pattern"}},
		"protobuf before another": {func(t *topology.Topology) {
			t.Credentials[0], t.Credentials[1] = t.Credentials[1], t.Credentials[0]
		}, []string{"$.credentials[0].protobuf"}},
		"protobuf last in each of its places": {func(t *topology.Topology) { t.Credentials[1].In = []string{"query k"} }, nil},
		"two formats": {func(t *topology.Topology) {
			t.Credentials[0].JWT = &topology.JWTFormat{Claim: "cell"}
		}, []string{"$.credentials[0].jwt"}},
		"a body place without bodies": {func(t *topology.Topology) {
			t.Credentials[0].In = []string{"form code", "json code"}
		}, []string{"$.credentials[0].in[0]"}},
		"bodies without a body place": {func(t *topology.Topology) { t.Bodies = []topology.Body{{Paths: []string{"/a"}}} }, []string{"$.bodies"}},
		"bodies that repeat": {func(t *topology.Topology) {
			t.Credentials[0].In = []string{"form code"}
			t.Bodies = []topology.Body{{Paths: []string{"/a/*"}}, {Paths: []string{"/b", "/a/b"}}, {Paths: []string{"/a/b"}, Methods: []string{"PUT"}}}
		}, []string{"$.bodies[1].paths[1]"}},
		"path rules that together hide one": {func(t *topology.Topology) {
			t.Paths = []topology.PathRule{
				{Path: "/a/*", Methods: []string{"GET"}, Cell: "na1"}, {Path: "/a/b", Methods: []string{"PUT"}, Cell: "eu1"},
				{Path: "/a/b", Methods: []string{"PUT", "GET"}, Cell: "na1"}, {Path: "/a/b", Cell: "na1"}, {Path: "/a", Cell: "na1"},
			}
		}, []string{"$.paths[2].path"}},
		"a lane behind all": {func(t *topology.Topology) {
			t.Lanes = []topology.Lane{{Name: "all", Match: topology.LaneMatch{Paths: []string{"/*"}}}, {Name: "late", Match: topology.LaneMatch{Methods: []string{"GET"}}}, {Name: "default"}}
		}, []string{"$.lanes[1].name", "$.lanes[2].name"}},
		"a narrower lane behind": {func(t *topology.Topology) {
			t.Lanes = []topology.Lane{
				{Name: "a", Match: topology.LaneMatch{Headers: []string{"X-Batch"}}},
				{Name: "b", Match: topology.LaneMatch{Headers: []string{"x-batch: 1"}, Methods: []string{"GET"}}},
			}
		}, []string{"$.lanes[1].name"}},
		"overrides": {func(t *topology.Topology) {
			t.Overrides = []topology.Override{
				{Account: ptr(uint64(0)), Cell: "eu1"}, {Fingerprint: "0123456789abcdef", Cell: "eu1"},
				{Account: ptr(uint64(0)), Cell: "na1"}, {Fingerprint: "0123456789ABCDEF", Cell: "eu1"}, {Fingerprint: "0123456789abcdef"},
			}
		}, []string{"$.overrides[2].account", "$.overrides[3].fingerprint", "$.overrides[4].fingerprint", "$.overrides[4].cell"}},
		"good origins": {func(t *topology.Topology) {
			t.CORS = &topology.CORS{Credentials: true, Origins: []string{"https://a.test", "http://localhost:3000", "https://*.example.com", "http://[::1]:8080", "chrome-extension://abc"}}
		}, nil},
		"good ranges": {func(t *topology.Topology) {
			t.TrustedProxies = []string{"10.0.0.0/8", "::1", "2001:db8::/32", "192.0.2.1"}
		}, nil},
		"good load balancers": {func(t *topology.Topology) {
			t.ProxyProtocol = []string{"10.0.0.0/8", "::1", "2001:db8::/32", "192.0.2.1"}
		}, nil},
		"bad load balancers": {func(t *topology.Topology) {
			t.ProxyProtocol = []string{"balancer.test", "0.0.0.0/0", "::/0", "10.0.0.1/8", "fe80::1%eth0", "::ffff:10.0.0.1", "::ffff:10.0.0.0/104", "10.0.0.1:443", ""}
		}, []string{
			"$.proxy_protocol[0]", "$.proxy_protocol[1]", "$.proxy_protocol[2]", "$.proxy_protocol[3]", "$.proxy_protocol[4]",
			"$.proxy_protocol[5]", "$.proxy_protocol[6]", "$.proxy_protocol[7]", "$.proxy_protocol[8]",
		}},
		"good probes": {func(t *topology.Topology) {
			t.Cells[0].Health, t.Cells[1].Health = &topology.Health{}, &topology.Health{Path: "/ready?deep=1", Interval: topology.Duration(time.Second), Timeout: topology.Duration(time.Minute), Healthy: 1, Unhealthy: 100}
		}, nil},
		"bad probes": {func(t *topology.Topology) {
			t.Cells[0].Health = &topology.Health{Path: "ready", Interval: 1, Timeout: topology.Duration(time.Hour), Healthy: -1, Unhealthy: 101}
			t.Cells[1].Health = &topology.Health{Path: "/a b"}
		}, []string{
			"$.cells[0].health.path", "$.cells[0].health.interval", "$.cells[0].health.timeout", "$.cells[0].health.healthy", "$.cells[0].health.unhealthy",
			"$.cells[1].health.path",
		}},
		"a probe of another host": {func(t *topology.Topology) { t.Cells[0].Health = &topology.Health{Path: "//other.test/"} }, []string{"$.cells[0].health.path"}},
		"too many connections":    {func(t *topology.Topology) { t.Limits.UpstreamConnections = 65536 }, []string{"$.limits.upstream_connections"}},
		"no patience":             {func(t *topology.Topology) { t.Timeouts.PoolWait = -1 }, []string{"$.timeouts.pool_wait"}},
		"a zone":                  {func(t *topology.Topology) { t.TrustedProxies = []string{"fe80::1%eth0"} }, []string{"$.trusted_proxies[0]"}},
		"too many rules": {func(t *topology.Topology) {
			t.Paths = make([]topology.PathRule, topology.MaxRules+1)
			for i := range t.Paths {
				t.Paths[i] = topology.PathRule{Path: fmt.Sprintf("/%d", i), Cell: "na1"}
			}
		}, []string{"$.paths"}},
	} {
		t.Run(name, func(t *testing.T) {
			top := small()
			tc.change(top)
			var got []string
			for _, p := range top.Validate() {
				got = append(got, p.Path)
				if p.Message == "" || p.Fix == "" {
					t.Errorf("no message or no fix: %+v", p)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("-want +got:\n%s\n%v", diff, top.Validate())
			}
		})
	}
}

func TestProblemsAreBounded(t *testing.T) {
	top := small()
	for range 5000 {
		top.Overrides = append(top.Overrides, topology.Override{})
	}
	if n := len(top.Validate()); n != 1000 {
		t.Errorf("%d problems", n)
	}
}

func TestMessagesHoldNoCredential(t *testing.T) {
	const secret = "0123456789abcdef0123456789abcdeX"
	top := small()
	top.FingerprintKey = secret
	top.Overrides = []topology.Override{{Fingerprint: secret, Cell: "na1"}}
	top.Lanes = []topology.Lane{{Name: "a", Match: topology.LaneMatch{Headers: []string{"authorization: Bearer " + secret}}}}
	top.Cells[0].Gateways = []string{"http://me:" + strings.Repeat(secret, 3) + "@10.0.0.1", secret + ":" + secret + "@10.0.0.1"}
	problems := top.Validate()
	if len(problems) != 5 {
		t.Errorf("%d problems: %v", len(problems), problems)
	}
	for _, p := range problems {
		if strings.Contains(p.String(), secret[:8]) {
			t.Errorf("a secret is shown: %s", p)
		}
	}
}

func TestNearest(t *testing.T) {
	words := []string{"name", "region", "open", "closed", "na1", "eu1"}
	for word, want := range map[string]string{"nmae": "name", "Region": "region", "regoin": "region", "opne": "open", "na2": "na1", "x": "", "facade": "", "": ""} {
		if got := topology.Nearest(word, words); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}
