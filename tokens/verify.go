package tokens

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// MaxTokenBytes is the length, in bytes, over which a token is refused unread.
// No [Signer] makes one that long: its limits on names, IDs and types see to it.
const MaxTokenBytes = 1024

// Verify returns the session ID that a token wraps, or, with the zero ID, an
// error that matches [ErrInvalid] and one of the kinds below it. audience is the
// name of the manager whose session is asked for, matched exactly.
//
// A token is dead from the second its exp names, without leeway.
func (s *Signer) Verify(audience, token string) (id [16]byte, err error) {
	c, _, err := s.open(token)
	if err != nil {
		return id, err
	}
	if err := s.judge(c, audience); err != nil {
		return id, err
	}
	return c.id, nil
}

// open returns the claims of a token that one of the signer's keys has signed,
// and that key's slot. Whether they are acceptable is not asked.
func (s *Signer) open(token string) (*claims, *slot, error) {
	r := s.current()
	if r == nil {
		return nil, nil, errNoSigner
	}
	by, end, err := r.find(token)
	if err != nil {
		return nil, nil, err
	}
	// Whatever goes wrong from here on is not "not one of mine": the header's
	// bytes decide that, and no half of a token of ours reaches the function
	// that verifies other people's.
	if len(token) > MaxTokenBytes {
		return nil, nil, ErrSignature
	}
	payload, signature, ok := strings.Cut(token[end+1:], ".")
	if !ok || len(signature) != signatureBytes || !by.mac.verify(token[:end+1+len(payload)], signature) {
		return nil, nil, ErrSignature
	}
	c, err := decodePayload(payload)
	return c, by, err
}

func decodePayload(payload string) (*claims, error) {
	var buf [MaxTokenBytes]byte
	text, ok := decodeBase64(buf[:], payload)
	if !ok {
		return nil, errShape
	}
	c := new(claims)
	if err := c.decode(string(text)); err != nil {
		return nil, err
	}
	return c, nil
}

// newValidator makes golang-jwt's judge of iss, iat, nbf and exp. Its leeway is
// for all three times; judge adds that exp has none.
func newValidator(issuer string, leeway time.Duration) *jwt.Validator {
	return jwt.NewValidator(
		jwt.WithIssuer(issuer),
		jwt.WithIssuedAt(),
		jwt.WithExpirationRequired(),
		jwt.WithLeeway(leeway),
	)
}

// judge tells whether claims are acceptable for an audience now. The audience
// is compared here, because golang-jwt fixes it when a validator is made. Time
// comes last, so that an expired token is one that was in order otherwise.
func (s *Signer) judge(c *claims, audience string) error {
	if c.Audience != audience {
		return errAudience
	}
	if err := s.validator.Validate(c); err != nil {
		return kindOf(err)
	}
	if time.Now().Unix() >= c.ExpiresAt {
		return ErrExpired
	}
	return nil
}

// kindOf translates golang-jwt's verdict, which joins all it found.
func kindOf(err error) error {
	switch {
	case errors.Is(err, jwt.ErrTokenInvalidIssuer):
		return errIssuer
	case errors.Is(err, jwt.ErrTokenNotValidYet), errors.Is(err, jwt.ErrTokenUsedBeforeIssued):
		return ErrNotYetValid
	case errors.Is(err, jwt.ErrTokenExpired):
		return ErrExpired
	default: // a rule that a later golang-jwt may add
		return fmt.Errorf("%w: %w", ErrClaims, err)
	}
}
