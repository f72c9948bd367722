package tokens

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
)

// MaxExternalTokenBytes is the length, in bytes, over which an [External]
// refuses a token without asking its verifier. Access tokens of large identity
// providers, which list a user's groups, take a few thousand.
const MaxExternalTokenBytes = 8 << 10

// A VerifyFunc judges a token that somebody else issued: an API key, an OAuth
// access token.
//
// For a token it accepts, it MUST return true and a name that stays the same
// for as long as the client is to find the same session, and that no other
// client can get: an API key's ID, an issuer and a subject together (unambiguously:
// quoted, say). It MUST return false for a token it refuses, and an error if it
// could not find out; the client is then told to try again (503) rather than
// that it is nobody (401). It is called for every request that shows such a
// token, is never handed one longer than [MaxExternalTokenBytes], and must be
// safe for concurrent use. What it caches, and how soon it notices that a token
// was revoked, is its own affair: nothing is cached here.
type VerifyFunc = func(ctx context.Context, token string) (name string, ok bool, err error)

// An ExternalConfig says how an [External] finds sessions. NewExternal copies it.
// Its zero value lacks both fields.
type ExternalConfig struct {
	// Key is required. Session IDs are derived from it, under a purpose of
	// their own, so it may be a key that also does something else. Whoever
	// has another key finds none of the sessions again.
	Key Key

	// Verify is required.
	Verify VerifyFunc
}

// An External gives each client of another issuer's tokens a session ID: a UUID
// of version 8 (RFC 9562 section 5.8), derived by HMAC from the audience and
// the verified name. Nobody without the key can tell which ID is whose.
//
// The zero External and a nil one refuse every call with an error. An External
// can be used concurrently.
type External struct {
	verify VerifyFunc
	mac    func() hash.Hash // HMAC-SHA256 under the derived key
}

// NewExternal makes an External. The error joins a [*ConfigError] for each
// mistake.
func NewExternal(c ExternalConfig) (*External, error) {
	var errs []error
	if c.Key.isZero() {
		errs = append(errs, &ConfigError{Field: "tokens.ExternalConfig.Key", Reason: "required"})
	}
	if c.Verify == nil {
		errs = append(errs, &ConfigError{Field: "tokens.ExternalConfig.Verify", Reason: "required"})
	}
	if errs != nil {
		return nil, errors.Join(errs...)
	}
	derived := c.Key.derive("coatcheck/v1/external")
	return &External{
		verify: c.Verify,
		mac:    func() hash.Hash { return hmac.New(sha256.New, derived) },
	}, nil
}

// Identify has a token verified, and returns the ID of the session that belongs
// to its client under this audience (the name of the session's manager).
//
// A token that is refused gives false; so does an empty one, and one longer
// than [MaxExternalTokenBytes], for which the verifier is not asked. A verifier
// that failed gives its error, wrapped; one that accepted a token without
// naming its client gives an error too, because all such clients would share
// one session. The ID is zero unless ok is true.
func (e *External) Identify(ctx context.Context, audience, token string) (id [16]byte, ok bool, err error) {
	if e == nil || e.verify == nil {
		return id, false, errNoExternal
	}
	if !isName(audience) {
		return id, false, errBadAudience
	}
	if token == "" || len(token) > MaxExternalTokenBytes {
		return id, false, nil
	}
	name, ok, err := e.verify(ctx, token)
	switch {
	case err != nil:
		return id, false, fmt.Errorf("tokens: external verifier: %w", err)
	case !ok:
		return id, false, nil
	case name == "":
		return id, false, errNoName
	}
	return e.id(audience, name), true, nil
}

func (e *External) id(audience, name string) (id [16]byte) {
	h := e.mac()
	writeFramed(h, audience)
	writeFramed(h, name)
	copy(id[:], h.Sum(nil))
	id[6] = 8<<4 | id[6]&0x0f
	id[8] = 2<<6 | id[8]&0x3f
	return id
}

// writeFramed keeps "ab", "c" and "a", "bc" apart.
func writeFramed(h hash.Hash, s string) {
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(s))))
	h.Write([]byte(s))
}
