package interop_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/lestrrat-go/jwx/v3/jwk"

	"github.com/coatcheck/coatcheck/internal/needs"
	"github.com/coatcheck/coatcheck/tokens"
)

// A row is a token, and what is to become of it.
type row struct {
	name  string
	token string

	// What each library's refusal says, or nothing if it is to be accepted.
	golangJWT, jwx, jose string
}

// rows are tokens for all that docs/tokens.md shows of verifying. Each that is
// to be refused differs in one thing from one that is accepted.
func rows(t *testing.T) []row {
	t.Helper()
	good := sign(t, newSigner(t))
	header, claims, signature := cut(good)
	other := sign(t, newSigner(t, signedBy(older)))
	expired, _ := signOnceUponATime(t, newSigner(t))
	const (
		badGolangJWT, badJWX, badJose = "signature is invalid", "could not verify message", "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"

		noKeyGolangJWT, noKeyJWX, noKeyJose = "unknown key, or another kind of token", "could not verify message", "unknown key"
	)
	return []row{
		{name: "signed by the first key", token: good},
		{name: "signed by another key in use", token: other},
		{name: "minted by hand", token: hs256(newer, headerOf("2026-b", "session+jwt"), with("sid", sidText))},

		{"J12 another signature", header + "." + claims + "." + otherBit(signature), badGolangJWT, badJWX, badJose},
		{"J12 other claims", header + "." + b64(strings.Replace(part(t, good, 1), "0011", "0012", 1)) + "." + signature, badGolangJWT, badJWX, badJose},
		{"J12 no signature", header + "." + claims + ".", badGolangJWT, "empty compact signature", badJose},
		{"J14 a removed key", sign(t, newSigner(t, signedBy(removed))), noKeyGolangJWT, noKeyJWX, noKeyJose},
		{"J14 no key", hs256(newer, `{"alg":"HS256","typ":"session+jwt"}`, with("sid", sidText)), noKeyGolangJWT, noKeyJWX, noKeyJose},
		{"J14 another secret under a key's ID", sign(t, newSigner(t, signedBy(key("2026-b", 9)))), badGolangJWT, badJWX, badJose},
		{"J14 the empty secret of an unknown key", hs256(tokens.Key{}, headerOf("2020", "session+jwt"), with("sid", sidText)), noKeyGolangJWT, noKeyJWX, noKeyJose},
		{"J1 HS512", hs512(newer, `{"alg":"HS512","kid":"2026-b","typ":"session+jwt"}`, with("sid", sidText)), "signing method HS512 is invalid", badJWX, "ERR_JOSE_ALG_NOT_ALLOWED"},
		{"J1 none", b64(`{"alg":"none","kid":"2026-b","typ":"session+jwt"}`) + "." + claims + ".", "signing method none is invalid", badJWX, "ERR_JOSE_ALG_NOT_ALLOWED"},
		{"J4 expired", expired, "token is expired", `"exp" not satisfied`, "ERR_JWT_EXPIRED"},
		{"J4 no exp", hs256(newer, headerOf("2026-b", "session+jwt"), with("exp", nil)), "exp claim is required", `required claim "exp"`, `missing required "exp"`},
		{"J8 another issuer", sign(t, newSigner(t, from("https://shop.example.net"))), "invalid issuer", `"iss" not satisfied`, `unexpected "iss"`},
		{"J8 another manager", signFor(t, newSigner(t), "admin"), "invalid audience", `"aud" not satisfied`, `unexpected "aud"`},
		{"J9 another type", sign(t, newSigner(t, ofType("JWT"))), "unknown key, or another kind of token", "another kind of token", `unexpected "typ"`},
	}
}

func cut(token string) (header, claims, signature string) {
	parts := strings.Split(token, ".")
	return parts[0], parts[1], parts[2]
}

// otherBit changes the first bit of a text in base64url.
func otherBit(s string) string {
	if s[0] == 'A' {
		return "g" + s[1:]
	}
	return "A" + s[1:]
}

// TestVerification gives the same tokens to each function that docs/tokens.md
// shows, and to our own verification.
func TestVerification(t *testing.T) {
	t.Parallel()
	rows := rows(t)

	t.Run("golang-jwt", func(t *testing.T) {
		t.Parallel()
		secrets := map[string][]byte{newer.ID(): newer.Reveal(), older.ID(): older.Reveal()}
		for _, r := range rows {
			t.Run(r.name, func(t *testing.T) {
				sid, err := verifyByGolangJWT(r.token, secrets)
				compare(t, sid, message(err), r.golangJWT)
			})
		}
	})
	t.Run("jwx", func(t *testing.T) {
		t.Parallel()
		keys := jwks(t)
		for _, r := range rows {
			t.Run(r.name, func(t *testing.T) {
				sid, err := verifyByJWX([]byte(r.token), keys)
				compare(t, sid, message(err), r.jwx)
			})
		}
	})
	t.Run("jose", func(t *testing.T) {
		t.Parallel()
		var questions []question
		for _, r := range rows {
			questions = append(questions, question{Do: "snippet", Token: r.token})
		}
		answers := askNode(t, questions...)
		for i, r := range rows {
			t.Run(r.name, func(t *testing.T) { compare(t, answers[i].SID, answers[i].Error, r.jose) })
		}
	})
	t.Run("ours", func(t *testing.T) {
		t.Parallel()
		s := newSigner(t)
		for _, r := range rows {
			t.Run(r.name, func(t *testing.T) {
				if r.jose == "" {
					accepted(t, s, r.token)
				} else {
					refused(t, s, r.token, tokens.ErrInvalid)
				}
			})
		}
	})
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// compare judges what a library says of a token.
func compare(t *testing.T, sid, refusal, want string) {
	t.Helper()
	switch {
	case want == "" && (sid != sidText || refusal != ""):
		t.Errorf("%q, refused with %q; want %s", sid, refusal, sidText)
	case want != "" && (sid != "" || !strings.Contains(refusal, want)):
		t.Errorf("%q, refused with %q; want it to say %q", sid, refusal, want)
	}
}

// jwks lets jwx read the key set that jwks.sh makes.
func jwks(t *testing.T) jwk.Set {
	t.Helper()
	set, err := jwk.Parse([]byte(jwksText(t)))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// jwksText lets jwks.sh make a key set from a key file that LoadKeys reads too.
func jwksText(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys")
	text := "# the first signs\n" + keyList(" # and more\n\n", newer, older) + "\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if keys, err := tokens.LoadKeys(path); err != nil || len(keys) != 2 {
		t.Fatalf("LoadKeys: %v, %v", keys, err)
	}
	return shell(t, "jwks.sh", "KEYS="+path)
}

// shell runs a script, which must succeed, and returns what it prints.
func shell(t *testing.T, script string, env ...string) string {
	t.Helper()
	out, err := command(t, script, env...).Output()
	if err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	return string(out)
}

func command(t *testing.T, script string, env ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), needs.Program(t, required, "sh"), script)
	cmd.Env = append(os.Environ(), env...)
	return cmd
}

// TestKeySet reads what jwks.sh prints as a gateway does: as RFC 7517 names it.
func TestKeySet(t *testing.T) {
	t.Parallel()
	var set struct{ Keys []map[string]string }
	if err := json.Unmarshal([]byte(jwksText(t)), &set); err != nil {
		t.Fatal(err)
	}
	var want []map[string]string
	for _, k := range []tokens.Key{newer, older} {
		want = append(want, map[string]string{"kty": "oct", "alg": "HS256", "kid": k.ID(), "k": b64(string(k.Reveal()))})
	}
	if !reflect.DeepEqual(set.Keys, want) {
		t.Errorf("%v, want %v", set.Keys, want)
	}
}

func TestNewKey(t *testing.T) {
	t.Parallel()
	needs.Program(t, required, "openssl")
	keys, err := tokens.ParseKeys(shell(t, "newkey.sh"))
	if err != nil || len(keys) != 1 || keys[0].ID() != "2026-b" || len(keys[0].Reveal()) != 32 {
		t.Errorf("%v, %v", keys, err)
	}
}

// TestInspect lets openssl compute the signature.
func TestInspect(t *testing.T) {
	t.Parallel()
	needs.Program(t, required, "openssl")
	secret := "SECRET=" + secretText(newer)
	for _, name := range []string{"s", "se", "ses"} { // claims of three lengths, for what base64 does at their end
		token := signFor(t, newSigner(t), name)
		if got, want := shell(t, "inspect.sh", secret, "TOKEN="+token), part(t, token, 1)+"\n"; got != want {
			t.Errorf("prints %q, want %q", got, want)
		}
	}
	good := sign(t, newSigner(t))
	header, claims, signature := cut(good)
	for name, token := range map[string]string{
		"another signature": header + "." + claims + "." + otherBit(signature),
		"other claims":      header + "." + otherBit(claims) + "." + signature,
		"no signature":      header + "." + claims + ".",
		"another secret":    sign(t, newSigner(t, signedBy(older))),
		"nothing":           "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := command(t, "inspect.sh", secret, "TOKEN="+token).Output()
			if err == nil || len(out) > 0 {
				t.Errorf("%v, and prints %q", err, out)
			}
		})
	}
}
