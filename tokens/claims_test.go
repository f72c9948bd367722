package tokens_test

import (
	"errors"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/coatcheck/coatcheck/tokens"
)

func TestDecodeClaims(t *testing.T) {
	t.Parallel()
	const sid = `"sid":"` + sidText + `"`
	for name, payload := range map[string]string{
		"as we write them":         `{"iss":"i","aud":"a",` + sid + `,"iat":946684800,"exp":946684860}`,
		"in alphabetical order":    `{"aud":"a","exp":946684860,"iat":946684800,"iss":"i",` + sid + `}`,
		"with nbf":                 `{"nbf":946684800,"iss":"i","aud":"a",` + sid + `,"iat":946684800,"exp":946684860}`,
		"from 1970":                `{"iss":"i","aud":"a",` + sid + `,"iat":1,"exp":2}`,
		"to the end of 9999":       `{"iss":"i","aud":"a",` + sid + `,"iat":1,"exp":253402300799}`,
		"with spaces and brackets": `{"iss":"i :{},[]'","aud":"a",` + sid + `,"iat":1,"exp":2}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sameAsEncodingJSON(t, payload)
			if _, _, err := tokens.DecodeClaims(payload); err != nil {
				t.Error(err)
			}
		})
	}
}

// golang-jwt's validator, asked for more than Verify asks it, finds it in our
// claims.
func TestClaimsForGolangJWT(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		claims, _, err := tokens.DecodeClaims(payload("nbf", "946684801"))
		if err != nil {
			t.Fatal(err)
		}
		elapse(time.Second)
		for _, row := range []struct {
			name   string
			option jwt.ParserOption
			want   error
		}{
			{"nothing more", jwt.WithExpirationRequired(), nil},
			{"audience", jwt.WithAudience(audience), nil},
			{"another audience", jwt.WithAudience("admin"), jwt.ErrTokenInvalidAudience},
			{"issuer", jwt.WithIssuer(issuer), nil},
			{"another issuer", jwt.WithIssuer("x"), jwt.ErrTokenInvalidIssuer},
			{"a subject, of which ours have none", jwt.WithSubject("alice"), jwt.ErrTokenRequiredClaimMissing},
			{"nbf", jwt.WithNotBeforeRequired(), nil},
		} {
			if err := jwt.NewValidator(row.option).Validate(claims); !errors.Is(err, row.want) {
				t.Errorf("%s: %v, want %v", row.name, err, row.want)
			}
		}
	})
}
