// Package interop_test holds our tokens against other people's tools: Go's
// golang-jwt and jwx, JavaScript's jose, and openssl. What docs/tokens.md shows
// of them is the source of files here, and run.
//
// It is a module of its own, to keep those libraries out of the go.sum of
// everybody else.
package interop_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/coatcheck/tokens"
)

// required is set where no test may be skipped.
const required = "COATCHECK_REQUIRE_NODE"

const (
	issuer   = "https://shop.example"
	audience = "session"
	sidText  = "00112233-4455-4677-8899-aabbccddeeff"
)

var sessionID = [16]byte{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x46, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff}

// types are the default one, and what some tools insist on.
var types = []string{"session+jwt", "JWT"}

// Two keys in use, the first of which signs, and one that is not in use. The
// secrets' base64 has characters in which its two alphabets differ.
var (
	newer   = key("2026-b", 0xfb)
	older   = key("2026-a", 0xfe)
	removed = key("2025-z", 3)
)

func key(id string, b byte) tokens.Key {
	k, err := tokens.NewKey(id, []byte(strings.Repeat(string([]byte{b}), 32)))
	if err != nil {
		panic(err)
	}
	return k
}

// keyList is what COATCHECK_KEYS holds, or with line feeds a key file.
func keyList(separator string, keys ...tokens.Key) string {
	var entries []string
	for _, k := range keys {
		entries = append(entries, k.ID()+":"+base64.StdEncoding.EncodeToString(k.Reveal()))
	}
	return strings.Join(entries, separator)
}

// newSigner makes a signer with edits to what the snippets expect.
func newSigner(t *testing.T, edits ...func(c *tokens.Config)) *tokens.Signer {
	t.Helper()
	c := tokens.Config{Issuer: issuer, Keys: []tokens.Key{newer, older}}
	for _, edit := range edits {
		edit(&c)
	}
	s, err := tokens.NewSigner(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func ofType(typ string) func(*tokens.Config) { return func(c *tokens.Config) { c.Type = typ } }
func from(issuer string) func(*tokens.Config) {
	return func(c *tokens.Config) { c.Issuer = issuer }
}
func signedBy(keys ...tokens.Key) func(*tokens.Config) {
	return func(c *tokens.Config) { c.Keys = keys }
}

// sign returns a token that lives for an hour.
func sign(t *testing.T, s *tokens.Signer) string {
	t.Helper()
	return signFor(t, s, audience)
}

func signFor(t *testing.T, s *tokens.Signer, audience string) string {
	t.Helper()
	token, _, err := s.Sign(audience, sessionID, time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// signOnceUponATime returns a token of ours that expired long ago: when it did
// so is returned, too.
func signOnceUponATime(t *testing.T, s *tokens.Signer) (token string, expired time.Time) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { // in which it is the year 2000
		token, expired = sign(t, s), time.Now().Add(time.Hour)
	})
	return token, expired
}

// forge signs whatever header and claims it is given.
func forge(h func() hash.Hash, secret []byte, header, claims string) string {
	text := b64(header) + "." + b64(claims)
	mac := hmac.New(h, secret)
	mac.Write([]byte(text))
	return text + "." + b64(string(mac.Sum(nil)))
}

func hs256(k tokens.Key, header, claims string) string {
	return forge(sha256.New, k.Reveal(), header, claims)
}

func hs512(k tokens.Key, header, claims string) string {
	return forge(sha512.New, k.Reveal(), header, claims)
}

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// part decodes the header (0) or the claims (1) of a token.
func part(t *testing.T, token string, i int) string {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[i])
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func claimsOf(t *testing.T, token string) (claims map[string]any) {
	t.Helper()
	if err := json.Unmarshal([]byte(part(t, token, 1)), &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

func headerOf(kid, typ string) string {
	return fmt.Sprintf(`{"alg":"HS256","kid":"%s","typ":"%s"}`, kid, typ)
}

// goodClaims are what Sign would write now.
func goodClaims() map[string]any {
	now := time.Now().Unix()
	return map[string]any{"iss": issuer, "aud": audience, "sid": sidText, "iat": now, "exp": now + 3600}
}

// with returns claims in JSON, one of them replaced, or dropped for nil.
func with(name string, value any) string {
	claims := goodClaims()
	claims[name] = value
	if value == nil {
		delete(claims, name)
	}
	text, _ := json.Marshal(claims)
	return string(text)
}

func accepted(t *testing.T, s *tokens.Signer, token string) {
	t.Helper()
	if id, err := s.Verify(audience, token); err != nil || id != sessionID {
		t.Errorf("Verify(%s): %x, %v", token, id, err)
	}
}

func refused(t *testing.T, s *tokens.Signer, token string, want error) {
	t.Helper()
	if id, err := s.Verify(audience, token); !errors.Is(err, want) || id != [16]byte{} {
		t.Errorf("Verify(%s): %x, %v; want no ID and %v", token, id, err, want)
	}
}
