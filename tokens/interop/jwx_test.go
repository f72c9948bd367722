package interop_test

import (
	"errors"

	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"
	"github.com/lestrrat-go/jwx/v3/jwt"
)

// verifyByJWX returns the session ID in a token. The keys are all that are in use: jwk.Parse reads a key set.
func verifyByJWX(token []byte, keys jwk.Set) (sid string, err error) {
	parsed, err := jwt.Parse(token, jwt.WithKeySet(keys), jwt.WithRequiredClaim("exp"),
		jwt.WithIssuer("https://shop.example"), jwt.WithAudience("session"))
	if err != nil {
		return "", err
	}
	message, err := jws.Parse(token) // for the header, of which parsed keeps nothing
	if err != nil {
		return "", err
	}
	if typ, _ := message.Signatures()[0].ProtectedHeaders().Type(); typ != "session+jwt" {
		return "", errors.New("another kind of token")
	}
	err = parsed.Get("sid", &sid)
	return sid, err
}
