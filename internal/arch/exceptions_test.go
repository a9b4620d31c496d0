package arch_test

import "testing"

// exceptions holds what a rule lets through on purpose, by rule and thing,
// with the reason. It stays short: each line is a debt.
var exceptions = map[string]map[string]string{
	// Go files of 400 to 600 lines that are not tests.
	"long file": {},
	// Variables of packages that are assigned, or that could be.
	"global": {},
	// Interfaces with more than five methods.
	"large interface": {},
}

// asked holds the exceptions that a rule came to need.
var asked = map[string]bool{}

// excepted reports whether a rule lets a thing through, which without the
// exception would break it.
func excepted(rule, thing string) bool {
	asked[rule+" "+thing] = true
	return exceptions[rule][thing] != ""
}

func TestExceptionsAreNeeded(t *testing.T) {
	clear(asked)
	for _, r := range rules() {
		for _, p := range packages(t) {
			r.check(p)
		}
	}
	for rule, things := range exceptions {
		for thing, reason := range things {
			if !asked[rule+" "+thing] {
				t.Errorf("%s: %s no longer needs its exception (%s)", rule, thing, reason)
			}
		}
	}
}

// makers are functions of other packages whose result nobody can change, so
// that a variable of a package may hold it. Functions of the package itself
// may build tables; theirs are judged by their type.
var makers = map[string]bool{
	"errors.New":                true,
	"fmt.Errorf":                true,
	"regexp.MustCompile":        true,
	"strings.NewReplacer":       true,
	"net/netip.MustParseAddr":   true,
	"net/netip.MustParsePrefix": true,
	"hash/crc32.MakeTable":      true, // a pointer, to a table that its users only read
	"html/template.Must":        true, // executed, never added to
	"text/template.Must":        true,
	"github.com/prometheus/client_golang/prometheus.NewDesc": true, // a pointer, to a description without a setter
	"time.Duration":                           true, // a conversion
	module + "/cell.MustName":                 true,
	"encoding/base64.RawURLEncoding.Strict":   true, // an Encoding by value
	"encoding/base64.StdEncoding.WithPadding": true,
}
