package tokens_test

import (
	"errors"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/tokens"
)

// TestMutants changes a valid token in every way that one byte allows.
func TestMutants(t *testing.T) {
	t.Parallel()
	s := signer(t, tokens.Config{Keys: []tokens.Key{key(t, "k1", 1), key(t, "k2", 2)}})
	token := sign(t, s, time.Hour)
	accepted(t, s, token)
	refuse := func(t *testing.T, mutant []byte) {
		id, err := s.Verify(audience, string(mutant))
		if id != ([16]byte{}) || !errors.Is(err, tokens.ErrInvalid) {
			t.Fatalf("Verify(%q): %x, %v", mutant, id, err)
		}
	}

	t.Run("J12 every substitution", func(t *testing.T) {
		t.Parallel()
		mutant, tried := []byte(token), 0
		for i := range token {
			for b := range 256 {
				if byte(b) != token[i] {
					mutant[i] = byte(b)
					refuse(t, mutant)
					tried++
				}
			}
			mutant[i] = token[i]
		}
		if want := 255 * len(token); tried != want {
			t.Errorf("tried %d substitutions, want %d", tried, want)
		}
	})
	t.Run("J12 every insertion", func(t *testing.T) {
		t.Parallel()
		for i := range len(token) + 1 {
			mutant := append([]byte(token[:i]+"?"), token[i:]...)
			for b := range 256 {
				mutant[i] = byte(b)
				refuse(t, mutant)
			}
		}
	})
	t.Run("J12 every deletion", func(t *testing.T) {
		t.Parallel()
		for i := range token {
			refuse(t, []byte(token[:i]+token[i+1:]))
		}
	})
	t.Run("J12 every prefix and suffix", func(t *testing.T) {
		t.Parallel()
		for i := 1; i <= len(token); i++ {
			refuse(t, []byte(token[i:]))
			refuse(t, []byte(token[:len(token)-i]))
		}
	})
}
