package tokens

import (
	"errors"
	"fmt"
)

// ErrInvalid is matched, by [errors.Is], by every error that says that a token
// is not to be accepted. A client should not be told more than that; which of
// the errors below it was is for events and logs. An error that does not match
// it is the caller's or the configuration's fault, not the token's.
var ErrInvalid = errors.New("tokens: invalid token")

// Kinds of invalid tokens. Each matches [ErrInvalid].
//
// The first two also match [errors.ErrUnsupported]: by its header such a token
// is not one of this signer's, and may be another verifier's. Once the header's
// bytes are this signer's, no error matches [errors.ErrUnsupported] any more,
// whatever follows the header.
var (
	// ErrMalformed: it does not begin with the header of a token of ours. It
	// may be another issuer's, another kind of token, or no token at all.
	ErrMalformed error = &kind{text: "tokens: invalid token: not in this signer's form", foreign: true}

	// ErrUnknownKey: it has our header, but for a key that is not, or no
	// longer, among the signer's.
	ErrUnknownKey error = &kind{text: "tokens: invalid token: unknown key", foreign: true}

	// ErrSignature: it begins with the header of one of our keys, and that
	// key did not sign what follows: forged, changed, cut short, or with
	// something after it.
	ErrSignature error = &kind{text: "tokens: invalid token: bad signature"}

	// ErrNotYetValid: correctly signed, with nbf or iat in the future.
	ErrNotYetValid error = &kind{text: "tokens: invalid token: not yet valid"}

	// ErrClaims: correctly signed, but its claims are not those of a token of
	// ours, or are for another issuer or another manager.
	ErrClaims error = &kind{text: "tokens: invalid token: claims not accepted"}

	// ErrExpired: correctly signed, all else in order, and past its exp.
	ErrExpired error = &kind{text: "tokens: invalid token: expired"}
)

// What is wrong with claims that are correctly signed. None repeats the claim.
var (
	errShape    = fmt.Errorf("%w: want a compact JSON object of iss, aud, sid, iat and exp, optionally nbf, each once: plain strings, and times in whole seconds", ErrClaims)
	errSID      = fmt.Errorf("%w: sid is not a version 4 UUID in lower case", ErrClaims)
	errLifetime = fmt.Errorf("%w: exp is not after iat", ErrClaims)
	errIssuer   = fmt.Errorf("%w: iss is another issuer", ErrClaims)
	errAudience = fmt.Errorf("%w: aud is another manager", ErrClaims)
)

// Misuse. These do not match ErrInvalid: no client's token is to blame, and
// answering 401 would hide the mistake.
var (
	errNoSigner    = errors.New("tokens: the Signer was not made by NewSigner")
	errNoExternal  = errors.New("tokens: the External was not made by NewExternal")
	errBadAudience = fmt.Errorf("tokens: the audience must be 1 to %d bytes of %s", maxNameBytes, nameAlphabet)
	errBadID       = errors.New("tokens: only a random session ID (a version 4 UUID) can be wrapped in a token")
	errTooLate     = errors.New("tokens: the session ends in less than a second")
	errTooFar      = errors.New("tokens: the session ends after the year 9999")
	errNoName      = errors.New("tokens: the external verifier accepted a token, but gave it no name")
)

// A kind is a preallocated error: refusing a forged token allocates nothing.
type kind struct {
	text    string
	foreign bool // also matches errors.ErrUnsupported
}

func (k *kind) Error() string { return k.text }

func (k *kind) Is(target error) bool {
	return target == ErrInvalid || k.foreign && target == errors.ErrUnsupported
}

// A ConfigError is one mistake in a configuration. Constructors report all
// mistakes at once, joined by [errors.Join]. Its zero value has no meaning; it
// holds no key material and can be copied.
type ConfigError struct {
	Field  string // the field, as written in Go: "tokens.Config.Issuer"
	Value  any    // what it was set to; nil where that is a secret or says nothing
	Reason string // what is wrong with it
}

// Error names the field, its value and what is wrong with it.
func (e *ConfigError) Error() string {
	if e.Value == nil {
		return fmt.Sprintf("%s: %s", e.Field, e.Reason)
	}
	return fmt.Sprintf("%s = %v: %s", e.Field, e.Value, e.Reason)
}
