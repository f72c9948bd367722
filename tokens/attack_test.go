package tokens_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/coatcheck/coatcheck/tokens"
)

// An attack is one construction. Its name begins with the requirement that it
// tries to break.
type attack struct {
	name  string
	want  error
	token func(a *arena) string
}

// An arena is a signer under attack, and what the attacker may have: in many
// rows the very key, because a token that we signed, or somebody who shares the
// key, must not pass for what it isn't either.
type arena struct {
	t         *testing.T
	signer    *tokens.Signer
	first     tokens.Key // "k1", signs
	second    tokens.Key // "k2", verifies
	removed   tokens.Key // "k0", did once
	stranger  tokens.Key // "k9", never did
	valid     string
	signature string
}

func newArena(t *testing.T) *arena {
	a := &arena{t: t, first: key(t, "k1", 1), second: key(t, "k2", 2), removed: key(t, "k0", 3), stranger: key(t, "k9", 9)}
	a.signer = signer(t, tokens.Config{Keys: []tokens.Key{a.removed}})
	if err := a.signer.SetKeys(a.first, a.second); err != nil {
		t.Fatal(err)
	}
	a.valid = forge(a.first.Reveal(), header("k1"), payload())
	a.signature = a.valid[strings.LastIndexByte(a.valid, '.')+1:]
	return a
}

// withHeader is correctly signed by the first key under another header.
func withHeader(header string) func(*arena) string {
	return func(a *arena) string { return forge(a.first.Reveal(), header, payload()) }
}

// withPayload is correctly signed by the first key, with other claims.
func withPayload(payload string) func(*arena) string {
	return func(a *arena) string { return forge(a.first.Reveal(), header("k1"), payload) }
}

// withClaims is correctly signed by the first key, with edited claims.
func withClaims(edits ...string) func(*arena) string {
	return func(a *arena) string { return withPayload(payload(edits...))(a) }
}

// withRaw is correctly signed by the first key over a second part as it stands.
func withRaw(part func(good string) string) func(*arena) string {
	return func(a *arena) string {
		return forgeRaw(sha256.New, a.first.Reveal(), b64(header("k1"))+"."+part(b64(payload())))
	}
}

// edited is a valid token, changed.
func edited(f func(token string) string) func(*arena) string {
	return func(a *arena) string { return f(a.valid) }
}

// parts is a valid token, put together otherwise.
func parts(f func(header, payload, signature string) string) func(*arena) string {
	return func(a *arena) string {
		p := strings.Split(a.valid, ".")
		return f(p[0], p[1], p[2])
	}
}

// withMethod is signed by another algorithm, and says so.
func withMethod(method jwt.SigningMethod, key func(a *arena) any) func(*arena) string {
	return func(a *arena) string {
		text := b64(strings.Replace(header("k1"), "HS256", method.Alg(), 1)) + "." + b64(payload())
		signature, err := method.Sign(text, key(a))
		if err != nil {
			a.t.Fatal(err)
		}
		return text + "." + b64(string(signature))
	}
}

func secretOf(a *arena) any { return a.first.Reveal() }

func ecdsaKey(a *arena) any {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	return k
}

func ed25519Key(a *arena) any {
	_, k, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	return k
}

func headerWith(member string) string {
	return strings.Replace(header("k1"), `"alg"`, member+`,"alg"`, 1)
}

func good() string { return b64(header("k1")) + "." + b64(payload()) }

func TestAttacks(t *testing.T) {
	t.Parallel()
	attacks := concat(headerAttacks, partAttacks, signatureAttacks, timeAttacks, nameAttacks, memberAttacks)
	if len(attacks) < 60 {
		t.Errorf("only %d attacks", len(attacks))
	}
	seen := make(map[string]bool)
	for _, row := range attacks {
		if seen[row.name] {
			t.Errorf("two attacks are called %q", row.name)
		}
		seen[row.name] = true
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T) {
				a := newArena(t)
				accepted(t, a.signer, a.valid) // what is attacked is in order
				token := row.token(a)
				refused(t, a.signer, token, row.want)
				_, err := a.signer.Verify(audience, token)
				for part := range strings.SplitSeq(token, ".") {
					if len(part) > 8 && strings.Contains(err.Error(), part) {
						t.Errorf("the error repeats the token: %v", err)
					}
				}
			})
		})
	}
}

func concat(tables ...[]attack) (all []attack) {
	for _, t := range tables {
		all = append(all, t...)
	}
	return all
}
