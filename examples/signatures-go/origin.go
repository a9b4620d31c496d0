package main

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// What a signature must cover here, or the origin refuses it.
var (
	requiredOfSigV4   = []string{"host", "x-amz-date", "private-token", "x-part"}
	requiredOfMessage = []string{"@method", "@authority", "@path", "@query", "@target-uri", "@request-target", "content-digest", "authorization", "x-part"}
)

// verdict is what the origin answers.
type verdict struct {
	Cell    string // that the origin belongs to
	Refused string // why; "" when the signature holds
	Target  string // that arrived
}

// serveOrigin says where it listens and verifies whatever arrives, until the
// process ends.
func serveOrigin(out io.Writer, cell string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(out, "listening %s\n", l.Addr()); err != nil {
		return err
	}
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := verdict{Cell: cell, Target: r.RequestURI}
		if err := judge(r); err != nil {
			v.Refused = err.Error()
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v)
	})}
	return server.Serve(l)
}

func judge(r *http.Request) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	m := arrived(r, body)
	if strings.HasPrefix(r.Header.Get("Authorization"), sigV4) {
		return verifySigV4(m, func(string) string { return awsSecret }, requiredOfSigV4...)
	}
	return verifyMessage(m, "sig", func(id string) (key, bool) {
		for _, k := range keys() {
			if k.id == id {
				return k, true
			}
		}
		return key{}, false
	}, requiredOfMessage...)
}

const awsSecret = "made-up/secret+of+an+example"

// keys are made up, and the same for client and origin.
func keys() []key {
	seed := sha256.Sum256([]byte("made-up key of an example"))
	curve, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), seed[:])
	if err != nil {
		panic(err) // the seed is always the same
	}
	return []key{hmacKey("shared", seed[:]), ed25519Key("edwards", ed25519.NewKeyFromSeed(seed[:])), ecdsaKey("curve", curve)}
}
