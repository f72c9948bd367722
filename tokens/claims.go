package tokens

import (
	"encoding/hex"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// maxTime is the last second of the year 9999, after which dates no longer fit
// into the formats that other systems print them in.
const maxTime int64 = 253402300799

// claims are what a token of ours says. golang-jwt writes them, as JSON, and
// judges them, as [jwt.Claims]; decode reads them. Times are whole seconds, not
// jwt.NumericDate, and aud is a string, not jwt.ClaimStrings: how those are
// written depends on global variables of golang-jwt.
type claims struct {
	Issuer    string `json:"iss"`
	Audience  string `json:"aud"`
	SID       string `json:"sid"`
	IssuedAt  int64  `json:"iat"`
	NotBefore int64  `json:"nbf,omitempty"`
	ExpiresAt int64  `json:"exp"`

	id [16]byte // what decode read in SID
}

var _ jwt.Claims = (*claims)(nil)

func (c *claims) GetIssuer() (string, error)                   { return c.Issuer, nil }
func (c *claims) GetSubject() (string, error)                  { return "", nil }
func (c *claims) GetAudience() (jwt.ClaimStrings, error)       { return jwt.ClaimStrings{c.Audience}, nil }
func (c *claims) GetIssuedAt() (*jwt.NumericDate, error)       { return numericDate(c.IssuedAt), nil }
func (c *claims) GetNotBefore() (*jwt.NumericDate, error)      { return numericDate(c.NotBefore), nil }
func (c *claims) GetExpirationTime() (*jwt.NumericDate, error) { return numericDate(c.ExpiresAt), nil }

func numericDate(seconds int64) *jwt.NumericDate {
	if seconds == 0 {
		return nil
	}
	return &jwt.NumericDate{Time: time.Unix(seconds, 0)}
}

// decode reads the claims of a token whose signature was found good. It takes
// much less than JSON allows, so that no two parsers can read the same bytes
// differently: one object of known members, each once, without white space,
// escapes or anything beyond printable ASCII, and times as plain integers.
func (c *claims) decode(s string) error {
	s, ok := strings.CutPrefix(s, "{")
	for ok {
		if s, ok = c.decodeMember(s); !ok {
			break
		}
		if s == "}" {
			return c.check()
		}
		s, ok = strings.CutPrefix(s, ",")
	}
	return errShape
}

func (c *claims) decodeMember(s string) (rest string, ok bool) {
	var name string
	if name, s, ok = cutString(s); !ok {
		return "", false
	}
	if s, ok = strings.CutPrefix(s, ":"); !ok {
		return "", false
	}
	switch name {
	case "iss":
		return setString(&c.Issuer, s)
	case "aud":
		return setString(&c.Audience, s)
	case "sid":
		return setString(&c.SID, s)
	case "iat":
		return setTime(&c.IssuedAt, s)
	case "nbf":
		return setTime(&c.NotBefore, s)
	case "exp":
		return setTime(&c.ExpiresAt, s)
	}
	return "", false
}

// setString sets a claim that is not yet set, to what is not empty.
func setString(claim *string, s string) (rest string, ok bool) {
	if *claim != "" {
		return "", false
	}
	*claim, rest, ok = cutString(s)
	return rest, ok && *claim != ""
}

func cutString(s string) (value, rest string, ok bool) {
	if s, ok = strings.CutPrefix(s, `"`); !ok {
		return "", "", false
	}
	value, rest, ok = strings.Cut(s, `"`)
	return value, rest, ok && all(value, isPlain)
}

// setTime sets a claim that is not yet set, to a positive integer. What makes a
// number of another kind of it (a fraction, an exponent) is left to the caller,
// who finds neither a comma nor a brace there.
func setTime(claim *int64, s string) (rest string, ok bool) {
	if *claim != 0 {
		return "", false
	}
	for s != "" && '0' <= s[0] && s[0] <= '9' {
		*claim = *claim*10 + int64(s[0]-'0')
		s = s[1:]
		if *claim == 0 || *claim > maxTime { // a leading zero, or too far off to matter
			return "", false
		}
	}
	return s, *claim != 0
}

// check reports what is missing or contradicts itself, and reads the ID.
func (c *claims) check() error {
	if c.Issuer == "" || c.Audience == "" || c.SID == "" || c.IssuedAt == 0 || c.ExpiresAt == 0 {
		return errShape
	}
	if c.ExpiresAt <= c.IssuedAt {
		return errLifetime
	}
	var ok bool
	if c.id, ok = parseID(c.SID); !ok {
		return errSID
	}
	return nil
}

// formatID returns the canonical text of a UUID (RFC 9562 section 4).
func formatID(id [16]byte) string {
	var b [36]byte
	hex.Encode(b[0:8], id[0:4])
	hex.Encode(b[9:13], id[4:6])
	hex.Encode(b[14:18], id[6:8])
	hex.Encode(b[19:23], id[8:10])
	hex.Encode(b[24:36], id[10:16])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}

// parseID reads what formatID writes for a session ID, and nothing else.
func parseID(s string) (id [16]byte, ok bool) {
	if len(s) != 36 {
		return id, false
	}
	digits := s[:8] + s[9:13] + s[14:18] + s[19:23] + s[24:]
	if _, err := hex.Decode(id[:], []byte(digits)); err != nil {
		return id, false
	}
	return id, isRandom(id) && formatID(id) == s
}

// isRandom reports whether id is a version 4 UUID of the variant that RFC 9562
// defines: the only one that tells nothing about when and where it was made.
func isRandom(id [16]byte) bool { return id[6]>>4 == 4 && id[8]>>6 == 2 }
