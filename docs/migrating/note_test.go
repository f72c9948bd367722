package migrating_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"
)

// TestNote opens a note as doc.go says that it is sealed: with the old
// credential and with Config.Key, and by its place in the store with neither of
// them alone. Processes of two versions meet each other's notes.
func TestNote(t *testing.T) {
	t.Parallel()
	l := ofSCS(newSCS())
	s := newSite(t, l, inMemory())
	cookies := l.login()
	issued := ask(s.app, "GET", "/", cookies).issued()

	old := sha256.Sum256([]byte("scs\x00" + strings.ToLower(cookies[0].Value)))
	place := sha256.Sum256(append([]byte("coatcheck/v1/migrated"), old[:]...))
	name := "session:migrated:" + base64.RawURLEncoding.EncodeToString(place[:])
	sealed, _, err := s.store.Get(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	secret := key.Derive("coatcheck/v1/migrating")
	if text := unseal(t, name, sealed, mac(secret, old[:])); !strings.Contains(text, issued) {
		t.Errorf("it says %q, and not %q", text, issued)
	}
	for what, k := range map[string][]byte{
		"the key alone":           mac(secret, nil),
		"the key and the place":   mac(secret, place[:]),
		"the key as it is":        mac(key.Reveal(), old[:]),
		"the old one, but no key": old[:],
	} {
		if text := unseal(t, name, sealed, k); text != "" {
			t.Errorf("%s opens it: %q", what, text)
		}
	}
}

func mac(key, text []byte) []byte {
	m := hmac.New(sha256.New, key)
	m.Write(text)
	return m.Sum(nil)
}

// unseal returns "" for a key that is not the right one.
func unseal(t *testing.T, name string, sealed, key []byte) string {
	t.Helper()
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		t.Fatal(err)
	}
	text, err := aead.Open(nil, nil, sealed, []byte(name))
	if err != nil {
		return ""
	}
	return string(text)
}
