package tokens

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// A Signer wraps session IDs in signed tokens and unwraps them again.
//
// The zero Signer and a nil one refuse every call with an error. A Signer must
// not be copied. All its methods can be called concurrently, [Signer.SetKeys]
// among them.
type Signer struct {
	issuer    string
	typ       string
	ttl       time.Duration // 0: until the session's deadline
	validator *jwt.Validator
	ring      atomic.Pointer[ring]
}

// NewSigner makes a Signer. The error joins a [*ConfigError] for each mistake.
func NewSigner(c Config) (*Signer, error) {
	c = c.withDefaults()
	errs := append(c.mistakes(), keysMistakes("tokens.Config.Keys", c.Keys)...)
	if errs != nil {
		return nil, errors.Join(errs...)
	}
	s := &Signer{issuer: c.Issuer, typ: c.Type, ttl: c.TTL, validator: newValidator(c.Issuer, c.Leeway)}
	s.ring.Store(newRing(c.Type, c.Keys))
	return s, nil
}

// SetKeys replaces the keys: the first signs, all verify. A call that begins
// after SetKeys has returned uses the new keys; one that began earlier finishes
// with the keys it began with. What is refused, with the mistakes that
// [NewSigner] finds in keys, leaves the old ones in place.
func (s *Signer) SetKeys(keys ...Key) error {
	if s.current() == nil {
		return errNoSigner
	}
	if errs := keysMistakes("tokens.Signer.SetKeys", keys); errs != nil {
		return errors.Join(errs...)
	}
	s.ring.Store(newRing(s.typ, keys))
	return nil
}

// current returns nil for a Signer that NewSigner did not make.
func (s *Signer) current() *ring {
	if s == nil {
		return nil
	}
	return s.ring.Load()
}

// Sign wraps the ID of a session that ends at deadline. The audience is the
// name of the session's manager (1 to 200 bytes of printable ASCII without
// ", \, <, > and &), so that a token of one manager never opens a session of
// another.
//
// The token expires at the returned time: at the deadline, or [Config.TTL] from
// now if that is sooner, in whole seconds, rounded down. A deadline less than a
// second away is an error, as its token could be dead on arrival; so is an ID
// that is not a random UUID (version 4).
func (s *Signer) Sign(audience string, id [16]byte, deadline time.Time) (token string, expires time.Time, err error) {
	r := s.current()
	if r == nil {
		return "", time.Time{}, errNoSigner
	}
	if !isName(audience) {
		return "", time.Time{}, errBadAudience
	}
	if !isRandom(id) {
		return "", time.Time{}, errBadID
	}
	now := time.Now().Round(0) // the wall clock's, as the verifier will read it
	if expires, err = s.expiry(now, deadline); err != nil {
		return "", time.Time{}, err
	}
	token, err = r.first.sign(s.typ, &claims{
		Issuer:    s.issuer,
		Audience:  audience,
		SID:       formatID(id),
		IssuedAt:  now.Unix(),
		ExpiresAt: expires.Unix(),
	})
	return token, expires, err
}

func (s *Signer) expiry(now, deadline time.Time) (time.Time, error) {
	if deadline.Sub(now) < time.Second {
		return time.Time{}, errTooLate
	}
	if limit := now.Add(s.ttl); s.ttl > 0 && limit.Before(deadline) {
		deadline = limit
	}
	if deadline.Unix() > maxTime {
		return time.Time{}, errTooFar
	}
	return time.Unix(deadline.Unix(), 0).UTC(), nil
}

// sign leaves the minting to golang-jwt. It writes a header's members in the
// order of their names, and so the very header that ring.find looks for.
func (s *slot) sign(typ string, c *claims) (string, error) {
	t := jwt.NewWithClaims(jwt.SigningMethodHS256, c)
	t.Header["typ"], t.Header["kid"] = typ, s.key.id
	return t.SignedString(s.key.secret())
}

// ShouldReissue advises on a token that [Signer.Verify] has accepted: true if it
// is past half its life, or signed by a key that is no longer the first. Then
// the client had better be given a fresh one. For any other token, and for one
// that has expired since, it is false.
func (s *Signer) ShouldReissue(token string) bool {
	c, by, err := s.open(token)
	if err != nil {
		return false
	}
	now, half := time.Now().Unix(), c.IssuedAt+(c.ExpiresAt-c.IssuedAt)/2
	return now < c.ExpiresAt && (now >= half || by != s.current().first)
}
