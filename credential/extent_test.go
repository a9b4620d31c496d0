package credential_test

import (
	"encoding/base64"
	"fmt"
	"testing"

	"github.com/homeward/homeward/credential"
	"pgregory.net/rapid"
)

// TestExtentExcludesNoClaim holds what a format says in advance against what
// it claims.
func TestExtentExcludesNoClaim(t *testing.T) {
	formats := extentFormats(t)
	pieces := []string{
		"na1", "eu12", "-", "_", ".", "1", "4711", "0a", "ffff", "x", "Z", "!", "pat-",
		"47eaa099-2cb6-416d-86dc-283cf0480ff9", "glpat-", "YzoycwpvOjd4xbWl_nRP5kHq6IEsFIDLEA", "0y1vues65",
		base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)),
		base64.RawURLEncoding.EncodeToString([]byte("\n\t {\"alg\":\"none\"}")),
		base64.RawURLEncoding.EncodeToString([]byte("\x4a\x03na1")), "CAE",
	}
	rapid.Check(t, func(t *rapid.T) {
		text := ""
		for range rapid.IntRange(1, 6).Draw(t, "pieces") {
			text += rapid.SampledFrom(pieces).Draw(t, "piece")
		}
		for _, f := range formats {
			e := f.(interface{ Extent() credential.Extent }).Extent()
			if why := excludes(e, text); why != "" && f.Read(text).Verdict != credential.Unclaimed {
				t.Fatalf("%v claims %q, yet its extent excludes it by %s", f, text, why)
			}
		}
	})
}

func extentFormats(t *testing.T) []credential.Format {
	t.Helper()
	var formats []credential.Format
	for _, s := range []string{
		"pat-{cell}-{uuid}", "{cell}-{hex:4}", "{cell}.{rest}", "{uuid}", "{hex:4}{cell}", "{base62:3}_{cell}",
		"{account}.{cell}", "{hex:2}", "{rest}", "{account}", "{cell}x{account}!",
	} {
		p, err := credential.ParsePattern(s)
		if err != nil {
			t.Fatal(err)
		}
		formats = append(formats, p)
	}
	jwt, err := credential.NewJWT("cell")
	if err != nil {
		t.Fatal(err)
	}
	gitlab, err := credential.NewGitLabRoutable(map[string]string{"2s": "eu1"})
	if err != nil {
		t.Fatal(err)
	}
	message, err := credential.NewProtobuf(9)
	if err != nil {
		t.Fatal(err)
	}
	return append(formats, jwt, gitlab, message)
}

func excludes(e credential.Extent, text string) string {
	delimiter := credential.NoDelimiter
	for i := range len(text) {
		if c := text[i]; (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			delimiter = int16(c)
			break
		}
	}
	switch {
	case len(text) < e.Shortest || len(text) > e.Longest:
		return fmt.Sprintf("its length, %d to %d", e.Shortest, e.Longest)
	case !e.MayStartWith(text[0]):
		return "its first byte"
	case e.Delimiter != credential.AnyDelimiter && e.Delimiter != delimiter:
		return fmt.Sprintf("its delimiter %q", rune(e.Delimiter))
	}
	return ""
}
