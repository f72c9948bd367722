package tokens_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/coatcheck/coatcheck/tokens"
)

// A service's signer: its keys come from the environment, and every process has
// the same ones.
func Example() {
	secret := base64.StdEncoding.EncodeToString(make([]byte, 32)) // a real one: openssl rand -base64 32
	os.Setenv("COATCHECK_KEYS", "2026-a:"+secret)

	keys, err := tokens.ParseKeys(os.Getenv("COATCHECK_KEYS"))
	if err != nil {
		log.Fatal(err)
	}
	signer, err := tokens.NewSigner(tokens.Config{Issuer: "https://shop.example", Keys: keys})
	if err != nil {
		log.Fatal(err)
	}
	id := [16]byte{6: 0x40, 8: 0x80} // a session's
	token, _, err := signer.Sign("session", id, time.Now().Add(time.Hour))
	if err != nil {
		log.Fatal(err)
	}
	first, _, _ := strings.Cut(token, ".")
	header, err := base64.RawURLEncoding.DecodeString(first)
	fmt.Println(string(header), err)
	got, err := signer.Verify("session", token)
	fmt.Println(got == id, err)
	// Output:
	// {"alg":"HS256","kid":"2026-a","typ":"session+jwt"} <nil>
	// true <nil>
}

func ExampleNewSigner() {
	signer, err := tokens.NewSigner(tokens.Config{
		Issuer: "https://shop.example",
		Keys:   []tokens.Key{tokens.GenerateKey()}, // a real service: tokens.ParseKeys(os.Getenv("COATCHECK_KEYS"))
		TTL:    15 * time.Minute,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	id := [16]byte{6: 0x40, 8: 0x80} // a session's ID
	token, _, err := signer.Sign("session", id, time.Now().Add(12*time.Hour))
	if err != nil {
		fmt.Println(err)
		return
	}
	got, err := signer.Verify("session", token)
	fmt.Println(got == id, err)

	_, err = signer.Verify("admin", token) // another manager's sessions
	fmt.Println(err)
	// Output:
	// true <nil>
	// tokens: invalid token: claims not accepted: aud is another manager
}

// All mistakes are reported at once, and no key's bytes with them.
func ExampleNewSigner_mistakes() {
	_, err := tokens.NewSigner(tokens.Config{
		Keys:   []tokens.Key{{}},
		Leeway: time.Hour,
		TTL:    -time.Minute,
	})
	fmt.Println(err)
	// Output:
	// tokens.Config.Issuer: required
	// tokens.Config.TTL = -1m0s: must be 0 (as long as the session) or at least 1s
	// tokens.Config.Leeway = 1h0m0s: must be at most 1m0s
	// tokens.Config.Keys[0] = tokens.Key{}: the zero Key has no secret; use NewKey, ParseKeys or LoadKeys
}

// A key is made once, kept by a secret store as a line of text, and read from
// there by every process.
func ExampleGenerateKey() {
	key := tokens.GenerateKey()
	line := key.ID() + ":" + base64.StdEncoding.EncodeToString(key.Reveal()) // into COATCHECK_KEYS, say

	keys, err := tokens.ParseKeys(line)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(keys), keys[0].ID() == key.ID(), len(keys[0].Reveal()))
	// Output: 1 true 32
}

// Do not do this: every process of a service, and the same one after a restart,
// must be given the same keys. With a generated key each, they refuse each
// other's tokens.
func ExampleGenerateKey_wrong() {
	start := func() *tokens.Signer {
		s, err := tokens.NewSigner(tokens.Config{Issuer: "https://shop.example", Keys: []tokens.Key{tokens.GenerateKey()}})
		if err != nil {
			panic(err)
		}
		return s
	}
	one, other := start(), start()

	token, _, _ := one.Sign("session", [16]byte{6: 0x40, 8: 0x80}, time.Now().Add(time.Hour))
	_, err := other.Verify("session", token)
	fmt.Println(err)
	// Output: tokens: invalid token: unknown key
}

// A rotation in three calls, or in three rollouts.
func ExampleSigner_SetKeys() {
	june, _ := tokens.NewKey("2026-06", make([]byte, 32))
	july, _ := tokens.NewKey("2026-07", []byte(strings.Repeat("7", 32)))
	signer, err := tokens.NewSigner(tokens.Config{Issuer: "https://shop.example", Keys: []tokens.Key{june}})
	if err != nil {
		fmt.Println(err)
		return
	}
	token, _, _ := signer.Sign("session", [16]byte{6: 0x40, 8: 0x80}, time.Now().Add(time.Hour))
	for _, step := range []struct {
		name string
		keys []tokens.Key
	}{
		{"add", []tokens.Key{june, july}},     // July's tokens are accepted already
		{"promote", []tokens.Key{july, june}}, // July signs
		{"remove", []tokens.Key{july}},        // June's tokens are refused
	} {
		if err := signer.SetKeys(step.keys...); err != nil {
			fmt.Println(err)
		}
		_, err := signer.Verify("session", token)
		fmt.Printf("%s: reissue %t, %v\n", step.name, signer.ShouldReissue(token), err)
	}
	// Output:
	// add: reissue false, <nil>
	// promote: reissue true, <nil>
	// remove: reissue false, tokens: invalid token: unknown key
}

// Which error it was is for the log; the client learns only that it is not let in.
func ExampleSigner_Verify() {
	signer, err := tokens.NewSigner(tokens.Config{Issuer: "https://shop.example", Keys: []tokens.Key{tokens.GenerateKey()}})
	if err != nil {
		fmt.Println(err)
		return
	}
	token, _, _ := signer.Sign("session", [16]byte{6: 0x40, 8: 0x80}, time.Now().Add(time.Hour))
	for _, token := range []string{token + "A", "ya29.somebody-else-issued-this"} {
		_, err := signer.Verify("session", token)
		fmt.Println(err)
		fmt.Println("  invalid:", errors.Is(err, tokens.ErrInvalid))
		fmt.Println("  perhaps another verifier's:", errors.Is(err, errors.ErrUnsupported))
	}
	// Output:
	// tokens: invalid token: bad signature
	//   invalid: true
	//   perhaps another verifier's: false
	// tokens: invalid token: not in this signer's form
	//   invalid: true
	//   perhaps another verifier's: true
}

func ExampleNewKey() {
	_, err := tokens.NewKey("a key", []byte("too short"))
	fmt.Println(err)
	// Output:
	// tokens.NewKey: the ID must be 1 to 40 letters, digits, '.', '_' and '-'
	// tokens.NewKey: the secret has 9 bytes, and needs at least 32
}

// A key says its name, and nothing else.
func ExampleKey() {
	key, err := tokens.NewKey("2026-a", make([]byte, 32))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%v %x\n", key, key)
	log := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	log.Info("signing", "key", key)
	// Output:
	// tokens.Key{2026-a, redacted} tokens.Key{2026-a, redacted}
	// level=INFO msg=signing key="tokens.Key{2026-a, redacted}"
}

func ExampleKey_Derive() {
	master, err := tokens.NewKey("master", make([]byte, 32))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.6x…\n", master.Derive("sealing sessions"))
	fmt.Printf("%.6x…\n", master.Derive("something else"))
	// Output:
	// f4585826a2d3…
	// c6312c01463f…
}

func ExampleParseKeys() {
	secret := base64.StdEncoding.EncodeToString(make([]byte, 32)) // openssl rand -base64 32
	keys, err := tokens.ParseKeys("2026-b:" + secret + ", 2026-a:" + strings.TrimRight(secret, "="))
	fmt.Println(keys, err)

	_, err = tokens.ParseKeys(secret + ",2026-a:" + secret[:20])
	fmt.Println(err)
	// Output:
	// [tokens.Key{2026-b, redacted} tokens.Key{2026-a, redacted}] <nil>
	// tokens.ParseKeys: key 1: want an ID, a colon, and the secret in base64
	// tokens.ParseKeys: key 2: the secret has 15 bytes, and needs at least 32
}

func ExampleReadKeys() {
	secret := base64.StdEncoding.EncodeToString(make([]byte, 32))
	keys, err := tokens.ReadKeys(strings.NewReader("# signs\n2026-b:" + secret + "\n"))
	fmt.Println(keys, err)
	// Output: [tokens.Key{2026-b, redacted}] <nil>
}

func ExampleLoadKeys() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "keys")
	line := "2026-b:" + base64.StdEncoding.EncodeToString(make([]byte, 32)) + "\n"
	if err := os.WriteFile(path, []byte(line), 0o600); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(tokens.LoadKeys(path))
	// Output: [tokens.Key{2026-b, redacted}] <nil>
}

// A client that shows somebody else's token gets a session that is always its
// own, whichever of its tokens it shows.
func ExampleNewExternal() {
	external, err := tokens.NewExternal(tokens.ExternalConfig{
		Key: tokens.GenerateKey(), // a real service: one that stays
		Verify: func(ctx context.Context, token string) (name string, ok bool, err error) {
			// Ask the issuer, or verify a signature. Name the issuer and
			// the subject, so that no two clients share a name.
			subject, ok := strings.CutPrefix(token, "token-of-")
			return fmt.Sprintf("%q %q", "https://idp.example", subject), ok, nil
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	alice, ok, err := external.Identify(context.Background(), "session", "token-of-alice")
	fmt.Println(ok, err)
	again, _, _ := external.Identify(context.Background(), "session", "token-of-alice")
	bob, _, _ := external.Identify(context.Background(), "session", "token-of-bob")
	fmt.Println(alice == again, alice == bob)
	_, ok, err = external.Identify(context.Background(), "session", "made-up")
	fmt.Println(ok, err)
	// Output:
	// true <nil>
	// true false
	// false <nil>
}

func ExampleAPIKeys() {
	verify, err := tokens.APIKeys(map[string]string{
		"4HqT2…": "printer",
		"9dKw7…": "printer", // its next key; the session stays the same
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(verify(context.Background(), "9dKw7…"))
	fmt.Println(verify(context.Background(), "a guess"))
	// Output:
	// printer true <nil>
	//  false <nil>
}
