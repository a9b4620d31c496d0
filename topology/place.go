package topology

import (
	"errors"
	"fmt"
	"strings"
)

// PlaceKind is a kind of place in a request where a credential may stand.
type PlaceKind uint8

// The kinds of places. All but Cookie are explicit: the client put the
// credential there on purpose. A cookie is ambient and counts only alone.
const (
	Bearer        PlaceKind = iota + 1 // Authorization: Bearer (RFC 6750)
	BasicUsername                      // Authorization: Basic, before the colon (RFC 7617)
	BasicPassword                      // Authorization: Basic, after the colon
	HeaderPlace                        // a header field of its own
	CookiePlace                        // a cookie
	QueryPlace                         // a parameter of the query
	PathPlace                          // a segment of the path
	FormPlace                          // a field of a urlencoded body
	JSONPlace                          // a top-level field of a JSON body
)

var placeWords = [...]string{
	Bearer: "bearer", BasicUsername: "basic-username", BasicPassword: "basic-password",
	HeaderPlace: "header", CookiePlace: "cookie", QueryPlace: "query",
	PathPlace: "path", FormPlace: "form", JSONPlace: "json",
}

// String is the word that the topology file uses for the kind.
func (k PlaceKind) String() string {
	if int(k) < len(placeWords) && k != 0 {
		return placeWords[k]
	}
	return "no place"
}

// CredentialSegment is what a path place writes for the credential.
const CredentialSegment = "{credential}"

// Place is one place in a request where a credential may stand. Places are
// comparable; header names are held in small letters.
type Place struct {
	Kind PlaceKind
	Name string // header, cookie, parameter or field name, or the path template; "" for the Authorization kinds
}

// ErrPlace says that a text is not a place.
var ErrPlace = errors.New("not a place: bearer, basic-username, basic-password, header NAME, cookie NAME, query NAME, path /a/{credential}, form FIELD or json FIELD")

// ParsePlace reads a place as the topology file writes it: a kind, and for all
// but the Authorization kinds one space and a name. The error wraps ErrPlace.
func ParsePlace(s string) (Place, error) {
	word, name, named := strings.Cut(s, " ")
	for k := Bearer; k <= JSONPlace; k++ {
		if placeWords[k] != word {
			continue
		}
		if k <= BasicPassword {
			if named {
				return Place{}, fmt.Errorf("%q: %s takes no name: %w", s, word, ErrPlace)
			}
			return Place{Kind: k}, nil
		}
		return namedPlace(k, name)
	}
	return Place{}, fmt.Errorf("%q: %w", s, ErrPlace)
}

func namedPlace(k PlaceKind, name string) (Place, error) {
	switch {
	case name == "" || strings.ContainsAny(name, " \t\r\n"):
		return Place{}, fmt.Errorf("%q: a %s place needs one name: %w", k.String()+" "+name, k, ErrPlace)
	case (k == HeaderPlace || k == CookiePlace) && !isToken(name):
		return Place{}, fmt.Errorf("%q is not a %s name: %w", name, k, ErrPlace)
	case k == HeaderPlace && strings.EqualFold(name, "Authorization"):
		return Place{}, fmt.Errorf("header Authorization is read as bearer, basic-username or basic-password: %w", ErrPlace)
	case k == HeaderPlace && strings.EqualFold(name, "Cookie"):
		return Place{}, fmt.Errorf("header Cookie is read as cookie NAME: %w", ErrPlace)
	case k == PathPlace && !pathTemplate(name):
		return Place{}, fmt.Errorf("%q: a path place starts with / and has one segment %s: %w", name, CredentialSegment, ErrPlace)
	}
	if k == HeaderPlace {
		name = strings.ToLower(name)
	}
	return Place{Kind: k, Name: name}, nil
}

// pathTemplate reports whether s is a path with exactly one credential segment.
func pathTemplate(s string) bool {
	if s[0] != '/' || strings.Contains(s, "//") || strings.ContainsAny(s, "?#*%") {
		return false
	}
	found := 0
	for seg := range strings.SplitSeq(s[1:], "/") {
		switch {
		case seg == CredentialSegment:
			found++
		case seg == "." || seg == ".." || strings.ContainsAny(seg, "{}"):
			return false
		}
	}
	return found == 1
}

// isToken reports whether s is a token of RFC 9110 section 5.6.2.
func isToken(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return s != ""
}

// Explicit reports whether the client put the credential there on purpose.
func (p Place) Explicit() bool { return p.Kind != CookiePlace }

// String is the place as the topology file writes it.
func (p Place) String() string {
	if p.Name == "" {
		return p.Kind.String()
	}
	return p.Kind.String() + " " + p.Name
}
