package tokens_test

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"github.com/coatcheck/coatcheck/tokens"
)

func withAlg(alg string) func(*arena) string {
	return withHeader(strings.Replace(header("k1"), `"HS256"`, alg, 1))
}

func withTyp(typ string) func(*arena) string {
	return withHeader(strings.Replace(header("k1"), `"session+jwt"`, typ, 1))
}

func withKid(kid string) func(*arena) string {
	return withHeader(strings.Replace(header("k1"), `"k1"`, kid, 1))
}

var headerAttacks = []attack{
	{"J1 alg none, no signature", tokens.ErrMalformed, func(*arena) string {
		return b64(`{"alg":"none","kid":"k1","typ":"session+jwt"}`) + "." + b64(payload()) + "."
	}},
	{"J1 alg none, good signature", tokens.ErrMalformed, withAlg(`"none"`)},
	{"J1 alg None", tokens.ErrMalformed, withAlg(`"None"`)},
	{"J1 alg nOnE", tokens.ErrMalformed, withAlg(`"nOnE"`)},
	{"J1 alg NONE", tokens.ErrMalformed, withAlg(`"NONE"`)},
	{"J1 alg hs256", tokens.ErrMalformed, withAlg(`"hs256"`)},
	{"J1 alg HS256 and a space", tokens.ErrMalformed, withAlg(`"HS256 "`)},
	{"J1 alg escaped", tokens.ErrMalformed, withAlg(`"\u0048S256"`)},
	{"J1 alg null", tokens.ErrMalformed, withAlg(`null`)},
	{"J1 alg array", tokens.ErrMalformed, withAlg(`["HS256"]`)},
	{"J1 alg empty", tokens.ErrMalformed, withAlg(`""`)},
	{"J1 alg missing", tokens.ErrMalformed, withHeader(`{"kid":"k1","typ":"session+jwt"}`)},
	{"J1 alg twice", tokens.ErrMalformed, withHeader(`{"alg":"HS256","alg":"none","kid":"k1","typ":"session+jwt"}`)},
	{"J1 ALG beside alg", tokens.ErrMalformed, withHeader(`{"alg":"HS256","ALG":"none","kid":"k1","typ":"session+jwt"}`)},
	{"J1 HS384 with our key", tokens.ErrMalformed, withMethod(jwt.SigningMethodHS384, secretOf)},
	{"J1 HS512 with our key", tokens.ErrMalformed, withMethod(jwt.SigningMethodHS512, secretOf)},
	{"J1 RS256 with an HMAC", tokens.ErrMalformed, withAlg(`"RS256"`)},
	{"J1 PS256 with an HMAC", tokens.ErrMalformed, withAlg(`"PS256"`)},
	{"J1 ES256, well signed", tokens.ErrMalformed, withMethod(jwt.SigningMethodES256, ecdsaKey)},
	{"J1 EdDSA, well signed", tokens.ErrMalformed, withMethod(jwt.SigningMethodEdDSA, ed25519Key)},
	{"J1 HMAC-SHA384 under an HS256 header", tokens.ErrSignature, func(a *arena) string {
		return forgeRaw(sha512.New384, a.first.Reveal(), good())
	}},
	{"J1 HMAC-SHA512 under an HS256 header", tokens.ErrSignature, func(a *arena) string {
		return forgeRaw(sha512.New, a.first.Reveal(), good())
	}},

	{"J9 typ JWT", tokens.ErrMalformed, withTyp(`"JWT"`)},
	{"J9 typ of an access token", tokens.ErrMalformed, withTyp(`"at+jwt"`)},
	{"J9 typ in another case", tokens.ErrMalformed, withTyp(`"Session+JWT"`)},
	{"J9 typ with its prefix", tokens.ErrMalformed, withTyp(`"application/session+jwt"`)},
	{"J9 typ null", tokens.ErrMalformed, withTyp(`null`)},
	{"J9 typ missing", tokens.ErrMalformed, withHeader(`{"alg":"HS256","kid":"k1"}`)},
	{"J9 typ twice", tokens.ErrMalformed, withHeader(`{"alg":"HS256","kid":"k1","typ":"JWT","typ":"session+jwt"}`)},
	{"J9 cty of a nested token", tokens.ErrMalformed, withHeader(headerWith(`"cty":"JWT"`))},

	{"J10 crit exp", tokens.ErrMalformed, withHeader(headerWith(`"crit":["exp"]`))},
	{"J10 crit empty", tokens.ErrMalformed, withHeader(headerWith(`"crit":[]`))},
	{"J10 crit after the rest", tokens.ErrMalformed, withHeader(`{"alg":"HS256","kid":"k1","typ":"session+jwt","crit":["x"]}`)},
	{"J10 crit b64, payload not encoded", tokens.ErrMalformed, func(a *arena) string {
		return forgeRaw(sha256.New, a.first.Reveal(), b64(headerWith(`"b64":false,"crit":["b64"]`))+"."+payload("iss", `"x"`))
	}},
	{"J10 b64 without crit", tokens.ErrMalformed, withHeader(headerWith(`"b64":false`))},
	{"J10 zip", tokens.ErrMalformed, withHeader(headerWith(`"zip":"DEF"`))},

	{"J11 kid unknown, well signed by that key", tokens.ErrUnknownKey, func(a *arena) string {
		return forge(a.stranger.Reveal(), header("k9"), payload())
	}},
	{"J11 kid unknown, signed by ours", tokens.ErrUnknownKey, withKid(`"k9"`)},
	{"J11 kid in another case", tokens.ErrUnknownKey, withKid(`"K1"`)},
	{"J11 kid of our other key", tokens.ErrSignature, withKid(`"k2"`)},
	{"J11 kid empty", tokens.ErrMalformed, withKid(`""`)},
	{"J11 kid missing", tokens.ErrMalformed, withHeader(`{"alg":"HS256","typ":"session+jwt"}`)},
	{"J11 kid number", tokens.ErrMalformed, withKid(`1`)},
	{"J11 kid null", tokens.ErrMalformed, withKid(`null`)},
	{"J11 kid a path, signed with what is there", tokens.ErrMalformed, func(*arena) string {
		return forge(nil, header("../../../dev/null"), payload())
	}},
	{"J11 kid with SQL", tokens.ErrMalformed, withKid(`"x' UNION SELECT 'k"`)},
	{"J11 kid a URL", tokens.ErrMalformed, withKid(`"https://evil.example/k1"`)},
	{"J11 kid with a NUL", tokens.ErrMalformed, withKid(`"k1\u0000"`)},
	{"J11 kid escaped", tokens.ErrMalformed, withKid(`"\u006b1"`)},
	{"J11 kid longer than any", tokens.ErrMalformed, withKid(`"` + strings.Repeat("k", 41) + `"`)},
	{"J11 kid twice", tokens.ErrMalformed, withHeader(`{"alg":"HS256","kid":"k9","kid":"k1","typ":"session+jwt"}`)},
	{"J11 kid and the rest inside kid", tokens.ErrMalformed, withKid(`"k1","typ":"session+jwt","x":"y"`)},
	{"J11 jku", tokens.ErrMalformed, withHeader(headerWith(`"jku":"https://evil.example/jwks.json"`))},
	{"J11 jwk, signed by the embedded key", tokens.ErrMalformed, func(a *arena) string {
		jwk := fmt.Sprintf(`"jwk":{"kty":"oct","k":"%s"}`, base64.RawURLEncoding.EncodeToString(a.stranger.Reveal()))
		return forge(a.stranger.Reveal(), headerWith(jwk), payload())
	}},
	{"J11 x5u", tokens.ErrMalformed, withHeader(headerWith(`"x5u":"https://evil.example/cert.pem"`))},
	{"J11 x5c", tokens.ErrMalformed, withHeader(headerWith(`"x5c":["MIIB"]`))},
	{"J11 x5t#S256", tokens.ErrMalformed, withHeader(headerWith(`"x5t#S256":"AAAA"`))},

	{"J12 header in another order", tokens.ErrMalformed, withHeader(`{"typ":"session+jwt","alg":"HS256","kid":"k1"}`)},
	{"J12 header with a space", tokens.ErrMalformed, withHeader(`{"alg": "HS256","kid":"k1","typ":"session+jwt"}`)},
	{"J12 header with a space before its end", tokens.ErrMalformed, withHeader(`{"alg":"HS256","kid":"k1","typ":"session+jwt" }`)},
	{"J12 header with a byte order mark", tokens.ErrMalformed, withHeader("\ufeff" + header("k1"))},
	{"J12 header with a NUL after it", tokens.ErrMalformed, withHeader(header("k1") + "\x00")},
	{"J12 header an array", tokens.ErrMalformed, withHeader(`[` + header("k1") + `]`)},
	{"J12 header {}", tokens.ErrMalformed, withHeader(`{}`)},
	{"J12 header empty", tokens.ErrMalformed, withHeader(``)},
	{"J12 header one short of its end", tokens.ErrMalformed, withHeader(strings.TrimSuffix(header("k1"), "}"))},
	{"J12 header as long as a kilobyte", tokens.ErrMalformed, withKid(`"` + strings.Repeat("k", 700) + `"`)},
	{"J12 header padded", tokens.ErrMalformed, func(a *arena) string {
		return forgeRaw(sha256.New, a.first.Reveal(), b64(header("k1"))+"="+"."+b64(payload()))
	}},
	{"J12 header with a line feed in it", tokens.ErrMalformed, func(a *arena) string {
		h := b64(header("k1"))
		return forgeRaw(sha256.New, a.first.Reveal(), h[:40]+"\n"+h[40:]+"."+b64(payload()))
	}},
	{"J12 header with CR LF after it", tokens.ErrMalformed, func(a *arena) string {
		return forgeRaw(sha256.New, a.first.Reveal(), b64(header("k1"))+"\r\n."+b64(payload()))
	}},
	{"J12 header with spare bits set", tokens.ErrMalformed, func(a *arena) string {
		h := b64(header("k1"))
		if len(h)%4 == 0 {
			a.t.Fatal("this header has no spare bits")
		}
		return forgeRaw(sha256.New, a.first.Reveal(), spareBits(h)+"."+b64(payload()))
	}},

	{"J14 signed by the removed key", tokens.ErrUnknownKey, func(a *arena) string {
		return forge(a.removed.Reveal(), header("k0"), payload())
	}},
	{"J14 signed by the removed key under the new one's kid", tokens.ErrSignature, func(a *arena) string {
		return forge(a.removed.Reveal(), header("k1"), payload())
	}},
	{"J14 signed by the new key under the removed one's kid", tokens.ErrUnknownKey, withKid(`"k0"`)},
}

// spareBits sets a bit that stands for nothing in a last character.
func spareBits(s string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, s[len(s)-1])
	return s[:len(s)-1] + string(alphabet[last|1])
}
