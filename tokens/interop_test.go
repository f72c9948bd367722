package tokens_test

import (
	"slices"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/coatcheck/coatcheck/tokens"
)

var farFuture = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)

// mint signs with golang-jwt, as another service would that shares the key.
func mint(t *testing.T, k tokens.Key, claims jwt.Claims) string {
	t.Helper()
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, claims)
	token.Header["kid"] = k.ID()
	token.Header["typ"] = "session+jwt"
	text, err := token.SignedString(k.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestGolangJWT(t *testing.T) {
	t.Parallel()
	k := key(t, "k1", 1)

	t.Run("its parser verifies ours", func(t *testing.T) {
		t.Parallel()
		token, expires, err := signer(t, tokens.Config{Keys: []tokens.Key{k}}).Sign(audience, sessionID, time.Now().Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		claims, err := newPeer(k).Verify(token)
		if err != nil {
			t.Fatal(err)
		}
		if claims.SID != sidText || !claims.ExpiresAt.Equal(expires) || claims.IssuedAt == nil {
			t.Errorf("it reads %+v", claims)
		}
	})
	t.Run("ours verifies what it mints", func(t *testing.T) {
		t.Parallel()
		s := signer(t, tokens.Config{Keys: []tokens.Key{k}})
		now := time.Now().Unix()
		good := jwt.MapClaims{"iss": issuer, "aud": audience, "sid": sidText, "iat": now, "exp": now + 60}
		accepted(t, s, mint(t, k, good))
		good["nbf"] = now
		accepted(t, s, mint(t, k, good))
	})
	t.Run("J8 but not aud as an array, which is its default for a struct", func(t *testing.T) {
		t.Parallel()
		now := time.Now()
		refused(t, signer(t, tokens.Config{Keys: []tokens.Key{k}}), mint(t, k, peerClaims{SID: sidText, RegisteredClaims: jwt.RegisteredClaims{
			Issuer: issuer, Audience: jwt.ClaimStrings{audience},
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(time.Minute)),
		}}), tokens.ErrClaims)
	})
}

// TestStricterThanGolangJWT shows that the strictness here is needed: golang-jwt's
// parser, with all its strictness on, accepts each of these. A row that a later
// version refuses can be struck out.
func TestStricterThanGolangJWT(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"J9 typ of an access token",
		"J10 crit exp",
		"J12 header in another order",
		"J12 header with a line feed in it",
		"J12 payload with CR LF after it, well signed",
		"J13 exp twice, first in the past",
		"J13 EXP for exp",
		"J13 sid with a long s",
		"J7 exp a string",
		"J7 exp a fraction",
		"J8 aud an array with ours in it",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			attacks := concat(headerAttacks, partAttacks, timeAttacks, nameAttacks, memberAttacks)
			i := slices.IndexFunc(attacks, func(a attack) bool { return a.name == name })
			if i < 0 {
				t.Fatal("no such attack")
			}
			bubble(t, func(t *testing.T) {
				a := newArena(t)
				token := attacks[i].token(a)
				if _, err := newPeer(a.first).Verify(token); err != nil {
					t.Errorf("golang-jwt refuses it too: %v", err)
				}
				refused(t, a.signer, token, attacks[i].want)
			})
		})
	}
}

// TestGolangJWTGlobals runs alone, because it changes them: an application may.
func TestGolangJWTGlobals(t *testing.T) {
	precision, array := jwt.TimePrecision, jwt.MarshalSingleStringAsArray
	t.Cleanup(func() { jwt.TimePrecision, jwt.MarshalSingleStringAsArray = precision, array })
	algorithms := slices.Sorted(slices.Values(jwt.GetAlgorithms()))

	for _, precision := range []time.Duration{time.Nanosecond, time.Second, time.Hour} {
		for _, array := range []bool{true, false} {
			jwt.TimePrecision, jwt.MarshalSingleStringAsArray = precision, array
			bubble(t, func(t *testing.T) {
				elapse(1234567890 * time.Nanosecond)
				s := signer(t, tokens.Config{Keys: []tokens.Key{key(t, "k1", 1)}})
				token := sign(t, s, 90*time.Second)
				if got := claimsOf(t, token)["aud"]; got != audience {
					t.Errorf("aud is %v", got)
				}
				elapse(89 * time.Second)
				accepted(t, s, token)
				elapse(time.Second)
				refused(t, s, token, tokens.ErrExpired)
			})
		}
	}
	if got := slices.Sorted(slices.Values(jwt.GetAlgorithms())); !slices.Equal(got, algorithms) {
		t.Errorf("J1: the registered algorithms became %v, and were %v", got, algorithms)
	}
}
