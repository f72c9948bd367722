package tokens_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/coatcheck/tokens"
)

const (
	issuer   = "https://issuer.example"
	audience = "session"
)

// sessionID is a version 4 UUID, and sidText its canonical text.
var sessionID = [16]byte{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x46, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff}

const sidText = "00112233-4455-4677-8899-aabbccddeeff"

// key makes a key whose secret is 32 bytes of b.
func key(t testing.TB, id string, b byte) tokens.Key {
	t.Helper()
	k, err := tokens.NewKey(id, []byte(strings.Repeat(string([]byte{b}), 32)))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func signer(t testing.TB, c tokens.Config) *tokens.Signer {
	t.Helper()
	if c.Issuer == "" {
		c.Issuer = issuer
	}
	s, err := tokens.NewSigner(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// sign returns a token for sessionID that lives for ttl.
func sign(t testing.TB, s *tokens.Signer, ttl time.Duration) string {
	t.Helper()
	token, _, err := s.Sign(audience, sessionID, time.Now().Add(ttl))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// bubble runs f in its own time, which begins at a whole second.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

// elapse lets time go by in a bubble.
func elapse(d time.Duration) { time.Sleep(d) }

// header returns the JSON of the header that a signer writes.
func header(kid string) string {
	return `{"alg":"HS256","kid":"` + kid + `","typ":"session+jwt"}`
}

// payload returns the JSON of good claims for a session that began now and
// lives an hour. Edits are pairs of a claim's name and its JSON; "" drops it.
func payload(edits ...string) string {
	now := time.Now().Unix()
	members := [][2]string{
		{"iss", `"` + issuer + `"`},
		{"aud", `"` + audience + `"`},
		{"sid", `"` + sidText + `"`},
		{"iat", fmt.Sprint(now)},
		{"exp", fmt.Sprint(now + 3600)},
	}
	for i := 0; i < len(edits); i += 2 {
		members = edit(members, edits[i], edits[i+1])
	}
	var b strings.Builder
	for _, m := range members {
		if m[1] != "" {
			fmt.Fprintf(&b, `,"%s":%s`, m[0], m[1])
		}
	}
	return "{" + strings.TrimPrefix(b.String(), ",") + "}"
}

func edit(members [][2]string, name, value string) [][2]string {
	for i := range members {
		if members[i][0] == name {
			members[i][1] = value
			return members
		}
	}
	return append(members, [2]string{name, value})
}

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// forge signs whatever header and payload it is given.
func forge(secret []byte, header, payload string) string {
	return forgeRaw(sha256.New, secret, b64(header)+"."+b64(payload))
}

// forgeRaw appends the HMAC of text to it.
func forgeRaw(h func() hash.Hash, secret []byte, text string) string {
	mac := hmac.New(h, secret)
	mac.Write([]byte(text))
	return text + "." + b64(string(mac.Sum(nil)))
}

var kinds = map[error]string{
	tokens.ErrMalformed:   "ErrMalformed",
	tokens.ErrUnknownKey:  "ErrUnknownKey",
	tokens.ErrSignature:   "ErrSignature",
	tokens.ErrNotYetValid: "ErrNotYetValid",
	tokens.ErrClaims:      "ErrClaims",
	tokens.ErrExpired:     "ErrExpired",
}

// kindsOf names the kinds that err matches.
func kindsOf(err error) (names []string) {
	for kind, name := range kinds {
		if errors.Is(err, kind) {
			names = append(names, name)
		}
	}
	return names
}

// refused fails unless Verify refuses token with this kind of error, all that
// goes with it, and the zero ID.
func refused(t *testing.T, s *tokens.Signer, token string, want error) {
	t.Helper()
	id, err := s.Verify(audience, token)
	if id != ([16]byte{}) {
		t.Errorf("Verify gave ID %x with error %v", id, err)
	}
	if got := kindsOf(err); len(got) != 1 || got[0] != kinds[want] {
		t.Fatalf("Verify: %v, of kinds %v; want %s", err, got, kinds[want])
	}
	if !errors.Is(err, tokens.ErrInvalid) {
		t.Errorf("%v does not match ErrInvalid", err)
	}
	foreign := errors.Is(want, tokens.ErrMalformed) || errors.Is(want, tokens.ErrUnknownKey)
	if got := errors.Is(err, errors.ErrUnsupported); got != foreign {
		t.Errorf("%v matches errors.ErrUnsupported: %t, want %t", err, got, foreign)
	}
}

// accepted fails unless Verify accepts token, for sessionID.
func accepted(t *testing.T, s *tokens.Signer, token string) {
	t.Helper()
	id, err := s.Verify(audience, token)
	if err != nil || id != sessionID {
		t.Fatalf("Verify: %x, %v; want %x", id, err, sessionID)
	}
}

// configErrors returns the mistakes that err joins.
func configErrors(t *testing.T, err error) (all []*tokens.ConfigError) {
	t.Helper()
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("%v (%T) joins nothing", err, err)
	}
	for _, e := range joined.Unwrap() {
		var c *tokens.ConfigError
		if !errors.As(e, &c) {
			t.Fatalf("%v (%T) is no *ConfigError", e, e)
		}
		all = append(all, c)
	}
	return all
}

var strictBase64 = base64.RawURLEncoding.Strict()
