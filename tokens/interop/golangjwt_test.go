package interop_test

import (
	"errors"

	"github.com/golang-jwt/jwt/v5"
)

// verifyByGolangJWT returns the session ID in a token. The secrets are those of all keys in use, by the keys' IDs.
func verifyByGolangJWT(token string, secrets map[string][]byte) (sid string, err error) {
	var claims struct {
		jwt.RegisteredClaims
		SID string `json:"sid"`
	}
	_, err = jwt.ParseWithClaims(token, &claims, func(t *jwt.Token) (any, error) {
		kid, _ := t.Header["kid"].(string)
		secret, ok := secrets[kid]
		if !ok || t.Header["typ"] != "session+jwt" { // not ok: or anybody could sign, with the empty secret
			return nil, errors.New("unknown key, or another kind of token")
		}
		return secret, nil
	}, jwt.WithValidMethods([]string{"HS256"}), jwt.WithStrictDecoding(), jwt.WithExpirationRequired(),
		jwt.WithIssuer("https://shop.example"), jwt.WithAudience("session"))
	if err != nil {
		return "", err
	}
	return claims.SID, nil
}
