package tokens_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/coatcheck/coatcheck/tokens"
)

// accept is a verifier that accepts everything, under one name.
func accept(name string) tokens.VerifyFunc {
	return func(context.Context, string) (string, bool, error) { return name, true, nil }
}

// echo is a verifier that takes every token for its own name.
func echo(_ context.Context, token string) (string, bool, error) { return token, true, nil }

func external(t *testing.T, k tokens.Key, verify tokens.VerifyFunc) *tokens.External {
	t.Helper()
	e, err := tokens.NewExternal(tokens.ExternalConfig{Key: k, Verify: verify})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func identify(t *testing.T, e *tokens.External, audience, token string) [16]byte {
	t.Helper()
	id, ok, err := e.Identify(t.Context(), audience, token)
	if err != nil || !ok {
		t.Fatalf("Identify(%q, %q): %t, %v", audience, token, ok, err)
	}
	return id
}

func TestNewExternal(t *testing.T) {
	t.Parallel()
	k := key(t, "k1", 1)
	for name, row := range map[string]struct {
		config tokens.ExternalConfig
		want   int
	}{
		"no key":      {tokens.ExternalConfig{Verify: echo}, 1},
		"no verifier": {tokens.ExternalConfig{Key: k}, 1},
		"neither":     {tokens.ExternalConfig{}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, err := tokens.NewExternal(row.config)
			if e != nil || err == nil {
				t.Fatalf("NewExternal: %v, %v", e, err)
			}
			if got := configErrors(t, err); len(got) != row.want {
				t.Errorf("%d mistakes, want %d: %v", len(got), row.want, err)
			}
		})
	}
}

func TestIdentify(t *testing.T) {
	t.Parallel()
	secret := make([]byte, 32)
	for i := range secret {
		secret[i] = byte(i + 1)
	}
	k, err := tokens.NewKey("k1", secret)
	if err != nil {
		t.Fatal(err)
	}

	t.Run("golden: the derivation is frozen", func(t *testing.T) {
		t.Parallel()
		// Made outside this project: HMAC-SHA256, under HKDF-SHA256 of the
		// secret for "coatcheck/v1/external", of both strings, each after
		// its length in 8 bytes; then the bits of a version 8 UUID.
		e := external(t, k, accept("alice"))
		for audience, want := range map[string]string{
			"session": "d6132f21ecdd81b9ac78c0c72850d253",
			"admin":   "ccef4a8749a584bab0c513407c43e88c",
		} {
			id := identify(t, e, audience, "token")
			if got := hex.EncodeToString(id[:]); got != want {
				t.Errorf("for %s: %s, want %s", audience, got, want)
			}
		}
	})
	t.Run("one name, one session, whatever the token", func(t *testing.T) {
		t.Parallel()
		e := external(t, k, accept("alice"))
		if identify(t, e, audience, "one") != identify(t, e, audience, "two") {
			t.Error("two tokens of one name have two IDs")
		}
		renamed, err := tokens.NewKey("k2", secret)
		if err != nil {
			t.Fatal(err)
		}
		if identify(t, e, audience, "one") != identify(t, external(t, renamed, accept("alice")), audience, "one") {
			t.Error("renaming the key changes the ID")
		}
	})
	t.Run("audience, name and key each make another session", func(t *testing.T) {
		t.Parallel()
		seen := make(map[[16]byte]string)
		other := key(t, "k1", 2)
		for _, row := range []struct {
			key            tokens.Key
			audience, name string
		}{
			{k, "session", "alice"}, {k, "session", "alic"}, {k, "session", "Alice"}, {k, "sessiona", "lice"},
			{k, "sessio", "nalice"}, {k, "admin", "alice"}, {other, "session", "alice"}, {k, "alice", "session"},
			{k, "session", "alice\x00"}, {k, "session", strings.Repeat("a", 5000)},
		} {
			id := identify(t, external(t, row.key, echo), row.audience, row.name)
			if before, ok := seen[id]; ok {
				t.Errorf("%s and %s/%s have one ID", before, row.audience, row.name)
			}
			seen[id] = row.audience + "/" + row.name
		}
	})
	t.Run("IDs are version 8, and no token of ours wraps one", func(t *testing.T) {
		t.Parallel()
		s := signer(t, tokens.Config{Keys: []tokens.Key{k}})
		e := external(t, k, echo)
		for range 200 {
			random := randomID()
			id := identify(t, e, audience, hex.EncodeToString(random[:]))
			if id[6]>>4 != 8 || id[8]>>6 != 2 {
				t.Fatalf("%x is not version 8 of RFC 9562's variant", id)
			}
			if token, _, err := s.Sign(audience, id, farFuture); err == nil {
				t.Fatalf("Sign gave %s for %x", token, id)
			}
		}
	})
	t.Run("the verifier gets the context and the token as it came", func(t *testing.T) {
		t.Parallel()
		type mark struct{}
		ctx := context.WithValue(t.Context(), mark{}, true)
		asked := ""
		e := external(t, k, func(ctx context.Context, token string) (string, bool, error) {
			if ctx.Value(mark{}) == true {
				asked = token
			}
			return "x", true, nil
		})
		want := strings.Repeat("~ \x00", tokens.MaxExternalTokenBytes/3)
		if _, ok, err := e.Identify(ctx, audience, want); !ok || err != nil || asked != want {
			t.Errorf("Identify: %t, %v, asked for %d bytes", ok, err, len(asked))
		}
	})
}

func TestIdentifyRefuses(t *testing.T) {
	t.Parallel()
	k := key(t, "k1", 1)
	down := errors.New("the identity provider is down")
	verdict := func(name string, ok bool, err error) tokens.VerifyFunc {
		return func(context.Context, string) (string, bool, error) { return name, ok, err }
	}
	rows := []struct {
		name     string
		verify   tokens.VerifyFunc
		audience string
		token    string
		want     error // wrapped
		fails    bool  // with any error, rather than a refusal
		asks     bool  // the verifier
	}{
		{"refused", verdict("", false, nil), audience, "x", nil, false, true},
		{"refused, with a name", verdict("alice", false, nil), audience, "x", nil, false, true},
		{"failed", verdict("", false, down), audience, "x", down, true, true},
		{"failed, and accepted", verdict("alice", true, down), audience, "x", down, true, true},
		{"accepted, without a name", verdict("", true, nil), audience, "x", nil, true, true},
		{"H9 an empty token", verdict("alice", true, nil), audience, "", nil, false, false},
		{"H9 a token too long", verdict("alice", true, nil), audience, strings.Repeat("x", tokens.MaxExternalTokenBytes+1), nil, false, false},
		{"H9 a megabyte", verdict("alice", true, nil), audience, strings.Repeat("x", megabyte), nil, false, false},
		{"J8 no audience", verdict("alice", true, nil), "", "x", nil, true, false},
		{"J8 an audience beyond ASCII", verdict("alice", true, nil), "ü", "x", nil, true, false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			asked := false
			e := external(t, k, func(ctx context.Context, token string) (string, bool, error) {
				asked = true
				return row.verify(ctx, token)
			})
			id, ok, err := e.Identify(t.Context(), row.audience, row.token)
			if id != ([16]byte{}) || ok {
				t.Errorf("Identify: %x, %t", id, ok)
			}
			if (err != nil) != row.fails || !errors.Is(err, row.want) && row.want != nil {
				t.Errorf("Identify: error %v; want %v, an error: %t", err, row.want, row.fails)
			}
			if errors.Is(err, tokens.ErrInvalid) {
				t.Errorf("%v blames the token for a failure", err)
			}
			if asked != row.asks {
				t.Errorf("the verifier was asked: %t, want %t", asked, row.asks)
			}
		})
	}
	for name, e := range map[string]*tokens.External{"the zero External": new(tokens.External), "a nil External": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id, ok, err := e.Identify(t.Context(), audience, "x")
			if id != ([16]byte{}) || ok || err == nil {
				t.Errorf("Identify: %x, %t, %v", id, ok, err)
			}
		})
	}
}

func TestAPIKeys(t *testing.T) {
	t.Parallel()
	verify, err := tokens.APIKeys(map[string]string{"key of alice": "alice", "her next key": "alice", "a": "", "b": ""})
	if err != nil {
		t.Fatal(err)
	}
	for token, want := range map[string]string{
		"key of alice": "alice",
		"her next key": "alice",
		"a":            "sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
		"b":            "sha256:3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d",
		"":             "", "c": "", "A": "", "a ": "", "ab": "", "alice": "", "key of alic": "", "key of alice\x00": "",
		"ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb": "",
	} {
		t.Run("token "+token, func(t *testing.T) {
			t.Parallel()
			name, ok, err := verify(t.Context(), token)
			if err != nil || name != want || ok != (want != "") {
				t.Errorf("verify: %q, %t, %v; want %q", name, ok, err, want)
			}
		})
	}
	t.Run("many guesses", func(t *testing.T) { // some hashes begin as those of the keys do
		t.Parallel()
		for i := range 10_000 {
			if name, ok, err := verify(t.Context(), fmt.Sprint("guess ", i)); name != "" || ok || err != nil {
				t.Fatalf("guess %d: %q, %t, %v", i, name, ok, err)
			}
		}
	})
	for name, keys := range map[string]map[string]string{
		"no list":                nil,
		"an empty list":          {},
		"an empty key":           {"": "alice"},
		"an empty key of others": {"x": "bob", "": ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			verify, err := tokens.APIKeys(keys)
			if verify != nil || err == nil || len(configErrors(t, err)) != 1 {
				t.Errorf("APIKeys: %v", err)
			}
		})
	}
}
