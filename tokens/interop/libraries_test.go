package interop_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	golangjwt "github.com/golang-jwt/jwt/v5"
	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"
	"github.com/lestrrat-go/jwx/v3/jwt"

	"github.com/coatcheck/coatcheck/tokens"
)

// TestJWXReads lets jwx verify tokens of ours, and reads every member of them.
func TestJWXReads(t *testing.T) {
	t.Parallel()
	for _, typ := range types {
		t.Run(typ, func(t *testing.T) {
			t.Parallel()
			before := time.Now().Truncate(time.Second)
			token, expires, err := newSigner(t, ofType(typ)).Sign(audience, sessionID, time.Now().Add(time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			parsed, err := jwt.ParseString(token, jwt.WithKey(jwa.HS256(), newer.Reveal()), jwt.WithIssuer(issuer), jwt.WithAudience(audience))
			if err != nil {
				t.Fatal(err)
			}
			var sid string
			if err := parsed.Get("sid", &sid); err != nil || sid != sidText {
				t.Errorf("sid is %q, %v", sid, err)
			}
			if got, _ := parsed.Expiration(); !got.Equal(expires) {
				t.Errorf("exp is %v, want %v", got, expires)
			}
			if got, _ := parsed.IssuedAt(); got.Before(before) || got.After(time.Now()) {
				t.Errorf("iat is %v, want %v or a little later", got, before)
			}
			if n := len(parsed.Keys()); n != 5 {
				t.Errorf("%d claims: %v", n, parsed.Keys())
			}
			header := jwxHeader(t, token)
			if got, _ := header.Type(); got != typ {
				t.Errorf("typ is %q", got)
			}
			if got, _ := header.KeyID(); got != newer.ID() {
				t.Errorf("kid is %q", got)
			}
		})
	}
}

func jwxHeader(t *testing.T, token string) jws.Headers {
	t.Helper()
	m, err := jws.ParseString(token)
	if err != nil {
		t.Fatal(err)
	}
	return m.Signatures()[0].ProtectedHeaders()
}

// TestJWXMints shows that jwx writes a header's members in our order, so that
// its tokens are accepted.
func TestJWXMints(t *testing.T) {
	t.Parallel()
	for _, typ := range types {
		t.Run(typ, func(t *testing.T) {
			t.Parallel()
			s := newSigner(t, ofType(typ))
			token := mintByJWX(t, newer, typ, true)
			accepted(t, s, token)
			sameHeader(t, token, sign(t, s))
			sameClaims(t, token, sign(t, s))
			accepted(t, s, mintByJWX(t, older, typ, true))
			refused(t, s, mintByJWX(t, removed, typ, true), tokens.ErrUnknownKey)
			refused(t, s, mintByJWX(t, key("2026-b", 9), typ, true), tokens.ErrSignature)
		})
	}
	t.Run("without a type of its own it writes JWT", func(t *testing.T) {
		t.Parallel()
		token := mintByJWX(t, newer, "", true)
		accepted(t, newSigner(t, ofType("JWT")), token)
		refused(t, newSigner(t), token, tokens.ErrMalformed)
	})
	t.Run("J8 aud as an array, which is its default", func(t *testing.T) {
		t.Parallel()
		token := mintByJWX(t, newer, "session+jwt", false)
		if got := claimsOf(t, token)["aud"]; !reflect.DeepEqual(got, []any{audience}) {
			t.Fatalf("aud is %v", got)
		}
		refused(t, newSigner(t), token, tokens.ErrClaims)
	})
}

// mintByJWX mints a token for sessionID. flat makes aud a string.
func mintByJWX(t *testing.T, k tokens.Key, typ string, flat bool) string {
	t.Helper()
	key, err := jwk.Import(k.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	if err := key.Set(jwk.KeyIDKey, k.ID()); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	token, err := jwt.NewBuilder().Issuer(issuer).Audience([]string{audience}).Claim("sid", sidText).
		IssuedAt(now).Expiration(now.Add(time.Hour)).Build()
	if err != nil {
		t.Fatal(err)
	}
	if flat {
		token.Options().Enable(jwt.FlattenAudience)
	}
	option := jwt.WithKey(jwa.HS256(), key)
	if typ != "" {
		header := jws.NewHeaders()
		if err := header.Set(jws.TypeKey, typ); err != nil {
			t.Fatal(err)
		}
		option = jwt.WithKey(jwa.HS256(), key, jws.WithProtectedHeaders(header))
	}
	text, err := jwt.Sign(token, option)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func sameHeader(t *testing.T, token, ours string) {
	t.Helper()
	if got, want := part(t, token, 0), part(t, ours, 0); got != want || strings.Split(token, ".")[0] != strings.Split(ours, ".")[0] {
		t.Errorf("the header is %s, want %s", got, want)
	}
}

// sameClaims compares all but the times, which are of two moments.
func sameClaims(t *testing.T, token, ours string) {
	t.Helper()
	got, want := claimsOf(t, token), claimsOf(t, ours)
	for _, name := range []string{"iat", "exp"} {
		if _, ok := got[name].(float64); !ok {
			t.Errorf("%s is %v", name, got[name])
		}
		delete(got, name)
		delete(want, name)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the claims are %v, want %v", got, want)
	}
}

// TestJoseReads is the same for jose.
func TestJoseReads(t *testing.T) {
	t.Parallel()
	for _, typ := range types {
		t.Run(typ, func(t *testing.T) {
			t.Parallel()
			token := sign(t, newSigner(t, ofType(typ)))
			_, claims, signature := cut(token)
			header := strings.TrimSuffix(token, "."+claims+"."+signature)
			answers := askNode(t,
				verifyBy(newer, typ, token, 0),
				verifyBy(newer, typ, header+"."+claims+"."+otherBit(signature), 0),
				verifyBy(newer, typ, header+"."+otherBit(claims)+"."+signature, 0),
			)
			if a := answers[0]; a.Error != "" || !reflect.DeepEqual(a.Claims, claimsOf(t, token)) ||
				!reflect.DeepEqual(a.Header, map[string]any{"alg": "HS256", "kid": newer.ID(), "typ": typ}) {
				t.Errorf("it reads %+v", a)
			}
			for _, a := range answers[1:] {
				if !strings.HasPrefix(a.Error, "ERR_JWS_SIGNATURE_VERIFICATION_FAILED") || a.Claims != nil {
					t.Errorf("tampered with: %+v", a)
				}
			}
		})
	}
}

// TestJoseMints shows that jose writes a header's members in the order in which
// it is given them: in ours its tokens are accepted, in another they are not.
func TestJoseMints(t *testing.T) {
	t.Parallel()
	for _, typ := range types {
		t.Run(typ, func(t *testing.T) {
			t.Parallel()
			s := newSigner(t, ofType(typ))
			answers := askNode(t,
				mintBy(newer, headerOf(newer.ID(), typ), goodClaims()),
				mintBy(older, headerOf(older.ID(), typ), goodClaims()),
				mintBy(removed, headerOf(removed.ID(), typ), goodClaims()),
				mintBy(removed, headerOf(newer.ID(), typ), goodClaims()),
				mintBy(newer, `{"alg":"HS256","typ":"`+typ+`","kid":"2026-b"}`, goodClaims()),
			)
			for i, a := range answers {
				if a.Error != "" {
					t.Fatalf("%d: %s", i, a.Error)
				}
			}
			accepted(t, s, answers[0].Token)
			sameHeader(t, answers[0].Token, sign(t, s))
			sameClaims(t, answers[0].Token, sign(t, s))
			accepted(t, s, answers[1].Token)
			refused(t, s, answers[2].Token, tokens.ErrUnknownKey)
			refused(t, s, answers[3].Token, tokens.ErrSignature)
			if got, want := part(t, answers[4].Token, 0), `{"alg":"HS256","typ":"`+typ+`","kid":"2026-b"}`; got != want {
				t.Errorf("the header is %s, want %s", got, want)
			}
			refused(t, s, answers[4].Token, tokens.ErrMalformed)
		})
	}
}

// TestLastSecond asks every library at the last second of a token, and at the
// first one after it.
func TestLastSecond(t *testing.T) {
	t.Parallel()
	token, expired := signOnceUponATime(t, newSigner(t))
	last := expired.Add(-time.Second)

	t.Run("J4 golang-jwt", func(t *testing.T) {
		t.Parallel()
		at := func(now time.Time) error {
			_, err := golangjwt.Parse(token, func(*golangjwt.Token) (any, error) { return newer.Reveal(), nil },
				golangjwt.WithTimeFunc(func() time.Time { return now }))
			return err
		}
		deadAfter(t, "token is expired", message(at(last)), message(at(expired)))
	})
	t.Run("J4 jwx", func(t *testing.T) {
		t.Parallel()
		at := func(now time.Time) error {
			_, err := jwt.ParseString(token, jwt.WithKey(jwa.HS256(), newer.Reveal()), jwt.WithClock(jwt.ClockFunc(func() time.Time { return now })))
			return err
		}
		deadAfter(t, `"exp" not satisfied`, message(at(last)), message(at(expired)))
	})
	t.Run("J4 jose", func(t *testing.T) {
		t.Parallel()
		answers := askNode(t,
			verifyBy(newer, "session+jwt", token, last.Unix()),
			verifyBy(newer, "session+jwt", token, expired.Unix()),
			verifyBy(newer, "session+jwt", token, 0),
		)
		deadAfter(t, "ERR_JWT_EXPIRED", answers[0].Error, answers[1].Error)
		deadAfter(t, "ERR_JWT_EXPIRED", answers[0].Error, answers[2].Error)
	})
}

func deadAfter(t *testing.T, want, last, after string) {
	t.Helper()
	if last != "" {
		t.Errorf("at its last second: %s", last)
	}
	if !strings.Contains(after, want) {
		t.Errorf("at its exp: %q, want %q", after, want)
	}
}
