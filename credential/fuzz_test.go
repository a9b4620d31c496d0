package credential_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"strings"
	"testing"

	"github.com/homeward/homeward/cell"
	"github.com/homeward/homeward/credential"
)

// seed adds the vectors of the given formats.
func seed(f *testing.F, names ...string) map[string]credential.Format {
	v := loadVectors(f)
	for _, v := range v.Vectors {
		for _, name := range names {
			if v.Format == name {
				f.Add(v.Credential)
			}
		}
	}
	f.Add("")
	return formats(v)
}

func FuzzPattern(f *testing.F) {
	formats := seed(f, "private-app", "refresh", "api-key", "session")
	f.Fuzz(func(t *testing.T, text string) {
		for _, name := range []string{"private-app", "refresh", "session", "api-key-legacy"} {
			c := formats[name].Read(text)
			checkClaim(t, c)
			if prefix := formats[name].Prefix(); prefix != "" && strings.HasPrefix(text, prefix) != (c.Verdict != credential.Unclaimed) {
				t.Errorf("%s: %v", name, c.Verdict)
			}
			if c.Verdict == credential.Home && !strings.Contains(text, c.Cell.String()) {
				t.Errorf("%s found %v, which is not there", name, c.Cell)
			}
		}
	})
}

func FuzzParsePattern(f *testing.F) {
	for _, s := range []string{"pat-{cell}-{uuid}", "{account}{cell}.{rest}", "{hex:4}{base62:2}", "{cell}{account}", "{", "}{", "{hex:999}"} {
		f.Add(s, "eu1")
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		p, err := credential.ParsePattern(pattern)
		if err != nil {
			return
		}
		checkClaim(t, p.Read(text))
		if !credential.Covers(p, p) {
			t.Errorf("%v does not cover itself", p)
		}
	})
}

func FuzzHomeward(f *testing.F) {
	formats := seed(f, "homeward")
	f.Fuzz(func(t *testing.T, text string) {
		c := formats["homeward"].Read(text)
		checkClaim(t, c)
		if c.Verdict == credential.Home {
			if !strings.HasPrefix(text, "hw_"+c.Cell.String()+"_"+string(c.Account.AppendBase62(nil))+"_") {
				t.Errorf("%q reads as %v %v", text, c.Cell, c.Account)
			}
			neverHome(t, formats["homeward"], text)
		}
	})
}

func FuzzGitLabRoutable(f *testing.F) {
	formats := seed(f, "gitlab-routable")
	f.Fuzz(func(t *testing.T, text string) {
		c := formats["gitlab-routable"].Read(text)
		checkClaim(t, c)
		if c.Verdict == credential.Home {
			neverHome(t, formats["gitlab-routable"], text)
		}
	})
}

// neverHome changes each character of a text with a checksum.
func neverHome(t *testing.T, f credential.Format, text string) {
	for i := range len(text) {
		changed := []byte(text)
		changed[i] ^= 1
		if c := f.Read(string(changed)); c.Verdict == credential.Home {
			t.Errorf("home at %v with character %d changed", c.Cell, i)
		}
	}
}

func FuzzJWT(f *testing.F) {
	v := loadVectors(f)
	for _, v := range v.Vectors {
		if parts := strings.Split(v.Credential, "."); v.Format == "jwt" && len(parts) == 3 {
			header, _ := base64.RawURLEncoding.DecodeString(parts[0])
			payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
			f.Add(string(header), string(payload))
		}
	}
	jwt := must(credential.NewJWT("cell"))
	f.Fuzz(func(t *testing.T, header, payload string) {
		if header == "" || payload == "" {
			return
		}
		encode := base64.RawURLEncoding.EncodeToString
		got := jwt.Read(encode([]byte(header)) + "." + encode([]byte(payload)) + ".AA")
		checkClaim(t, got)
		if want := referenceJWT(header, payload); got.Verdict != want.Verdict || got.Cell != want.Cell {
			if !(got.Reason == credential.TooDeep) {
				t.Errorf("%q.%q reads as %v %v, by encoding/json as %v %v", header, payload, got.Verdict, got.Cell, want.Verdict, want.Cell)
			}
		}
	})
}

// referenceJWT decides with encoding/json what JWT decides byte by byte.
func referenceJWT(header, payload string) credential.Claim {
	head, ok := topLevel(header, "alg")
	claimed := false
	for _, v := range head {
		_, isString := v.(string)
		claimed = claimed || isString
	}
	if !ok || !claimed {
		return credential.Claim{}
	}
	values, ok := topLevel(payload, "cell")
	switch {
	case !ok || len(values) > 1:
		return credential.Claim{Verdict: credential.Malformed}
	case len(values) == 0:
		return credential.Claim{Verdict: credential.Legacy}
	}
	text, _ := values[0].(string)
	name, err := cell.ParseName(text)
	if err != nil {
		return credential.Claim{Verdict: credential.Malformed}
	}
	return credential.Claim{Verdict: credential.Home, Cell: name}
}

// topLevel lists the values of a key, repeated ones too.
func topLevel(text, key string) (values []any, ok bool) {
	if !json.Valid([]byte(text)) || !strings.HasPrefix(strings.TrimLeft(text, " \t\r\n"), "{") {
		return nil, false
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if _, err := d.Token(); err != nil {
		return nil, false
	}
	for d.More() {
		name, err := d.Token()
		var v any
		if err != nil || d.Decode(&v) != nil {
			return nil, false
		}
		if name == key {
			values = append(values, v)
		}
	}
	return values, true
}

func FuzzProtobuf(f *testing.F) {
	formats := seed(f, "oauth-access")
	f.Fuzz(func(t *testing.T, text string) {
		got := formats["oauth-access"].Read(text)
		checkClaim(t, got)
		if want := referenceProtobuf(text); got.Verdict != want.Verdict || got.Cell != want.Cell {
			t.Errorf("%q reads as %v %v, by the reference as %v %v", text, got.Verdict, got.Cell, want.Verdict, want.Cell)
		}
	})
}

// referenceProtobuf decodes first and then cuts slices, field 9 being the cell.
func referenceProtobuf(text string) credential.Claim {
	encoding := base64.RawURLEncoding.Strict()
	if strings.HasSuffix(text, "=") {
		encoding = base64.URLEncoding.Strict()
	}
	b, err := encoding.DecodeString(text)
	if err != nil || len(b) == 0 || strings.ContainsAny(text, "\r\n") {
		return credential.Claim{}
	}
	var cells [][]byte
	for len(b) > 0 {
		tag, n := binary.Uvarint(b)
		if n <= 0 || tag>>3 == 0 || tag>>3 >= 1<<29 {
			return credential.Claim{}
		}
		b = b[n:]
		size, fixed := 0, map[uint64]int{1: 8, 5: 4}
		switch tag & 7 {
		case 0, 2:
			v, n := binary.Uvarint(b)
			if n <= 0 || tag&7 == 2 && v > uint64(len(b)-n) {
				return credential.Claim{}
			}
			b = b[n:]
			if tag&7 == 2 {
				size = int(v)
			}
		case 1, 5:
			size = fixed[tag&7]
		default:
			return credential.Claim{}
		}
		if size > len(b) || tag>>3 == 9 && tag&7 != 2 {
			return credential.Claim{}
		}
		if tag>>3 == 9 {
			cells = append(cells, bytes.Clone(b[:size]))
		}
		b = b[size:]
	}
	if len(cells) == 0 {
		return credential.Claim{Verdict: credential.Legacy}
	}
	name, err := cell.ParseName(cells[0])
	if err != nil || len(cells) > 1 {
		return credential.Claim{Verdict: credential.Malformed}
	}
	return credential.Claim{Verdict: credential.Home, Cell: name}
}
