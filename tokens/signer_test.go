package tokens_test

import (
	"encoding/json"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/tokens"
)

// claimsOf decodes a token's claims, by encoding/json.
func claimsOf(t *testing.T, token string) map[string]any {
	t.Helper()
	var claims map[string]any
	if err := json.Unmarshal([]byte(part(t, token, 1)), &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

// part decodes one of a token's three parts.
func part(t *testing.T, token string, i int) string {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%d parts", len(parts))
	}
	text, err := strictBase64.DecodeString(parts[i])
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestSign(t *testing.T) {
	t.Parallel()
	k := key(t, "k1", 1)

	t.Run("golden: the format is frozen", func(t *testing.T) {
		t.Parallel()
		secret := make([]byte, 32)
		for i := range secret {
			secret[i] = byte(i + 1)
		}
		golden, err := tokens.NewKey("golden", secret)
		if err != nil {
			t.Fatal(err)
		}
		// Made outside this project, from the format in the package's documentation.
		const want = "eyJhbGciOiJIUzI1NiIsImtpZCI6ImdvbGRlbiIsInR5cCI6InNlc3Npb24rand0In0" +
			".eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiYXVkIjoic2Vzc2lvbiIsInNpZCI6IjAwMTEyMjMzLTQ0NTUtNDY3Ny04ODk5LWFhYmJjY2RkZWVmZiIsImlhdCI6OTQ2Njg0ODAwLCJleHAiOjk0NjY4ODQwMH0" +
			".g4XjpcNr5WOsqs7P2X5D6gC-3am7ju1B0oIYOafJBGk"
		bubble(t, func(t *testing.T) {
			s := signer(t, tokens.Config{Keys: []tokens.Key{golden}})
			if got := sign(t, s, time.Hour); got != want {
				t.Errorf("signed %s\n  want %s", got, want)
			}
			accepted(t, s, want)
		})
	})
	t.Run("J16 the claims are five, and none is personal", func(t *testing.T) {
		t.Parallel()
		token := sign(t, signer(t, tokens.Config{Keys: []tokens.Key{k}}), time.Hour)
		names := slices.Sorted(maps.Keys(claimsOf(t, token)))
		if want := []string{"aud", "exp", "iat", "iss", "sid"}; !slices.Equal(names, want) {
			t.Errorf("claims %v, want %v", names, want)
		}
		if got := part(t, token, 0); got != header("k1") {
			t.Errorf("header %s, want %s", got, header("k1"))
		}
	})
	t.Run("J9 the type is settable, and separates", func(t *testing.T) {
		t.Parallel()
		bubble(t, func(t *testing.T) {
			ours := signer(t, tokens.Config{Keys: []tokens.Key{k}})
			theirs := signer(t, tokens.Config{Keys: []tokens.Key{k}, Type: "JWT"})
			token := sign(t, theirs, time.Hour)
			if want := `{"alg":"HS256","kid":"k1","typ":"JWT"}`; part(t, token, 0) != want {
				t.Errorf("header %s, want %s", part(t, token, 0), want)
			}
			accepted(t, theirs, token)
			refused(t, ours, token, tokens.ErrMalformed)
			refused(t, theirs, sign(t, ours, time.Hour), tokens.ErrMalformed)
		})
	})
	t.Run("J8 issuers and audiences separate", func(t *testing.T) {
		t.Parallel()
		s := signer(t, tokens.Config{Keys: []tokens.Key{k}})
		other := signer(t, tokens.Config{Keys: []tokens.Key{k}, Issuer: "other"})
		token := sign(t, s, time.Hour)
		refused(t, other, token, tokens.ErrClaims)
		for _, audience := range []string{"admin", "", "Session", "session "} {
			if id, err := s.Verify(audience, token); !errors.Is(err, tokens.ErrClaims) || id != ([16]byte{}) {
				t.Errorf("Verify for %q: %x, %v", audience, id, err)
			}
		}
	})
	t.Run("H9 the longest token there can be is accepted", func(t *testing.T) {
		t.Parallel()
		long, err := tokens.NewKey(strings.Repeat("k", 40), make([]byte, 64))
		if err != nil {
			t.Fatal(err)
		}
		name := strings.Repeat("n", 200)
		s := signer(t, tokens.Config{Keys: []tokens.Key{long}, Issuer: name, Type: strings.Repeat("t", 64)})
		token, _, err := s.Sign(name, sessionID, time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC))
		if err != nil {
			t.Fatal(err)
		}
		if id, err := s.Verify(name, token); err != nil || id != sessionID {
			t.Errorf("Verify of %d bytes: %x, %v", len(token), id, err)
		}
	})
	t.Run("every random ID comes back", func(t *testing.T) {
		t.Parallel()
		s := signer(t, tokens.Config{Keys: []tokens.Key{k}})
		for range 200 {
			id := randomID()
			token, _, err := s.Sign(audience, id, time.Now().Add(time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := s.Verify(audience, token); err != nil || got != id {
				t.Fatalf("Verify: %x, %v; want %x", got, err, id)
			}
		}
	})
}

func randomID() (id [16]byte) {
	for i := range id {
		id[i] = byte(rand.Uint32())
	}
	id[6] = 0x40 | id[6]&0x0f
	id[8] = 0x80 | id[8]&0x3f
	return id
}

func TestSignRefuses(t *testing.T) {
	t.Parallel()
	s := signer(t, tokens.Config{Keys: []tokens.Key{key(t, "k1", 1)}})
	withTTL := signer(t, tokens.Config{Keys: []tokens.Key{key(t, "k1", 1)}, TTL: time.Minute})
	version := func(v byte) [16]byte { id := sessionID; id[6] = v<<4 | id[6]&0x0f; return id }
	variant := func(v byte) [16]byte { id := sessionID; id[8] = v<<6 | id[8]&0x3f; return id }
	rows := []struct {
		name     string
		signer   *tokens.Signer
		audience string
		id       [16]byte
		lives    time.Duration
		why      string
	}{
		{"J6 a deadline now", s, audience, sessionID, 0, "less than a second"},
		{"J6 a deadline less than a second away", s, audience, sessionID, time.Second - 1, "less than a second"},
		{"J6 a deadline that has passed", s, audience, sessionID, -time.Hour, "less than a second"},
		{"J6 a deadline that has passed, with a TTL", withTTL, audience, sessionID, -time.Hour, "less than a second"},
		{"J7 a deadline after the year 9999", s, audience, sessionID, 1<<63 - 1, "year 9999"},
		{"J8 no audience", s, "", sessionID, time.Hour, "audience"},
		{"J8 an audience in need of escapes", s, `a"b`, sessionID, time.Hour, "audience"},
		{"J8 an audience beyond ASCII", s, "über", sessionID, time.Hour, "audience"},
		{"J8 an audience too long", s, strings.Repeat("a", 201), sessionID, time.Hour, "audience"},
		{"the zero ID", s, audience, [16]byte{}, time.Hour, "version 4"},
		{"a version 1 ID", s, audience, version(1), time.Hour, "version 4"},
		{"a version 7 ID", s, audience, version(7), time.Hour, "version 4"},
		{"a version 8 ID, of an external session", s, audience, version(8), time.Hour, "version 4"},
		{"variant 0", s, audience, variant(0), time.Hour, "version 4"},
		{"variant 3", s, audience, variant(3), time.Hour, "version 4"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T) {
				deadline := time.Now().Add(row.lives)
				if row.lives == 1<<63-1 {
					deadline = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
				}
				token, expires, err := row.signer.Sign(row.audience, row.id, deadline)
				if err == nil || !strings.Contains(err.Error(), row.why) {
					t.Errorf("Sign: %v, want an error about %q", err, row.why)
				}
				if errors.Is(err, tokens.ErrInvalid) {
					t.Errorf("%v matches ErrInvalid, as if a client's token were to blame", err)
				}
				if token != "" || !expires.IsZero() {
					t.Errorf("Sign gave %q, %v with an error", token, expires)
				}
			})
		})
	}
	t.Run("J6 the zero deadline", func(t *testing.T) {
		t.Parallel()
		if token, _, err := s.Sign(audience, sessionID, time.Time{}); err == nil {
			t.Errorf("Sign gave %s", token)
		}
	})
}

func TestZeroSigner(t *testing.T) {
	t.Parallel()
	made := signer(t, tokens.Config{Keys: []tokens.Key{key(t, "k1", 1)}})
	token := sign(t, made, time.Hour)
	for name, s := range map[string]*tokens.Signer{"zero": new(tokens.Signer), "nil": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, expires, err := s.Sign(audience, sessionID, time.Now().Add(time.Hour))
			if err == nil || got != "" || !expires.IsZero() {
				t.Errorf("Sign: %q, %v, %v", got, expires, err)
			}
			id, err := s.Verify(audience, token)
			if err == nil || id != ([16]byte{}) {
				t.Errorf("Verify: %x, %v", id, err)
			}
			if errors.Is(err, tokens.ErrInvalid) || errors.Is(err, errors.ErrUnsupported) {
				t.Errorf("Verify: %v blames the token", err)
			}
			if s.ShouldReissue(token) {
				t.Error("ShouldReissue is true")
			}
			if err := s.SetKeys(key(t, "k1", 1)); err == nil {
				t.Error("SetKeys: no error")
			}
		})
	}
}
