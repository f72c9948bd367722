package tokens

import (
	"fmt"
	"time"
)

// NoLeeway is the [Config.Leeway] that asks for none.
const NoLeeway time.Duration = -1

const (
	defaultType   = "session+jwt"
	defaultLeeway = 30 * time.Second
	maxLeeway     = 60 * time.Second
	minTTL        = time.Second // of which exp counts whole ones

	maxTypeBytes = 64
	maxNameBytes = 200 // of an issuer and of an audience

	nameAlphabet = `printable ASCII without ", \, <, > and &`
	typeAlphabet = "letters, digits, '.', '_', '-', '+' and '/'"
)

// A Config says how a [Signer] signs and what it accepts. [NewSigner] copies it.
type Config struct {
	// Issuer is the iss claim of every token, matched exactly. Required: 1 to
	// 200 bytes of printable ASCII without ", \, <, > and &, which JSON
	// libraries escape differently.
	Issuer string

	// Keys are required: the first signs, all verify. Neither an ID nor a
	// secret may appear twice.
	Keys []Key

	// TTL is how long a token lives, if its session lives that long; at least
	// a second. Zero: a token lives until its session's absolute deadline.
	TTL time.Duration

	// Leeway is how far in the future iat and nbf may lie, as clocks differ;
	// at most 60 seconds. It does not apply to exp: an expired token is
	// dead. Zero: 30 seconds. Negative, such as NoLeeway: none.
	Leeway time.Duration

	// Type is the header's typ: it keeps tokens of another kind, under the
	// same key, from passing for a session's (RFC 8725 section 3.11). At most
	// 64 letters, digits and any of ._-+/. Empty: "session+jwt".
	Type string
}

// withDefaults returns c with its zero values filled in.
func (c Config) withDefaults() Config {
	if c.Type == "" {
		c.Type = defaultType
	}
	switch {
	case c.Leeway == 0:
		c.Leeway = defaultLeeway
	case c.Leeway < 0:
		c.Leeway = 0
	}
	return c
}

// mistakes judges all but the keys, which [Signer.SetKeys] judges too.
func (c Config) mistakes() (errs []error) {
	mistake := func(field string, value any, format string, args ...any) {
		errs = append(errs, &ConfigError{Field: "tokens.Config." + field, Value: value, Reason: fmt.Sprintf(format, args...)})
	}
	if c.Issuer == "" {
		mistake("Issuer", nil, "required")
	} else if !isName(c.Issuer) {
		mistake("Issuer", fmt.Sprintf("%.*q", maxNameBytes, c.Issuer), "must be at most %d bytes of %s", maxNameBytes, nameAlphabet)
	}
	if c.TTL != 0 && c.TTL < minTTL {
		mistake("TTL", c.TTL, "must be 0 (as long as the session) or at least %v", minTTL)
	}
	if c.Leeway > maxLeeway {
		mistake("Leeway", c.Leeway, "must be at most %v", maxLeeway)
	}
	if !isType(c.Type) {
		mistake("Type", fmt.Sprintf("%.*q", maxTypeBytes, c.Type), "must be at most %d %s", maxTypeBytes, typeAlphabet)
	}
	return errs
}

// isName tells whether an issuer or audience is written by every JSON library
// in the same way: as itself.
func isName(s string) bool {
	return 0 < len(s) && len(s) <= maxNameBytes && all(s, isPlain)
}

func isPlain(c byte) bool {
	return ' ' <= c && c <= '~' && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&'
}

func isType(s string) bool {
	return 0 < len(s) && len(s) <= maxTypeBytes && all(s, func(c byte) bool {
		return isAlphanumeric(c) || c == '.' || c == '_' || c == '-' || c == '+' || c == '/'
	})
}
