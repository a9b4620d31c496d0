package credential_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/homeward/homeward/cell"
	"github.com/homeward/homeward/credential"
)

var cellNames = rapid.Custom(func(t *rapid.T) cell.Name {
	return cell.MustName(rapid.StringMatching(`[a-z]{2,6}[0-9]{1,2}`).Draw(t, "cell"))
})

// noise is a source of random bytes that a failure can be repeated with.
func noise(t *rapid.T) io.Reader {
	var seed [32]byte
	copy(seed[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "seed"))
	return rand.NewChaCha8(seed)
}

// wantHome checks that f reads text as the cell that it was minted for.
func wantHome(t *rapid.T, f credential.Format, text string, err error, c cell.Name) credential.Claim {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	got := f.Read(text)
	if got.Verdict != credential.Home || got.Cell != c {
		t.Fatalf("%v reads what it minted for %v as %v %v: %v", f, c, got.Verdict, got.Cell, got.Reason)
	}
	return got
}

func TestMintHomeward(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h, err := credential.NewHomeward(rapid.StringMatching(`[a-z][a-z0-9]{1,9}`).Draw(t, "prefix"))
		if err != nil {
			t.Fatal(err)
		}
		c, a := cellNames.Draw(t, "cell"), cell.Account(rapid.Uint64().Draw(t, "account"))
		text, err := h.Mint(noise(t), c, a)
		if got := wantHome(t, h, text, err, c); !got.HasAccount || got.Account != a {
			t.Fatalf("account %v, want %v", got.Account, a)
		}
		if parts := strings.Split(text, "_"); len(parts) != 4 || len(parts[3]) != 38 {
			t.Fatalf("%d parts, the last of %d characters", len(parts), len(parts[3]))
		}
		neverHomeWhenChanged(t, h, text)
	})
}

// neverHomeWhenChanged changes one character of a credential with a checksum.
func neverHomeWhenChanged(t *rapid.T, f credential.Format, text string) {
	at := rapid.IntRange(0, len(text)-1).Draw(t, "at")
	changed := []byte(text)
	changed[at] = rapid.ByteRange(0x21, 0x7e).Filter(func(b byte) bool { return b != text[at] }).Draw(t, "byte")
	if c := f.Read(string(changed)); c.Verdict == credential.Home || c.Verdict == credential.Foreign {
		t.Fatalf("still %v with character %d changed", c.Verdict, at)
	}
}

func TestMintPattern(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, err := credential.ParsePattern(rapid.SampledFrom([]string{
			"pat-{cell}-{uuid}", "{cell}-{hex:4}-{hex:4}", "{account}{cell}.{rest}", "k{account}@{cell}/{base62:32}",
			"{base62:8}{cell}", "{cell}", "{uuid}{cell}--", "{hex:3}{account}:{cell}~{rest}",
		}).Draw(t, "pattern"))
		if err != nil {
			t.Fatal(err)
		}
		f := credential.Fields{Cell: cellNames.Draw(t, "cell")}
		if strings.Contains(p.String(), "{account}") {
			f.Account = cell.Account(rapid.Uint64().Draw(t, "account"))
		}
		if strings.Contains(p.String(), "{rest}") {
			f.Rest = rapid.StringMatching(`[!-~]{1,40}`).Draw(t, "rest")
		}
		text, err := p.Mint(noise(t), f)
		if got := wantHome(t, p, text, err, f.Cell); got.Account != f.Account {
			t.Fatalf("account %v, want %v", got.Account, f.Account)
		}
	})
}

func TestMintGitLab(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := cellNames.Draw(t, "cell")
		id := rapid.StringMatching(`[0-9a-z]{1,11}`).Draw(t, "id")
		g, err := credential.NewGitLabRoutable(map[string]string{id: c.String()})
		if err != nil {
			t.Fatal(err)
		}
		token := credential.GitLabToken{
			Cell: c, Version: rapid.IntRange(0, 1).Draw(t, "version"),
			Prefix:  rapid.StringMatching(`[a-z]{0,5}-?`).Draw(t, "prefix"),
			Routing: rapid.StringMatching(`(o:[0-9a-z]{1,9}(\np:[0-9a-z]{1,9})?)?`).Draw(t, "routing"),
		}
		text, err := g.Mint(noise(t), token)
		wantHome(t, g, text, err, c)
		neverHomeWhenChanged(t, g, text)
	})
}

func TestMintJWT(t *testing.T) {
	secret := bytes.Repeat([]byte{7}, 32)
	key := ed25519.NewKeyFromSeed(secret)
	signers := map[string]credential.Signer{"HS256": must(credential.HS256(secret)), "EdDSA": must(credential.EdDSA(key))}
	rapid.Check(t, func(t *rapid.T) {
		j, err := credential.NewJWT(rapid.SampledFrom([]string{"cell", "https://a.test/<cell>", "zelle\"ü", "😀"}).Draw(t, "claim"))
		if err != nil {
			t.Fatal(err)
		}
		claims := map[string]any{}
		for _, k := range rapid.SliceOfN(rapid.StringMatching(`[a-b"\\]{1,3}`), 0, 4).Draw(t, "claims") {
			claims[k] = rapid.String().Draw(t, "value")
		}
		c, alg := cellNames.Draw(t, "cell"), rapid.SampledFrom([]string{"HS256", "EdDSA"}).Draw(t, "alg")
		text, err := j.Mint(noise(t), c, claims, signers[alg])
		wantHome(t, j, text, err, c)
		dot := strings.LastIndexByte(text, '.')
		signature, err := base64.RawURLEncoding.DecodeString(text[dot+1:])
		if err != nil {
			t.Fatal(err)
		}
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(text[:dot]))
		if alg == "HS256" && !hmac.Equal(signature, mac.Sum(nil)) ||
			alg == "EdDSA" && !ed25519.Verify(key.Public().(ed25519.PublicKey), []byte(text[:dot]), signature) {
			t.Fatalf("the %s signature does not verify", alg)
		}
	})
}

func TestMintProtobuf(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, err := credential.NewProtobuf(rapid.IntRange(1, 1<<29-1).Draw(t, "field"))
		if err != nil {
			t.Fatal(err)
		}
		c := cellNames.Draw(t, "cell")
		text, err := p.Mint(noise(t), c, nil)
		wantHome(t, p, text, err, c)
	})
}

// TestMintIsUnbiased counts 62,000 characters of secrets. Taking bytes modulo 62
// without throwing any away would make the first 8 characters 5/4 as likely.
func TestMintIsUnbiased(t *testing.T) {
	p := must(credential.ParsePattern("{base62:248}"))
	random := rand.NewChaCha8([32]byte{1})
	var seen [256]int
	const rounds = 250
	for range rounds {
		text, err := p.Mint(random, credential.Fields{})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []byte(text) {
			seen[c]++
		}
	}
	const each = rounds * 248 / 62
	for c, n := range seen {
		if n != 0 && (n < each*85/100 || n > each*115/100) {
			t.Errorf("%c stands %d times, about %d expected", c, n, each)
		}
	}
}

func TestMintRefuses(t *testing.T) {
	eu1 := cell.MustName("eu1")
	hw := must(credential.NewHomeward("hw"))
	gl := must(credential.NewGitLabRoutable(map[string]string{"1": "eu1"}))
	jwt := must(credential.NewJWT("cell"))
	pb := must(credential.NewProtobuf(9))
	signer := must(credential.HS256(make([]byte, 32)))
	pattern := func(s string, f credential.Fields) error {
		_, err := must(credential.ParsePattern(s)).Mint(nil, f)
		return err
	}
	gitlab := func(t credential.GitLabToken) error { _, err := gl.Mint(nil, t); return err }
	token := func(c cell.Name, claims map[string]any, s credential.Signer) error {
		_, err := jwt.Mint(nil, c, claims, s)
		return err
	}
	proto := func(c cell.Name, m string) error { _, err := pb.Mint(nil, c, []byte(m)); return err }
	_, noCell := hw.Mint(nil, cell.Name{}, 1)
	_, noNoise := hw.Mint(strings.NewReader("short"), eu1, 1)
	_, shortSecret := credential.HS256(make([]byte, 31))
	_, shortKey := credential.EdDSA(make([]byte, 32))
	for name, test := range map[string]struct{ err, want error }{
		"homeward without a cell":       {noCell, credential.ErrNeedsCell},
		"random that ends":              {noNoise, io.ErrUnexpectedEOF},
		"pattern without a cell":        {pattern("{cell}", credential.Fields{}), credential.ErrNeedsCell},
		"pattern that has no cell":      {pattern("{uuid}", credential.Fields{Cell: eu1}), credential.ErrFields},
		"pattern that has no account":   {pattern("{cell}", credential.Fields{Cell: eu1, Account: 1}), credential.ErrFields},
		"pattern with an empty rest":    {pattern("{cell}.{rest}", credential.Fields{Cell: eu1}), credential.ErrFields},
		"pattern with a space in rest":  {pattern("{cell}.{rest}", credential.Fields{Cell: eu1, Rest: "a b"}), credential.ErrFields},
		"pattern that has no rest":      {pattern("{cell}", credential.Fields{Cell: eu1, Rest: "a"}), credential.ErrFields},
		"gitlab without a cell":         {gitlab(credential.GitLabToken{}), credential.ErrNeedsCell},
		"gitlab cell not in the map":    {gitlab(credential.GitLabToken{Cell: cell.MustName("na1")}), credential.ErrGitLabToken},
		"gitlab version 2":              {gitlab(credential.GitLabToken{Cell: eu1, Version: 2}), credential.ErrGitLabToken},
		"gitlab prefix with a dot":      {gitlab(credential.GitLabToken{Cell: eu1, Prefix: "a."}), credential.ErrGitLabToken},
		"gitlab routing with a cell":    {gitlab(credential.GitLabToken{Cell: eu1, Routing: "c:2"}), credential.ErrGitLabToken},
		"gitlab routing too long":       {gitlab(credential.GitLabToken{Cell: eu1, Routing: strings.Repeat("x", 300)}), credential.ErrGitLabToken},
		"jwt without a cell":            {token(cell.Name{}, nil, signer), credential.ErrNeedsCell},
		"jwt with the cell's own claim": {token(eu1, map[string]any{"cell": "na1"}, signer), credential.ErrClaims},
		"jwt with a channel":            {token(eu1, map[string]any{"a": make(chan int)}, signer), credential.ErrClaims},
		"jwt without a signer":          {token(eu1, nil, credential.Signer{}), credential.ErrSigningKey},
		"a signer that fails":           {token(eu1, nil, credential.Signer{Alg: "X", Sign: func([]byte) ([]byte, error) { return nil, io.EOF }}), io.EOF},
		"a short secret":                {shortSecret, credential.ErrSigningKey},
		"a short key":                   {shortKey, credential.ErrSigningKey},
		"protobuf without a cell":       {proto(cell.Name{}, ""), credential.ErrNeedsCell},
		"protobuf of half a message":    {proto(eu1, "\x08"), credential.ErrMessage},
		"protobuf with the cell's own":  {proto(eu1, "\x4a\x03eu1"), credential.ErrMessage},
	} {
		if !errors.Is(test.err, test.want) {
			t.Errorf("%s: %v, want %v", name, test.err, test.want)
		}
	}
}
