package topology

import (
	"errors"
	"fmt"
	"strings"

	"github.com/homeward/homeward/credential"
)

// ErrFormat says that a credential rule does not have exactly one format.
var ErrFormat = errors.New("a rule has exactly one of pattern, homeward, gitlab_routable, jwt and protobuf")

// Format compiles the format of the rule. The error wraps ErrFormat or the
// error of the format.
func (r *CredentialRule) Format() (credential.Format, error) {
	keys := r.formatKeys()
	switch {
	case len(keys) != 1 && len(keys) != 0:
		return nil, fmt.Errorf("%s: %w", strings.Join(keys, " and "), ErrFormat)
	case r.Homeward != nil:
		return compiled(credential.NewHomeward(r.Homeward.Prefix))
	case r.GitLabRoutable != nil:
		return compiled(credential.NewGitLabRoutable(r.GitLabRoutable.Cells))
	case r.JWT != nil:
		return compiled(credential.NewJWT(r.JWT.Claim))
	case r.Protobuf != nil:
		return compiled(credential.NewProtobuf(r.Protobuf.Field))
	case r.Pattern != "":
		return compiled(credential.ParsePattern(r.Pattern))
	}
	return nil, ErrFormat
}

// compiled keeps a nil pointer from becoming a Format that is not nil.
func compiled[F credential.Format](f F, err error) (credential.Format, error) {
	if err != nil {
		return nil, err
	}
	return f, nil
}

// formatKeys lists the format keys that the rule has.
func (r *CredentialRule) formatKeys() []string {
	var keys []string
	for _, f := range []struct {
		key string
		set bool
	}{
		{"pattern", r.Pattern != ""},
		{"homeward", r.Homeward != nil},
		{"gitlab_routable", r.GitLabRoutable != nil},
		{"jwt", r.JWT != nil},
		{"protobuf", r.Protobuf != nil},
	} {
		if f.set {
			keys = append(keys, f.key)
		}
	}
	return keys
}
