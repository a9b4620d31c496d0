package credential_test

import (
	"slices"
	"testing"

	"github.com/homeward/homeward/cell"
	"github.com/homeward/homeward/conformance"
	"github.com/homeward/homeward/credential"
)

func loadVectors(t testing.TB) conformance.Credentials {
	t.Helper()
	v, err := conformance.ReadCredentials()
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Vectors) < 300 {
		t.Fatalf("only %d vectors", len(v.Vectors))
	}
	return v
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// formats are those of examples/demo.yaml by the names of their rules.
func formats(v conformance.Credentials) map[string]credential.Format {
	const refresh = "{cell}-{hex:4}-{hex:4}-{hex:4}-{hex:4}-{hex:12}"
	return map[string]credential.Format{
		"private-app":     must(credential.ParsePattern("pat-{cell}-{uuid}")),
		"homeward":        must(credential.NewHomeward("hw")),
		"gitlab-routable": must(credential.NewGitLabRoutable(v.GitLabCellIDs)),
		"jwt":             must(credential.NewJWT("cell")),
		"refresh":         must(credential.ParsePattern(refresh)),
		"api-key":         must(credential.ParsePattern(refresh)),
		"api-key-legacy":  must(credential.ParsePattern("{uuid}")),
		"session":         must(credential.ParsePattern("{cell}.{rest}")),
		"oauth-access":    must(credential.NewProtobuf(9)),
	}
}

func TestVectorsByFormat(t *testing.T) {
	v := loadVectors(t)
	formats := formats(v)
	var key credential.FingerprintKey
	for _, v := range v.Vectors {
		t.Run(v.Name, func(t *testing.T) {
			c := formats[v.Format].Read(v.Credential)
			if c.Verdict.String() != v.Verdict {
				t.Errorf("verdict %v (%v), want %s", c.Verdict, c.Reason, v.Verdict)
			}
			if v.Outcome == "home" && c.Cell.String() != v.Cell {
				t.Errorf("cell %v, want %s", c.Cell, v.Cell)
			}
			if v.Account != "" && (!c.HasAccount || c.Account.String() != v.Account) {
				t.Errorf("account %v (%v), want %s", c.Account, c.HasAccount, v.Account)
			}
			if fp := key.Fingerprint(v.Credential).String(); fp != v.Fingerprint {
				t.Errorf("fingerprint %s, want %s", fp, v.Fingerprint)
			}
			checkClaim(t, c)
		})
	}
}

// checkClaim holds a claim to what Claim promises.
func checkClaim(t testing.TB, c credential.Claim) {
	t.Helper()
	if (c.Verdict == credential.Home) == c.Cell.IsZero() {
		t.Errorf("%v with cell %q", c.Verdict, c.Cell)
	}
	explained := c.Verdict == credential.Malformed || c.Verdict == credential.Legacy || c.Verdict == credential.Foreign
	if explained == (c.Reason == 0) || explained == (c.Reason.String() == "") {
		t.Errorf("%v with reason %q", c.Verdict, c.Reason)
	}
}

// TestVectorsByPlace holds the outcomes against the rules of each place in the
// order of examples/demo.yaml: the first rule that claims decides.
func TestVectorsByPlace(t *testing.T) {
	v := loadVectors(t)
	formats := formats(v)
	places := [][]string{
		{"private-app", "homeward", "gitlab-routable", "jwt", "refresh", "oauth-access"}, // bearer, access-token path
		{"private-app", "homeward", "gitlab-routable", "jwt", "oauth-access"},
		{"homeward", "refresh"}, // form, refresh-token path
		{"homeward"},            // basic
		{"api-key", "api-key-legacy"},
	}
	for _, v := range v.Vectors {
		for _, place := range places {
			if !slices.Contains(place, v.Format) {
				continue
			}
			if got := outcome(formats, place, v.Credential); got != v.Outcome {
				t.Errorf("%s in %v: %s, want %s", v.Name, place, got, v.Outcome)
			}
		}
	}
}

func outcome(formats map[string]credential.Format, rules []string, text string) string {
	for _, rule := range rules {
		switch c := formats[rule].Read(text); c.Verdict {
		case credential.Malformed, credential.Legacy:
			return c.Verdict.String()
		case credential.Foreign:
			return "unknown-cell"
		case credential.Home:
			for _, known := range []string{"na1", "na2", "eu1"} {
				if c.Cell == cell.MustName(known) {
					return "home"
				}
			}
			return "unknown-cell"
		}
	}
	return "legacy"
}

func TestReadDoesNotAllocate(t *testing.T) {
	v := loadVectors(t)
	formats := formats(v)
	var key credential.FingerprintKey
	for _, v := range v.Vectors {
		f := formats[v.Format]
		if n := testing.AllocsPerRun(5, func() { f.Read(v.Credential); key.Fingerprint(v.Credential) }); n != 0 {
			t.Errorf("%s: %v allocations", v.Name, n)
		}
	}
}
