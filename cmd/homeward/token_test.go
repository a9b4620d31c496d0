package main

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMintSignsWithPEM makes its key itself, so that no private key has to
// lie in the repository.
func TestMintSignsWithPEM(t *testing.T) {
	public, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, notes strings.Builder
	root := newRoot()
	root.SetArgs([]string{"token", "mint", "--format", "jwt", "--cell", "eu1", "--key-file", file})
	root.SetOut(&out)
	root.SetErr(&notes)
	if code := run(t.Context(), root); code != 0 || notes.Len() > 0 {
		t.Fatalf("status %d, %s", code, notes.String())
	}
	token := strings.TrimSuffix(out.String(), "\n")
	dot := strings.LastIndexByte(token, '.')
	signature, err := base64.RawURLEncoding.DecodeString(token[dot+1:])
	if err != nil || !ed25519.Verify(public, []byte(token[:dot]), signature) {
		t.Errorf("the signature does not verify: %v", err)
	}
}
