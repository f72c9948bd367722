package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/coatcheck/coatcheck/tokens"
	"github.com/google/uuid"
)

// forgeries are the ones that the page offers.
var forgeries = []struct{ Kind, Name string }{
	{"key", "signed with another key"},
	{"expired", "expired"},
	{"none", "algorithm “none”"},
	{"changed", "one character changed"},
}

// A forger makes tokens that are not to be accepted, each for a session that
// nobody has. What it signs with the real key has always expired: nothing that
// it hands out is good, however it is changed back.
type forger struct {
	key      tokens.Key
	audience string
}

// forge makes the first kind if it is asked for one that there isn't, and tells
// which it made.
func (f forger) forge(kind string) (token, made string) {
	const longAgo, soon = -24 * time.Hour, time.Hour // whatever leeway a gateway has
	switch kind {
	case "expired":
		return f.sign("HS256", longAgo, f.key.Reveal()), kind
	case "none":
		token = f.sign("none", soon, nil)
		return token[:len(token)-base64.RawURLEncoding.EncodedLen(sha256.Size)], kind
	case "changed":
		token = f.sign("HS256", longAgo, f.key.Reveal())
		return change(token, len(token)-sha256.Size), kind // somewhere in the signature
	default:
		return f.sign("HS256", soon, tokens.GenerateKey().Reveal()), forgeries[0].Kind
	}
}

// change replaces one character by another of the same alphabet.
func change(token string, at int) string {
	other := "A"
	if token[at] == 'A' {
		other = "B"
	}
	return token[:at] + other + token[at+1:]
}

func (f forger) sign(alg string, expires time.Duration, secret []byte) string {
	now := time.Now()
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode(fmt.Appendf(nil, `{"alg":%q,"kid":%q,"typ":"session+jwt"}`, alg, f.key.ID())) + "." +
		encode(fmt.Appendf(nil, `{"iss":%q,"aud":%q,"sid":%q,"iat":%d,"exp":%d}`,
			issuer, f.audience, uuid.NewString(), now.Add(expires-2*time.Hour).Unix(), now.Add(expires).Unix()))
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(signed))
	return signed + "." + encode(mac.Sum(nil))
}
