package credential

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxClaim bounds the name of a claim, in bytes.
const maxClaim = 256

// ErrClaim says that a text cannot be the name of a claim.
var ErrClaim = errors.New("not the name of a claim: 1 to 256 bytes of UTF-8")

// JWT reads JSON Web Tokens in their compact form (RFC 7519, RFC 7515 section
// 3.1) that name their cell in a claim at the top level. They are decoded and
// never verified: whoever signed them, and whether they have expired, is for
// the cell to judge.
type JWT struct{ claim string }

var _ Format = (*JWT)(nil)

// NewJWT makes the format with the name of the claim that holds the cell. The
// error wraps ErrClaim.
func NewJWT(claim string) (*JWT, error) {
	// U+FFFD is what broken UTF-8 decodes to, so it must not be looked for.
	if claim == "" || len(claim) > maxClaim || !utf8.ValidString(claim) || strings.ContainsRune(claim, utf8.RuneError) {
		return nil, ErrClaim
	}
	return &JWT{claim}, nil
}

// Read claims three parts of base64url of which the first is a JSON object with
// a string alg.
func (j *JWT) Read(text string) Claim {
	head, rest, _ := strings.Cut(text, ".")
	body, signature, _ := strings.Cut(rest, ".")
	if head == "" || body == "" || signature == "" {
		return Claim{}
	}
	header, ok1 := parseBase64url(head)
	payload, ok2 := parseBase64url(body)
	_, ok3 := parseBase64url(signature)
	if !ok1 || !ok2 || !ok3 {
		return Claim{}
	}
	if alg, _ := scanJSON(header, "alg"); alg.strings == 0 {
		return Claim{}
	}
	f, why := scanJSON(payload, j.claim)
	switch {
	case why != 0:
		return malformed(why)
	case f.count == 0:
		return legacy()
	case f.count > 1:
		return malformed(RepeatedCell)
	}
	name, ok := f.value.cell()
	if f.strings == 0 || !ok {
		return malformed(BadCell)
	}
	return Claim{Verdict: Home, Cell: name}
}

// Prefix is "": the token is claimed by its three parts.
func (j *JWT) Prefix() string { return "" }

// String describes the format: jwt claim "cell".
func (j *JWT) String() string { return fmt.Sprint("jwt claim ", strconv.Quote(j.claim)) }
