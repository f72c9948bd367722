package session_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

// TestPutBack is about what sealing can't keep somebody from who writes to the
// store: what he puts back was genuine once. docs/security.md says so.
func TestPutBack(t *testing.T) {
	t.Parallel()
	t.Run("a record that was sealed is taken again, until its deadline and not with another fingerprint", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			st := newStore()
			m := newManager(t, session.Config{Store: st, SealKeys: []session.SealKey{session.GenerateSealKey()}, IdleTimeout: time.Minute})
			s := m.New()
			s.SetSubject("alice")
			s.SetFingerprint("the password then")
			commit(t, s)
			c := s.Credential()
			then := rawValue(t, st, c)
			s.Destroy()
			commit(t, s)
			wantDead(t, m, c)
			overwrite(t, st, c, then)
			if again := load(t, m, c); again.Subject() != "alice" || again.FingerprintIs("the password now") {
				t.Error("it is not the session that it was")
			}
			time.Sleep(time.Minute)
			wantDead(t, m, c)
		})
	})
	t.Run("a list that was sealed is taken again, and misses what came since", func(t *testing.T) {
		t.Parallel()
		st := newStore()
		m := newManager(t, session.Config{Store: st, SealKeys: []session.SealKey{session.GenerateSealKey()}})
		var index string
		st.before = func(op, key string) error {
			if op == "create" && len(key) > len("session:")+22 {
				index = key
			}
			return nil
		}
		first := login(t, m, "alice")
		then, _, err := st.Store.Get(t.Context(), index)
		if err != nil {
			t.Fatal(err)
		}
		login(t, m, "alice")
		_, version, err := st.Store.Get(t.Context(), index)
		if err == nil {
			err = st.Store.Update(t.Context(), index, then, version, time.Hour)
		}
		if err != nil {
			t.Fatal(err)
		}
		wantIDs(t, m, "alice", first.ID())
	})
}
