package tokens

import (
	"bytes"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

const (
	// minSecretBytes is the least that RFC 7518 section 3.2 allows for HS256.
	minSecretBytes = 32

	// maxKeyIDBytes has room for a UUID or a SHA-1 in hex, but is less than
	// the 43 characters of 32 bytes in base64: a secret that was written where
	// the ID belongs is refused, rather than sent out in every token's header.
	maxKeyIDBytes = 40

	keyIDAlphabet = "letters, digits, '.', '_' and '-'"
)

// A Key is a secret with a public name. The name travels in the header of every
// token that the key signs (RFC 7515 section 4.1.4); the secret does not leave
// the process, and shows itself by [Key.Reveal] only: printed with any verb,
// marshalled or logged, a Key gives its ID and the word "redacted".
//
// The zero Key holds no secret, and is refused wherever a key is required. A
// Key is immutable; it can be copied, and used concurrently.
type Key struct {
	id string

	// secret returns the secret, which must not be changed. It is a function
	// because printers and dumpers follow pointers, some of them even those
	// in unexported fields, but none calls a function.
	secret func() []byte
}

// NewKey makes a key of a secret, which it copies, and an ID: 1 to 40 letters,
// digits, dots, underscores and hyphens, unique among the keys it is used with.
//
// The secret must be at least 32 bytes (RFC 7518 section 3.2), and should be as
// many random ones: a passphrase, however long, can be guessed offline by
// anyone who has a token. The error joins a [*ConfigError] for each mistake,
// and repeats neither argument, lest they were swapped.
func NewKey(id string, secret []byte) (Key, error) {
	var errs []error
	for _, reason := range []string{idMistake(id), secretMistake(secret)} {
		if reason != "" {
			errs = append(errs, &ConfigError{Field: "tokens.NewKey", Reason: reason})
		}
	}
	if errs != nil {
		return Key{}, errors.Join(errs...)
	}
	return newKey(id, bytes.Clone(secret)), nil
}

// GenerateKey makes a key of 32 random bytes, with a random ID.
//
// Its tokens are refused by every other process and after a restart: it is for
// tests, for development, and for making a key that is then stored.
func GenerateKey() Key {
	var id [8]byte
	secret := make([]byte, minSecretBytes)
	rand.Read(id[:]) // never fails: it ends the process if the system has no randomness
	rand.Read(secret)
	return newKey(hex.EncodeToString(id[:]), secret)
}

func newKey(id string, secret []byte) Key {
	return Key{id: id, secret: func() []byte { return secret }}
}

func idMistake(id string) string {
	if isKeyID(id) {
		return ""
	}
	return fmt.Sprintf("the ID must be 1 to %d %s", maxKeyIDBytes, keyIDAlphabet)
}

func secretMistake(secret []byte) string {
	if len(secret) >= minSecretBytes {
		return ""
	}
	return fmt.Sprintf("the secret has %d bytes, and needs at least %d", len(secret), minSecretBytes)
}

// isKeyID keeps to an alphabet that means itself in JSON, in an environment
// variable and in a log line.
func isKeyID[T string | []byte](s T) bool {
	return 0 < len(s) && len(s) <= maxKeyIDBytes && all(s, func(c byte) bool {
		return isAlphanumeric(c) || c == '.' || c == '_' || c == '-'
	})
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

func all[T string | []byte](s T, allowed func(byte) bool) bool {
	for i := range len(s) {
		if !allowed(s[i]) {
			return false
		}
	}
	return true
}

func (k Key) isZero() bool { return k.secret == nil }

// ID returns the key's public name, or "" for the zero Key.
func (k Key) ID() string { return k.id }

// Reveal returns a copy of the secret, or nil for the zero Key.
func (k Key) Reveal() []byte {
	if k.isZero() {
		return nil
	}
	return bytes.Clone(k.secret())
}

// Derive returns 32 bytes made of the secret for one purpose, by HKDF-SHA256
// (RFC 5869): from one stored master key come, say, the keys that seal sessions
// and those that identify external clients, and none of them tells another or
// the master. The ID plays no part, so a key can be renamed. Any two purposes
// give independent bytes; the same purpose always the same.
//
// The zero Key derives nil, which no constructor of a key accepts: bytes
// derived from no secret would be known to everybody.
func (k Key) Derive(purpose string) []byte {
	return k.derive("coatcheck/v1/derive\x00" + purpose)
}

// derive is fed infos that cannot be mistaken for each other: only those of
// Derive begin as they do, up to the NUL.
func (k Key) derive(info string) []byte {
	if k.isZero() {
		return nil
	}
	// It fails for too long an output or too short a secret: for neither
	// here, and if it ever did, nil would be refused by whoever gets it.
	derived, _ := hkdf.Key(sha256.New, k.secret(), nil, info, sha256.Size)
	return derived
}

// String names the key, and keeps its secret.
func (k Key) String() string {
	if k.isZero() {
		return "tokens.Key{}"
	}
	return "tokens.Key{" + k.id + ", redacted}"
}

// Format writes the same as [Key.String], whatever the verb.
func (k Key) Format(f fmt.State, _ rune) { io.WriteString(f, k.String()) }

// MarshalText returns the same as [Key.String], and so keeps the secret out of
// JSON, XML and YAML. There is no way back.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// LogValue gives [log/slog] the same as [Key.String].
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }
