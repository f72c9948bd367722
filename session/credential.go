package session

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
)

const (
	secretBytes     = 32
	credentialBytes = len(ID{}) + secretBytes
	credentialChars = credentialBytes * 4 / 3 // 48 bytes: no spare bits, no padding
)

// A Credential is an ID and the secret that proves the right to its session: a
// cookie's value, or an opaque token. The secret is given to the client once;
// the store keeps no more than its SHA-256.
//
// The zero Credential opens nothing. A Credential can be copied and shared, and
// not compared by ==; it is immutable. It redacts itself in every fmt verb, in JSON and in slog; only
// Reveal shows it.
type Credential struct{ c hidden[credential] }

type credential struct {
	id     ID
	secret [secretBytes]byte
}

var errCredential = errors.New("session: malformed credential")

// ParseCredential reads what [Credential.Reveal] writes: 64 characters of
// base64url without padding. There is one spelling per credential. The error
// never quotes the input.
func ParseCredential(s string) (Credential, error) {
	if len(s) != credentialChars {
		return Credential{}, errCredential
	}
	var raw [credentialBytes]byte
	// The decoder skips CR and LF; what they replaced is then missing from n.
	n, err := base64.RawURLEncoding.Decode(raw[:], []byte(s))
	if err != nil || n != credentialBytes {
		return Credential{}, errCredential
	}
	id := ID(raw[:len(ID{})])
	if !id.isRandom() {
		return Credential{}, errCredential // an external session has no secret, and no other ID is issued
	}
	return Credential{hide(&credential{id, [secretBytes]byte(raw[len(id):])})}, nil
}

// Reveal returns the credential as it is sent to the client. Keep it out of
// logs. It is empty for the zero Credential.
func (c Credential) Reveal() string {
	v := c.c.get()
	if v == nil {
		return ""
	}
	var raw [credentialBytes]byte
	copy(raw[:], v.id[:])
	copy(raw[len(v.id):], v.secret[:])
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

// ID returns the public part: the zero ID for the zero Credential.
func (c Credential) ID() ID {
	if c.IsZero() {
		return ID{}
	}
	return c.c.get().id
}

// IsZero reports whether this is no credential at all.
func (c Credential) IsZero() bool { return c.c.get() == nil }

func (c Credential) hash() [sha256.Size]byte { return sha256.Sum256(c.c.get().secret[:]) }

// proves reports whether the secret is the one that was hashed.
func (c Credential) proves(hash [sha256.Size]byte) bool {
	h := c.hash()
	return subtle.ConstantTimeCompare(h[:], hash[:]) == 1
}

func newCredential(id ID) Credential {
	c := &credential{id: id}
	rand.Read(c.secret[:]) // ends the program if it fails
	return Credential{hide(c)}
}
