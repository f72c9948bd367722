package session_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"testing"

	"github.com/coatcheck/coatcheck/session"
)

// FuzzRecord: whatever the store holds, nothing panics, and what is accepted
// has one encoding.
func FuzzRecord(f *testing.F) {
	for _, g := range golden(f) {
		value, _ := hex.DecodeString(g.Value)
		if value[0] == 1 {
			f.Add(value[1 : len(value)-4])
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		again, err := session.Reencode(body)
		if err == nil && !bytes.Equal(again, body) {
			t.Errorf("%x was accepted, and is %x when written again", body, again)
		}
	})
}

// FuzzStored: whatever the store holds, a manager answers.
func FuzzStored(f *testing.F) {
	for _, g := range golden(f) {
		value, _ := hex.DecodeString(g.Value)
		f.Add(value)
	}
	k := session.GenerateSealKey()
	f.Fuzz(func(t *testing.T, value []byte) {
		for _, keys := range [][]session.SealKey{nil, {k}} {
			st := newStore()
			m := newManager(t, session.Config{Store: st, SealKeys: keys})
			s, c := begin(t, m)
			overwrite(t, st, c, value)
			if _, err := m.Load(t.Context(), c); err == nil && len(keys) > 0 {
				t.Error("opened a record that nobody sealed")
			}
			count.Update(s, increment)
			_ = s.Commit(t.Context())
			s.Destroy()
			_ = s.Commit(t.Context())
		}
	})
}

func FuzzCredential(f *testing.F) {
	_, c := begin(f, newManager(f, session.Config{}))
	f.Add(c.Reveal())
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := session.ParseCredential(text)
		if err == nil && c.Reveal() != text {
			t.Errorf("%q was accepted, and is %q when written again", text, c.Reveal())
		}
		if err != nil && !c.IsZero() {
			t.Errorf("%q was refused, with a result", text)
		}
	})
}

func FuzzID(f *testing.F) {
	f.Add("0f4e3c2b-1a09-4877-a655-443322110f0e")
	f.Fuzz(func(t *testing.T, text string) {
		if id, err := session.ParseID(text); err == nil && id.String() != text {
			t.Errorf("%q was accepted, and is %q when written again", text, id)
		}
	})
}

// FuzzText: a string read without a decoder is what the decoder makes of it.
func FuzzText(f *testing.F) {
	for _, raw := range []string{`""`, `"a"`, `"`, `"a\"b"`, `"\u00e9"`, `"é"`, `"a" "b"`, `"a`, "\"\x01\"", "\"\xff\"", `"<&>"`, `1`} {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, ok := session.PlainText(raw)
		var want string
		if err := json.Unmarshal(raw, &want); ok && (err != nil || got != want) {
			t.Errorf("%q is read as %q, and as %q, %v by a decoder", raw, got, want, err)
		}
	})
}
