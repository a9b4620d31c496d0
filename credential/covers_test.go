package credential_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/homeward/homeward/credential"
)

// format makes a format for the table: a pattern, or one of the others by name.
func format(s string) credential.Format {
	name, value, _ := strings.Cut(s, " ")
	switch name {
	case "homeward":
		return must(credential.NewHomeward(value))
	case "gitlab":
		return must(credential.NewGitLabRoutable(map[string]string{value: "eu1"}))
	case "jwt":
		return must(credential.NewJWT(value))
	case "protobuf":
		return must(credential.NewProtobuf(len(value)))
	}
	return must(credential.ParsePattern(s))
}

func TestCovers(t *testing.T) {
	const uuidAsHex = "{hex:8}-{hex:4}-{hex:4}-{hex:4}-{hex:12}"
	tests := []struct {
		a, b string
		want bool
	}{
		{"pat-{cell}-{uuid}", "pat-{cell}-{uuid}", true},
		{"pat-{cell}", "pat-{uuid}", true}, // both claim by pat-
		{"p{rest}", "pat-{cell}-{uuid}", true},
		{"pat-{cell}-{uuid}", "p{rest}", false},
		{"pat-{cell}", "{rest}", false},
		{"hw_{rest}", "homeward hw", true},
		{"homeward hw", "hw_{cell}_{rest}", true},
		{"homeward hw", "homeward hwx", false},
		{"homeward hwx", "homeward hw", false},
		{"homeward hw", "hw{cell}", false},
		{"{rest}", "pat-{cell}-{uuid}", true},
		{"{rest}", "homeward hw", true},
		{"{rest}", "gitlab 1", true},
		{"{rest}", "jwt cell", true},
		{"{rest}", "protobuf x", true},
		{"{cell}", "{rest}", false},
		{"{cell}.{rest}", "{cell}.{uuid}", true},
		{"{cell}.{uuid}", "{cell}.{rest}", false},
		{"{uuid}", uuidAsHex, true},
		{uuidAsHex, "{uuid}", true},
		{"{base62:4}", "{hex:4}", true},
		{"{hex:4}", "{base62:4}", false},
		{"{hex:4}", "{hex:2}{hex:2}", true},
		{"{hex:4}", "{hex:5}", false},
		{"{hex:5}", "{hex:4}", false},
		{"{base62:1}{rest}", "{cell}", true},
		{"{base62:3}", "{cell}", false},
		{"{rest}", "{cell}", true},
		{"{cell}-{rest}", "{cell}-{hex:4}-{hex:12}", true},
		{"{account}-{rest}", "{hex:4}-{rest}", false},
		{"{base62:1}{rest}", "{account}-{rest}", true},
		{"{account}", "{account}", true},
		{"{account}{cell}", "{account}{cell}", true},
		{"{hex:64}{rest}", "{hex:65}", true},
		{"gitlab 1", "gitlab 2", true},
		{"gitlab 1", "jwt cell", false},
		{"gitlab 1", "{base62:9}.{hex:9}", false}, // capital hex is not of the tail
		{"gitlab 1", "{rest}", false},
		{"{base62:9}{rest}", "gitlab 1", false}, // its prefix may hold other bytes
		{"jwt cell", "jwt region", true},
		{"jwt cell", "gitlab 1", false},
		{"jwt cell", "{rest}", false},
		{"{base62:1}{rest}", "jwt cell", false}, // a part may start with - or _
		{"protobuf x", "protobuf x", true},
		{"protobuf x", "protobuf xx", false},
		{"protobuf x", "{hex:8}", false},
	}
	for _, test := range tests {
		if got := credential.Covers(format(test.a), format(test.b)); got != test.want {
			t.Errorf("Covers(%s, %s) = %v", test.a, test.b, got)
		}
	}
	if credential.Covers(foreign{}, format("{rest}")) || credential.Covers(format("{rest}"), foreign{}) {
		t.Error("a format of another package takes part")
	}
}

// foreign is a format of another package; it cannot be compared with ==.
type foreign struct{ _ []int }

func (foreign) Read(string) credential.Claim { return credential.Claim{} }
func (foreign) Prefix() string               { return "" }
func (foreign) String() string               { return "foreign" }

// fields draws a pattern without a literal at its start, and texts that it
// might claim.
var fields = rapid.SampledFrom([]string{"{cell}", "{account}", "{hex:1}", "{hex:2}", "{base62:1}", "{base62:2}", "-", ".", "a", "7"})

var shapes = rapid.Custom(func(t *rapid.T) *credential.Pattern {
	for {
		list := rapid.SliceOfN(fields, 1, 4).Draw(t, "fields")
		if rapid.Bool().Draw(t, "rest") {
			list = append(list, "{rest}")
		}
		if p, err := credential.ParsePattern(strings.Join(list, "")); err == nil {
			return p
		}
	}
})

// TestCoversAgainstTexts samples texts of b: if a is said to cover b, a claims
// each of them; if not, and all texts of both are short, some text tells.
func TestCoversAgainstTexts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := shapes.Draw(t, "a"), shapes.Draw(t, "b")
		if !credential.Covers(a, a) {
			t.Fatalf("%v does not cover itself", a)
		}
		text := rapid.StringMatching(`([a-z]{2,6}[0-9]{1,2}|0|[1-9][0-9]{0,19}|[0-9A-Fa-f]{1,2}|[0-9A-Za-z]|[-.a7]|[!-~]){1,5}`).Draw(t, "text")
		if credential.Covers(a, b) && b.Read(text).Verdict != credential.Unclaimed && a.Read(text).Verdict == credential.Unclaimed {
			t.Fatalf("%v is said to cover %v, but does not claim %q", a, b, text)
		}
	})
}

// TestCoversAgainstAllTexts compares with every text of up to 4 characters of
// a small alphabet that can tell the patterns apart.
func TestCoversAgainstAllTexts(t *testing.T) {
	var patterns []*credential.Pattern
	for _, s := range []string{
		"{hex:1}", "{hex:2}", "{hex:3}", "{base62:1}", "{base62:2}", "{base62:3}", "{hex:1}{base62:1}", "{base62:1}{hex:1}", "{hex:1}-",
		"{base62:1}-", "{hex:1}-{hex:1}", "{hex:1}-{base62:1}", "{hex:1}{rest}", "{base62:1}{rest}", "{hex:1}-{rest}", "{rest}", "{base62:1}a{hex:1}", "{hex:1}a{base62:1}",
	} {
		patterns = append(patterns, must(credential.ParsePattern(s)))
	}
	texts := []string{""}
	for from := 0; len(texts[from]) < 4; from++ {
		for _, c := range []byte("abz-") { // the literal, hex, base 62 but not hex, neither
			texts = append(texts, texts[from]+string(c))
		}
	}
	for _, a := range patterns {
		for _, b := range patterns {
			want := true
			for _, text := range texts {
				if b.Read(text).Verdict != credential.Unclaimed && a.Read(text).Verdict == credential.Unclaimed {
					want = false
				}
			}
			if got := credential.Covers(a, b); got != want {
				t.Errorf("Covers(%v, %v) = %v", a, b, got)
			}
		}
	}
}
