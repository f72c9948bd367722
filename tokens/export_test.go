package tokens

import "github.com/golang-jwt/jwt/v5"

// The parts of Verify that a test must get at one by one.

var KindOf = kindOf

// DecodeClaims decodes the claims of a token whose signature was found good.
func DecodeClaims(payload string) (c jwt.Claims, sid string, err error) {
	decoded := new(claims)
	err = decoded.decode(payload)
	return decoded, decoded.SID, err
}

// MACVerifies checks the third part of a token against the first two.
func MACVerifies(k Key, signed, signature string) bool {
	return newMAC(k.secret()).verify(signed, signature)
}

// JudgeExpiry judges claims that are in order but, perhaps, for their exp.
func JudgeExpiry(issuer string, exp int64) error {
	s := &Signer{validator: newValidator(issuer, maxLeeway)}
	return s.judge(&claims{Issuer: issuer, Audience: "a", ExpiresAt: exp}, "a")
}
