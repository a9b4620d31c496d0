package main

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
)

// HTTP Message Signatures (RFC 9421) with one signature, labelled sig, and
// Content-Digest (RFC 9530).

// key signs and verifies with one algorithm of RFC 9421 section 3.3.
type key struct {
	id        string
	algorithm string
	sign      func(base []byte) ([]byte, error)
	verify    func(base, signature []byte) bool
}

func hmacKey(id string, secret []byte) key {
	sum := func(base []byte) []byte { return hmacSHA256(secret, string(base)) }
	return key{id, "hmac-sha256",
		func(base []byte) ([]byte, error) { return sum(base), nil },
		func(base, signature []byte) bool { return hmac.Equal(sum(base), signature) }}
}

func ed25519Key(id string, private ed25519.PrivateKey) key {
	return key{id, "ed25519",
		func(base []byte) ([]byte, error) { return ed25519.Sign(private, base), nil },
		func(base, signature []byte) bool {
			return ed25519.Verify(private.Public().(ed25519.PublicKey), base, signature)
		}}
}

func ecdsaKey(id string, private *ecdsa.PrivateKey) key {
	const size = 32
	return key{id, "ecdsa-p256-sha256", func(base []byte) ([]byte, error) {
		sum := sha256.Sum256(base)
		r, s, err := ecdsa.Sign(rand.Reader, private, sum[:])
		if err != nil {
			return nil, err
		}
		out := make([]byte, 2*size)
		r.FillBytes(out[:size])
		s.FillBytes(out[size:])
		return out, nil
	}, func(base, signature []byte) bool {
		sum := sha256.Sum256(base)
		return len(signature) == 2*size && ecdsa.Verify(&private.PublicKey, sum[:],
			new(big.Int).SetBytes(signature[:size]), new(big.Int).SetBytes(signature[size:]))
	}}
}

// signMessage sets Signature-Input and Signature over the components. created
// is in Unix seconds.
func signMessage(m *message, k key, created int64, components ...string) error {
	params := fmt.Sprintf(`("%s");created=%d;keyid="%s";alg="%s"`, strings.Join(components, `" "`), created, k.id, k.algorithm)
	base, err := signatureBase(m, components, params)
	if err != nil {
		return err
	}
	signature, err := k.sign([]byte(base))
	if err != nil {
		return err
	}
	m.header.Set("Signature-Input", "sig="+params)
	m.header.Set("Signature", "sig=:"+base64.StdEncoding.EncodeToString(signature)+":")
	return nil
}

// verifyMessage checks the signature labelled so of a request that arrived. The
// required components must be among those it covers.
func verifyMessage(m *message, label string, keyOf func(id string) (key, bool), required ...string) error {
	params, ok := strings.CutPrefix(m.header.Get("Signature-Input"), label+"=")
	inner, rest, closed := strings.Cut(strings.TrimPrefix(params, "("), ")")
	if !ok || !closed {
		return errors.New("no Signature-Input of this label")
	}
	var components []string
	for quoted := range strings.FieldsSeq(inner) {
		components = append(components, strings.Trim(quoted, `"`))
	}
	for _, name := range required {
		if !slices.Contains(components, name) {
			return fmt.Errorf("%s is not covered", name)
		}
	}
	_, id, _ := strings.Cut(rest, `;keyid="`)
	id, _, _ = strings.Cut(id, `"`)
	k, known := keyOf(id)
	if !known {
		return errors.New("nobody knows this key")
	}
	base, err := signatureBase(m, components, params)
	if err != nil {
		return err
	}
	encoded := strings.TrimSuffix(strings.TrimPrefix(m.header.Get("Signature"), label+"=:"), ":")
	signature, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || !k.verify([]byte(base), signature) {
		return errors.New("the signature is of another request")
	}
	if digest := m.header.Get("Content-Digest"); slices.Contains(components, "content-digest") && digest != contentDigest(m.body) {
		return errors.New("Content-Digest is of another body")
	}
	return nil
}

// signatureBase is what is signed: a line for each component, and the
// parameters (section 2.5).
func signatureBase(m *message, components []string, params string) (string, error) {
	var b strings.Builder
	for _, name := range components {
		value, err := component(m, name)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%q: %s\n", name, value)
	}
	fmt.Fprintf(&b, "%q: %s", "@signature-params", params)
	return b.String(), nil
}

// component is the value of a derived component (section 2.2) or of a field,
// whose lines are joined (section 2.1). Paths and queries are taken as they are.
func component(m *message, name string) (string, error) {
	path, query := m.split()
	authority := strings.ToLower(m.host)
	authority = strings.TrimSuffix(authority, map[string]string{"http": ":80", "https": ":443"}[m.scheme])
	switch name {
	case "@method":
		return m.method, nil
	case "@scheme":
		return m.scheme, nil
	case "@authority":
		return authority, nil
	case "@target-uri":
		return m.scheme + "://" + authority + m.target, nil
	case "@request-target":
		return m.target, nil
	case "@path":
		return path, nil
	case "@query":
		return "?" + query, nil
	}
	values := m.header.Values(name)
	if len(values) == 0 {
		return "", fmt.Errorf("the request has no %s", name)
	}
	trimmed := make([]string, len(values))
	for i, v := range values {
		trimmed[i] = strings.TrimSpace(v)
	}
	return strings.Join(trimmed, ", "), nil
}

func contentDigest(body []byte) string {
	sum := sha256.Sum256(body)
	return "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
}
