package session_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/coatcheck/coatcheck/session"
)

func TestCredentials(t *testing.T) {
	t.Parallel()
	m := newManager(t, session.Config{})
	_, c := begin(t, m)
	text := c.Reveal()
	t.Run("S1 S2 an ID is random, and a credential adds 256 random bits", func(t *testing.T) {
		t.Parallel()
		id := c.ID().String()
		if len(text) != 64 || id[14] != '4' || !strings.ContainsRune("89ab", rune(id[19])) {
			t.Errorf("credential of %d characters for ID %s", len(text), id)
		}
		seen := map[string]bool{}
		for range 100 {
			_, other := begin(t, m)
			tail := other.Reveal()[22:]
			if seen[tail] || seen[other.ID().String()] {
				t.Fatal("a secret or an ID came twice")
			}
			seen[tail], seen[other.ID().String()] = true, true
		}
	})
	t.Run("round trip", func(t *testing.T) {
		t.Parallel()
		again, err := session.ParseCredential(text)
		if err != nil || again.Reveal() != text || again.ID() != c.ID() {
			t.Errorf("%v, %v", again.ID(), err)
		}
		load(t, m, again)
	})
	t.Run("S3 what the server did not issue is never adopted", func(t *testing.T) {
		t.Parallel()
		invented, err := session.ParseCredential(base64.RawURLEncoding.EncodeToString(
			append([]byte{1, 2, 3, 4, 5, 6, 0x47, 8, 0x89, 10, 11, 12, 13, 14, 15, 16}, make([]byte, 32)...)))
		if err != nil {
			t.Fatal(err)
		}
		wantDead(t, m, invented)
	})
	t.Run("the right ID with another secret", func(t *testing.T) {
		t.Parallel()
		forged, err := session.ParseCredential(text[:30] + strings.Repeat("A", 34))
		if err != nil {
			t.Fatal(err)
		}
		_, err = m.Load(t.Context(), forged)
		wantError(t, err, session.ErrNotFound)
	})
}

func TestOneSpellingOfACredential(t *testing.T) {
	t.Parallel()
	_, c := begin(t, newManager(t, session.Config{}))
	text := c.Reveal()
	t.Run("S4 one spelling, checked before the store", func(t *testing.T) {
		t.Parallel()
		raw, _ := base64.RawURLEncoding.DecodeString(text)
		v8 := append([]byte(nil), raw...)
		v8[6] = v8[6]&0x0f | 0x80
		for what, bad := range map[string]string{
			"empty":          "",
			"one less":       text[1:],
			"one more":       text + "A",
			"padded":         text + "=",
			"4 KiB":          strings.Repeat("A", 4096),
			"NUL":            text[:63] + "\x00",
			"space":          text[:63] + " ",
			"leading space":  " " + text[:63],
			"quoted":         `"` + text + `"`,
			"quote inside":   text[:63] + `"`,
			"line feed":      text[:60] + "\n\n\n\n",
			"line feed more": text[:32] + "\r\n" + text[32:],
			"other alphabet": text[:62] + "+/",
			"not v4":         base64.RawURLEncoding.EncodeToString(v8),
			"zeros":          strings.Repeat("A", 64),
		} {
			if got, err := session.ParseCredential(bad); err == nil || !got.IsZero() {
				t.Errorf("%s was taken", what)
			} else if len(bad) > 8 && strings.Contains(err.Error(), bad[:8]) {
				t.Errorf("%s is quoted by %v", what, err)
			}
		}
	})
}
