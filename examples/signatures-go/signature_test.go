package main

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
)

// testRequest is the request of RFC 9421 section B.2.
func testRequest() *message {
	return &message{method: "POST", scheme: "https", host: "example.com", target: "/foo?param=Value&Pet=dog", header: http.Header{
		"Date":           {"Tue, 20 Apr 2021 02:07:55 GMT"},
		"Content-Type":   {"application/json"},
		"Content-Length": {"18"},
	}, body: []byte(`{"hello": "world"}`)}
}

// bytesOf decodes base64 of the specification.
func bytesOf(t *testing.T, text string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestPublishedVectorsOfMessageSignatures(t *testing.T) {
	// Keys of RFC 9421 sections B.1.4 and B.1.5.
	parsed, err := x509.ParsePKCS8PrivateKey(bytesOf(t, "MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF"))
	if err != nil {
		t.Fatal(err)
	}
	edwards := ed25519Key("test-key-ed25519", parsed.(ed25519.PrivateKey))
	shared := hmacKey("test-shared-secret", bytesOf(t, "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ=="))
	for _, tc := range []struct {
		name, label, params, signature string
		key                            key
	}{
		{"B.2.5 HMAC-SHA256", "sig-b25", `("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"`,
			"pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=", shared},
		{"B.2.6 Ed25519", "sig-b26", `("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"`,
			"wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==", edwards},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := testRequest()
			m.header.Set("Signature-Input", tc.label+"="+tc.params)
			m.header.Set("Signature", tc.label+"=:"+tc.signature+":")
			keyOf := func(id string) (key, bool) { return tc.key, id == tc.key.id }
			if err := verifyMessage(m, tc.label, keyOf); err != nil {
				t.Error(err)
			}
			var components []string
			for quoted := range strings.FieldsSeq(tc.params[1:strings.Index(tc.params, ")")]) {
				components = append(components, strings.Trim(quoted, `"`))
			}
			base, err := signatureBase(m, components, tc.params)
			if err != nil {
				t.Fatal(err)
			}
			got, err := tc.key.sign([]byte(base)) // both algorithms are deterministic
			if err != nil || base64.StdEncoding.EncodeToString(got) != tc.signature {
				t.Errorf("signed %x, %v, over:\n%s", got, err, base)
			}
			m.header.Set("Date", "Tue, 20 Apr 2021 02:07:56 GMT")
			if verifyMessage(m, tc.label, keyOf) == nil {
				t.Error("another date verifies")
			}
		})
	}
}

// The components that appendix B.2 does not verify with these keys, as section
// 2.2 gives them for its own examples.
func TestComponents(t *testing.T) {
	m := &message{method: "POST", scheme: "https", host: "www.Example.com:443", target: "/path?param=value&foo=bar&baz=batman",
		header: http.Header{"X-Obs": {" one ", "two"}}}
	for name, want := range map[string]string{
		"@method": "POST", "@scheme": "https", "@authority": "www.example.com", "@path": "/path",
		"@query": "?param=value&foo=bar&baz=batman", "@request-target": "/path?param=value&foo=bar&baz=batman",
		"@target-uri": "https://www.example.com/path?param=value&foo=bar&baz=batman", "x-obs": "one, two",
	} {
		if got, err := component(m, name); err != nil || got != want {
			t.Errorf("%s is %q, %v", name, got, err)
		}
	}
	if _, err := component(m, "x-absent"); err == nil {
		t.Error("a field that is not there has a value")
	}
	if got := contentDigest([]byte(`{"hello": "world"}`)); got != "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:" { // RFC 9530 appendix D
		t.Errorf("the digest is %s", got)
	}
}
