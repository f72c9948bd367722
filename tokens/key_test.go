package tokens_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/coatcheck/coatcheck/tokens"
)

func TestNewKey(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name     string
		id       string
		bytes    int
		mistakes int
	}{
		{"J2 31 bytes", "k1", 31, 1},
		{"J2 no bytes", "k1", 0, 1},
		{"J2 32 bytes", "k1", 32, 0},
		{"more than a block", "k1", 65, 0},
		{"every character", "AZaz09._-", 32, 0},
		{"the longest ID", strings.Repeat("k", 40), 32, 0},
		{"an ID too long", strings.Repeat("k", 41), 32, 1},
		{"an empty ID", "", 32, 1},
		{"an ID with a colon", "a:b", 32, 1},
		{"an ID with a comma", "a,b", 32, 1},
		{"an ID with a quote", `a"b`, 32, 1},
		{"an ID with a slash", "a/b", 32, 1},
		{"an ID with a line feed", "a\n", 32, 1},
		{"an ID with a space", "a b", 32, 1},
		{"an ID beyond ASCII", "ä", 32, 1},
		{"a 32-byte secret in base64 for an ID", base64.RawURLEncoding.EncodeToString(make([]byte, 32)), 32, 1},
		{"both", "", 31, 2},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			secret := bytes.Repeat([]byte{'~'}, row.bytes)
			k, err := tokens.NewKey(row.id, secret)
			if row.mistakes == 0 {
				if err != nil || k.ID() != row.id || !bytes.Equal(k.Reveal(), secret) {
					t.Errorf("NewKey: %v, %v", k, err)
				}
				return
			}
			if err == nil || k.ID() != "" || k.Reveal() != nil {
				t.Fatalf("NewKey: %v, %v", k, err)
			}
			if got := len(configErrors(t, err)); got != row.mistakes {
				t.Errorf("%d mistakes, want %d: %v", got, row.mistakes, err)
			}
			if strings.Contains(err.Error(), "~") || len(row.id) > 2 && strings.Contains(err.Error(), row.id) {
				t.Errorf("the error repeats an argument: %v", err)
			}
		})
	}
	t.Run("the secret is copied, in and out", func(t *testing.T) {
		t.Parallel()
		secret := bytes.Repeat([]byte{7}, 32)
		want := bytes.Clone(secret)
		k, err := tokens.NewKey("k1", secret)
		if err != nil {
			t.Fatal(err)
		}
		secret[0] = 8
		k.Reveal()[1] = 8
		if got := k.Reveal(); !bytes.Equal(got, want) {
			t.Errorf("the secret became %x", got)
		}
	})
}

func TestGenerateKey(t *testing.T) {
	t.Parallel()
	ids, secrets := make(map[string]bool), make(map[string]bool)
	for range 100 {
		k := tokens.GenerateKey()
		if _, err := tokens.NewKey(k.ID(), k.Reveal()); err != nil {
			t.Fatalf("NewKey refuses a generated key: %v", err)
		}
		ids[k.ID()], secrets[string(k.Reveal())] = true, true
	}
	if len(ids) != 100 || len(secrets) != 100 {
		t.Errorf("100 keys have %d IDs and %d secrets", len(ids), len(secrets))
	}
}

func TestDerive(t *testing.T) {
	t.Parallel()
	secret := make([]byte, 32)
	for i := range secret {
		secret[i] = byte(i + 1)
	}
	master, err := tokens.NewKey("master", secret)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("golden: the derivation is frozen", func(t *testing.T) {
		t.Parallel()
		// Made outside this project: HKDF-SHA256 without salt, info
		// "coatcheck/v1/derive", a NUL, and the purpose.
		for purpose, want := range map[string]string{
			"seal": "d81ab45cde09bf7129682058c8fc27ade0504566a329a85cc968b1931b5a7733",
			"":     "6244f99b6e72a595e7ff86f74170d706904a4a709528ab65b614453d0183387e",
		} {
			if got := hex.EncodeToString(master.Derive(purpose)); got != want {
				t.Errorf("Derive(%q) = %s, want %s", purpose, got, want)
			}
		}
	})
	t.Run("the ID plays no part, purpose and secret do", func(t *testing.T) {
		t.Parallel()
		renamed, err := tokens.NewKey("renamed", secret)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(master.Derive("a"), renamed.Derive("a")) {
			t.Error("a renamed key derives something else")
		}
		if bytes.Equal(master.Derive("a"), master.Derive("b")) {
			t.Error("two purposes derive the same")
		}
		if bytes.Equal(master.Derive("a"), key(t, "master", 1).Derive("a")) {
			t.Error("two secrets derive the same")
		}
		if bytes.Equal(master.Derive("a"), master.Reveal()) {
			t.Error("derived is the master")
		}
	})
	t.Run("the zero Key derives nothing", func(t *testing.T) {
		t.Parallel()
		if got := (tokens.Key{}).Derive("a"); got != nil {
			t.Errorf("Derive = %x, want nil", got)
		}
	})
}

// holder has a key where fmt calls no methods.
type holder struct {
	Exported tokens.Key
	hidden   tokens.Key
	pointer  *tokens.Key
}

func TestKeyIsNeverPrinted(t *testing.T) {
	t.Parallel()
	const text = "0j#Vq8~Zk4%wT1^mB6&xR9*pL3!hC7@dN"
	k, err := tokens.NewKey("kid-1", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	s := signer(t, tokens.Config{Keys: []tokens.Key{k}})
	e, err := tokens.NewExternal(tokens.ExternalConfig{Key: k, Verify: accept("x")})
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]any{
		"Key":             k,
		"*Key":            &k,
		"[]Key":           []tokens.Key{k},
		"map":             map[string]tokens.Key{"a": k},
		"struct":          holder{k, k, &k},
		"*struct":         &holder{k, k, &k},
		"Config":          tokens.Config{Keys: []tokens.Key{k}},
		"ExternalConfig":  tokens.ExternalConfig{Key: k},
		"*Signer":         s,
		"*External":       e,
		"an error":        s.SetKeys(k, k),
		"a wrapped Key":   fmt.Errorf("with %v", k),
		"the zero Key":    tokens.Key{},
		"Key in an any":   struct{ v any }{k},
		"Key in a nested": struct{ h holder }{holder{k, k, &k}},
	}
	for name, v := range values {
		t.Run("E2 "+name, func(t *testing.T) {
			t.Parallel()
			for _, verb := range "vsqdxXobtTcUeEfFgGpw" {
				for _, flags := range []string{"", "+", "#", " ", "0", "-40", "+#", ".3", "# "} {
					notSecret(t, text, fmt.Sprintf("%"+flags+string(verb), v))
				}
			}
			notSecret(t, text, fmt.Sprint(v))
			if out, err := json.Marshal(v); err == nil {
				notSecret(t, text, string(out))
			}
			if out, err := xml.Marshal(v); err == nil {
				notSecret(t, text, string(out))
			}
			var log bytes.Buffer
			slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "value", v, slog.Group("g", "value", v))
			slog.New(slog.NewTextHandler(&log, nil)).Info("x", "value", v, slog.Group("g", "value", v))
			notSecret(t, text, log.String())
		})
	}
}

// notSecret fails if out shows more than a few bytes of secret, in any of the
// ways in which bytes are printed.
func notSecret(t *testing.T, secret, out string) {
	t.Helper()
	part := secret[10:16]
	decimal := strings.Trim(fmt.Sprint([]byte(part)), "[]")
	goSyntax := strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", []byte(part)), "[]byte{"), "}")
	for _, form := range []string{
		part, decimal, goSyntax,
		strings.ReplaceAll(decimal, " ", ","),
		fmt.Sprintf("%x", part), fmt.Sprintf("%X", part), fmt.Sprintf("% x", part),
		base64.RawStdEncoding.EncodeToString([]byte(secret))[16:24],
		base64.RawURLEncoding.EncodeToString([]byte(secret))[16:24],
	} {
		if strings.Contains(out, form) {
			t.Errorf("the secret is shown: %s", out)
		}
	}
}

func TestKeyNamesItself(t *testing.T) {
	t.Parallel()
	k := key(t, "kid-1", 1)
	const want = "tokens.Key{kid-1, redacted}"
	text, err := json.Marshal(k)
	if err != nil {
		t.Fatal(err)
	}
	var logged bytes.Buffer
	slog.New(slog.NewTextHandler(&logged, nil)).Info("", "key", k)
	for how, got := range map[string]string{
		"String": k.String(),
		"%v":     fmt.Sprintf("%v", k),
		"%#v":    fmt.Sprintf("%#v", k),
		"%x":     fmt.Sprintf("%x", k),
		"JSON":   string(text),
		"slog":   logged.String(),
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", how, got, want)
		}
	}
	if got := fmt.Sprint(tokens.Key{}); got != "tokens.Key{}" {
		t.Errorf("the zero Key is printed as %s", got)
	}
}
