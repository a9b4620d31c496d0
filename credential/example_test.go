package credential_test

import (
	"fmt"
	"math/rand/v2"

	"github.com/homeward/homeward/cell"
	"github.com/homeward/homeward/credential"
)

// A backend makes its keys in the Homeward format: pass nil for the random
// source, which then is crypto/rand. The example passes one that repeats.
func ExampleHomeward_Mint() {
	format, err := credential.NewHomeward("acme")
	if err != nil {
		fmt.Println(err)
		return
	}
	repeatable := rand.NewChaCha8([32]byte{})
	key, err := format.Mint(repeatable, cell.MustName("eu1"), 42)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(key)
	// Output: acme_eu1_g_VB2KlsEmQn3YCdDjRVd03bUeiZiAUOsF2JeZot
}

// What a credential says is a claim: it tells where to send a request, and
// whether the credential is valid is for that cell to judge.
func ExampleHomeward_Read() {
	format, err := credential.NewHomeward("hw")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, text := range []string{
		"hw_eu1_19juN56_f1v2cFAedxukuoTucal7UkVcwjphJhtl4DIXQL",
		"hw_eu1_19juN56_f1v2cFAedxukuoTucal7UkVcwjphJhtl4DIXQM",
		"sk_live_51H8",
	} {
		switch claim := format.Read(text); claim.Verdict {
		case credential.Home:
			fmt.Println("account", claim.Account, "in", claim.Cell)
		case credential.Malformed:
			fmt.Println("broken:", claim.Reason)
		case credential.Unclaimed:
			fmt.Println("another format")
		}
	}
	// Output:
	// account 65723801288 in eu1
	// broken: its check characters do not match
	// another format
}

// Formats that exist already are described by a pattern.
func ExampleParsePattern() {
	format, err := credential.ParsePattern("pat-{cell}-{uuid}")
	if err != nil {
		fmt.Println(err)
		return
	}
	claim := format.Read("pat-na2-a930d55d-9545-40f3-ae88-9fe46f2c7a8c")
	fmt.Println(claim.Verdict, claim.Cell)

	_, err = credential.ParsePattern("{cell}{hex:32}")
	fmt.Println(err)
	// Output:
	// home na2
	// pattern "{cell}{hex:32}": {hex:32} after {cell} may start with a digit, so nobody can tell where {cell} ends: put a literal such as - between them: not a pattern: literals and the fields {cell} {account} {uuid} {hex:N} {base62:N} {rest}
}

// Logs and metrics name a credential by its fingerprint.
func ExampleFingerprintKey_Fingerprint() {
	var key credential.FingerprintKey
	fmt.Println(key.Fingerprint("pat-na2-a930d55d-9545-40f3-ae88-9fe46f2c7a8c"))
	// Output: 99d75e2808a3e453
}

// A new rule behind one that covers it would never be reached.
func ExampleCovers() {
	old, err := credential.ParsePattern("{cell}-{rest}")
	if err != nil {
		fmt.Println(err)
		return
	}
	next, err := credential.ParsePattern("{cell}-{uuid}")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(credential.Covers(old, next), credential.Covers(next, old))
	// Output: true false
}
