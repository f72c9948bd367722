package tokens_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/coatcheck/coatcheck/tokens"
)

func TestKinds(t *testing.T) {
	t.Parallel()
	if got := kindsOf(tokens.ErrInvalid); got != nil {
		t.Errorf("ErrInvalid matches %v", got)
	}
	for kind, name := range kinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !errors.Is(kind, tokens.ErrInvalid) {
				t.Error("does not match ErrInvalid")
			}
			if got := kindsOf(kind); len(got) != 1 || got[0] != name {
				t.Errorf("matches %v", got)
			}
			foreign := name == "ErrMalformed" || name == "ErrUnknownKey"
			if errors.Is(kind, errors.ErrUnsupported) != foreign {
				t.Errorf("matches errors.ErrUnsupported: %t", !foreign)
			}
			if !strings.HasPrefix(kind.Error(), tokens.ErrInvalid.Error()) {
				t.Errorf("%q does not begin with %q", kind, tokens.ErrInvalid)
			}
		})
	}
}

// What golang-jwt finds wrong beyond what it is asked for today is never taken
// for a token that has merely expired.
func TestKindOfAnUnknownVerdict(t *testing.T) {
	t.Parallel()
	verdict := errors.New("a rule of the future")
	if err := tokens.KindOf(verdict); !errors.Is(err, tokens.ErrClaims) || !errors.Is(err, verdict) {
		t.Errorf("%v is not ErrClaims, or hides the verdict", err)
	}
	if err := tokens.KindOf(errors.Join(jwt.ErrTokenExpired, jwt.ErrTokenInvalidIssuer)); !errors.Is(err, tokens.ErrClaims) {
		t.Errorf("an expired token of another issuer: %v, want ErrClaims", err)
	}
}
