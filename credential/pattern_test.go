package credential_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/homeward/homeward/credential"
)

func TestParsePatternRefuses(t *testing.T) {
	for pattern, says := range map[string]string{
		"":                       "no field",
		"secret":                 "no field",
		"{cell":                  "character 1: the { is not closed",
		"pat-{cel}":              "character 5: there is no field {cel}",
		"pat-{}":                 "no field {}",
		"{CELL}":                 "no field {CELL}",
		"{hex}":                  "{hex} needs its length",
		"{hex:}":                 "{hex} needs its length",
		"{hex:0}":                "from 1 to 256",
		"{hex:04}":               "needs its length",
		"{hex:257}":              "from 1 to 256",
		"{hex:-1}":               "needs its length",
		"{base62:99999}":         "needs its length",
		"{base62:x}":             "{base62} needs its length",
		"{cell}-{cell}":          "{cell} stands more than once",
		"{account}-{account}":    "{account} stands more than once",
		"{cell}{rest}":           "where {cell} ends",
		"{cell}{hex:4}":          "where {cell} ends",
		"{cell}{account}":        "where {cell} ends",
		"{cell}1{uuid}":          "where {cell} ends",
		"{account}{base62:4}":    "where {account} ends",
		"{account}0":             "where {account} ends",
		"{rest}-{cell}":          "{rest} takes all that is left",
		"{rest}{rest}":           "{rest} takes all that is left",
		"a}b{cell}":              "without braces",
		"{cell} {uuid}":          "0x21 to 0x7E",
		"{cell}\u00e9":           "0x21 to 0x7E",
		strings.Repeat("x", 600): "at most 512",
		"{cell}-{ce{ll}}":        "no field {ce{ll}",
	} {
		p, err := credential.ParsePattern(pattern)
		if !errors.Is(err, credential.ErrPattern) || !strings.Contains(err.Error(), says) {
			t.Errorf("ParsePattern(%q) = %v, %v; want an error with %q", pattern, p, err, says)
		}
	}
}

func TestPatternRead(t *testing.T) {
	const uuid = "47eaa099-2cb6-416d-86dc-283cf0480ff9"
	tests := []struct{ pattern, text, want string }{
		{"sk_{rest}", "sk_x", "legacy"},
		{"sk_{rest}", "sk_", "malformed"},
		{"sk_{rest}", "sk_x y", "malformed"},
		{"sk_{rest}", "sk_x\x7f", "malformed"},
		{"sk_{rest}", "sk_\xc3\xa9", "malformed"},
		{"sk_{rest}", "SK_x", "unclaimed"},
		{"{rest}", "!", "legacy"},
		{"{rest}", "", "unclaimed"},
		{"{rest}", "a\nb", "unclaimed"},
		{"{uuid}", uuid, "legacy"},
		{"{uuid}", uuid + "\n", "unclaimed"},
		{"{cell}.{rest}", "eu1.x", "home eu1"},
		{"{cell}.{rest}", "eu1..", "home eu1"},
		{"{cell}", "eu1", "home eu1"},
		{"{cell}", "eu12", "home eu12"},
		{"{cell}", "eu123", "unclaimed"},
		{"{account}{cell}", "42eu1", "home eu1 42"},
		{"{account}@{cell}", "42@eu1", "home eu1 42"},
		{"a{account}", "a18446744073709551615", "legacy 18446744073709551615"},
		{"a{account}", "a18446744073709551616", "malformed"},
		{"a{account}", "a99999999999999999999", "malformed"},
		{"a{account}", "a" + strings.Repeat("1", 100<<10), "malformed"},
		{"a{account}", "a0", "legacy 0"},
		{"a{account}", "a00", "malformed"},
		{"a{account}", "a01", "malformed"},
		{"a{account}", "a", "malformed"},
		{"a{account}", "a-1", "malformed"},
		{"{account}-{base62:3}", "7-aZ0", "legacy 7"},
		{"{account}-{base62:3}", "7-a_0", "unclaimed"},
		{"{hex:2}{cell}", "ABna1", "home na1"},
		{"{cell}-{rest}", "eu1-" + strings.Repeat("z", 100<<10), "home eu1"},
		{"{hex:256}{hex:256}", strings.Repeat("f", 512), "legacy"},
		{"{hex:256}{hex:256}", strings.Repeat("f", 513), "unclaimed"},
	}
	for _, test := range tests {
		p, err := credential.ParsePattern(test.pattern)
		if err != nil {
			t.Error(err)
			continue
		}
		c := p.Read(test.text)
		got := strings.TrimSpace(c.Verdict.String() + " " + c.Cell.String())
		if c.HasAccount {
			got += " " + c.Account.String()
		}
		if got != test.want {
			t.Errorf("%v reads %.40q as %s (%v), want %s", p, test.text, got, c.Reason, test.want)
		}
		checkClaim(t, c)
		if n := testing.AllocsPerRun(1, func() { p.Read(test.text) }); n != 0 {
			t.Errorf("%v: %v allocations", p, n)
		}
	}
}

func TestLongTexts(t *testing.T) {
	const size = 100 << 10
	v := loadVectors(t)
	for name, f := range formats(v) {
		for _, v := range v.Vectors {
			if v.Format != name {
				continue
			}
			for _, text := range []string{
				v.Credential + strings.Repeat("a", size), strings.Repeat("a", size) + v.Credential,
				v.Credential + strings.Repeat(".", size), strings.Repeat(v.Credential, 1+size/len(v.Credential)),
			} {
				checkClaim(t, f.Read(text))
			}
		}
		if c := f.Read(""); c != (credential.Claim{}) {
			t.Errorf("%v claims the empty text: %v", f, c)
		}
	}
}

func TestFormatsDescribeThemselves(t *testing.T) {
	formats := formats(loadVectors(t))
	for name, want := range map[string]string{
		"private-app": `pattern "pat-{cell}-{uuid}"`, "homeward": `homeward prefix "hw"`,
		"gitlab-routable": "gitlab-routable with 3 cell ids", "jwt": `jwt claim "cell"`, "oauth-access": "protobuf field 9",
	} {
		if got := formats[name].String(); got != want {
			t.Errorf("%s describes itself as %s, want %s", name, got, want)
		}
	}
	for name, want := range map[string]string{"private-app": "pat-", "homeward": "hw_", "refresh": "", "jwt": "", "gitlab-routable": "", "oauth-access": ""} {
		if got := formats[name].Prefix(); got != want {
			t.Errorf("%s claims by the prefix %q, want %q", name, got, want)
		}
	}
}

func TestConstructorsRefuse(t *testing.T) {
	for _, prefix := range []string{"", "h", "HW", "hw_", "1hw", "abcdefghijk", "h-w", "hé"} {
		if _, err := credential.NewHomeward(prefix); !errors.Is(err, credential.ErrPrefix) {
			t.Errorf("NewHomeward(%q): %v", prefix, err)
		}
	}
	for _, cells := range []map[string]string{nil, {"": "na1"}, {"2S": "na1"}, {"-1": "na1"}, {"1": "NA1"}, {"1": ""}, {"1": "na1", "01": "na1"}, {"zzzzzzzzzzzzzz": "na1"}} {
		if _, err := credential.NewGitLabRoutable(cells); !errors.Is(err, credential.ErrGitLabCells) {
			t.Errorf("NewGitLabRoutable(%v): %v", cells, err)
		}
	}
	for _, claim := range []string{"", "\xff", "a\ufffd", strings.Repeat("x", 257)} {
		if _, err := credential.NewJWT(claim); !errors.Is(err, credential.ErrClaim) {
			t.Errorf("NewJWT(%q): %v", claim, err)
		}
	}
	for _, field := range []int{0, -1, 1 << 29} {
		if _, err := credential.NewProtobuf(field); !errors.Is(err, credential.ErrField) {
			t.Errorf("NewProtobuf(%d): %v", field, err)
		}
	}
}
