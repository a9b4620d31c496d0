package credential

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"

	"github.com/homeward/homeward/cell"
)

// Errors of minting JSON Web Tokens.
var (
	ErrClaims     = errors.New("the claims cannot be written")
	ErrSigningKey = errors.New("not a signing key")
)

// Signer signs the text of a JSON Web Token.
type Signer struct {
	Alg  string                             // as registered for JWS, RFC 7518 section 3.1
	Sign func(input []byte) ([]byte, error) // must not keep input
}

// HS256 signs with HMAC and SHA-256. The secret has at least 32 bytes (RFC 7518
// section 3.2), else the error wraps ErrSigningKey. It is not copied.
func HS256(secret []byte) (Signer, error) {
	if len(secret) < sha256.Size {
		return Signer{}, fmt.Errorf("HS256 needs a secret of at least %d bytes, not %d: %w", sha256.Size, len(secret), ErrSigningKey)
	}
	return Signer{Alg: "HS256", Sign: func(input []byte) ([]byte, error) {
		mac := hmac.New(sha256.New, secret)
		mac.Write(input)
		return mac.Sum(nil), nil
	}}, nil
}

// EdDSA signs with Ed25519 (RFC 8037). For a key of another length the error
// wraps ErrSigningKey. The key is not copied.
func EdDSA(key ed25519.PrivateKey) (Signer, error) {
	if len(key) != ed25519.PrivateKeySize {
		return Signer{}, fmt.Errorf("an Ed25519 private key has %d bytes, not %d: %w", ed25519.PrivateKeySize, len(key), ErrSigningKey)
	}
	return Signer{Alg: "EdDSA", Sign: func(input []byte) ([]byte, error) {
		return ed25519.Sign(key, input), nil
	}}, nil
}

// Mint makes a new token with the given claims, the cell, and unless they have
// one a random jti (RFC 7519 section 4.1.7). Claims are written as encoding/json
// writes them and must leave the cell's claim out. A nil random means
// crypto/rand; anything else is for tests. The error wraps ErrNeedsCell,
// ErrClaims, ErrSigningKey or what the signer returned, or says that random
// failed.
func (j *JWT) Mint(random io.Reader, c cell.Name, claims map[string]any, s Signer) (string, error) {
	token, err := j.mint(newSource(random), c, claims, s)
	if err != nil {
		return "", fmt.Errorf("mint a JSON Web Token: %w", err)
	}
	return token, nil
}

func (j *JWT) mint(src *source, c cell.Name, claims map[string]any, s Signer) (string, error) {
	_, taken := claims[j.claim]
	switch {
	case c.IsZero():
		return "", ErrNeedsCell
	case taken:
		return "", fmt.Errorf("claim %q is the cell's own: %w", j.claim, ErrClaims)
	case s.Alg == "" || s.Sign == nil:
		return "", fmt.Errorf("the signer is not set: %w", ErrSigningKey)
	}
	all := map[string]any{}
	maps.Copy(all, claims)
	all[j.claim] = c.String()
	if _, has := all["jti"]; !has {
		id, err := src.appendBase62(nil, 22) // 130 bits
		if err != nil {
			return "", err
		}
		all["jti"] = string(id)
	}
	header, err := json.Marshal(map[string]string{"alg": s.Alg, "typ": "JWT"})
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrClaims, err)
	}
	payload, err := json.Marshal(all)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrClaims, err)
	}
	token := base64.RawURLEncoding.AppendEncode(nil, header)
	token = base64.RawURLEncoding.AppendEncode(append(token, '.'), payload)
	signature, err := s.Sign(token)
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	token = base64.RawURLEncoding.AppendEncode(append(token, '.'), signature)
	if got := j.Read(string(token)); got.Verdict != Home {
		return "", fmt.Errorf("read back it is %v: %v: %w", got.Verdict, got.Reason, ErrClaims)
	}
	return string(token), nil
}
