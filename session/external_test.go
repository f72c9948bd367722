package session_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

func external(t testing.TB, m *session.Manager) *session.Session {
	t.Helper()
	s, err := m.LoadExternal(t.Context(), externalID(t))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func externalID(t testing.TB) session.ID {
	t.Helper()
	id, err := session.ParseID("0f4e3c2b-1a09-8877-a655-443322110f0e")
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestExternal(t *testing.T) {
	t.Parallel()
	t.Run("first use creates it, later ones find it", func(t *testing.T) {
		t.Parallel()
		m := newManager(t, session.Config{})
		s := external(t, m)
		if s.Stored() {
			t.Error("it is stored before anything was put into it")
		}
		count.Put(s, 1)
		commit(t, s)
		if n, _ := count.Get(external(t, m)); n != 1 || !s.Credential().IsZero() {
			t.Errorf("count is %d", n)
		}
	})
	t.Run("S17 two first uses at once are both kept", func(t *testing.T) {
		t.Parallel()
		m := newManager(t, session.Config{})
		a, b := external(t, m), external(t, m)
		count.Update(a, increment)
		count.Update(b, increment)
		name.Put(b, "b")
		commit(t, a)
		commit(t, b)
		if n, _ := count.Get(external(t, m)); n != 2 {
			t.Errorf("count is %d, want 2", n)
		}
	})
	t.Run("S5 it keeps its ID through Renew and SetSubject", func(t *testing.T) {
		t.Parallel()
		m := newManager(t, session.Config{})
		s := external(t, m)
		count.Put(s, 1)
		commit(t, s)
		s.Renew()
		if s.Pending() {
			t.Error("Renew has something to write")
		}
		s.SetSubject("alice")
		commit(t, s)
		if s := external(t, m); s.Subject() != "alice" {
			t.Errorf("subject is %q", s.Subject())
		}
	})
	t.Run("S8 a commit that meets another life is gone", func(t *testing.T) {
		t.Parallel()
		m := newManager(t, session.Config{})
		s := external(t, m)
		count.Put(s, 1)
		commit(t, s)
		late, login := external(t, m), external(t, m)
		login.SetSubject("alice")
		commit(t, login)
		count.Update(late, increment)
		wantError(t, late.Commit(t.Context()), session.ErrGone)

		late, lateEnd, end := external(t, m), external(t, m), external(t, m)
		end.Destroy()
		commit(t, end)
		again := external(t, m)
		if again.Stored() {
			t.Error("a destroyed session is there")
		}
		name.Put(again, "anew")
		commit(t, again)
		count.Update(late, increment)
		wantError(t, late.Commit(t.Context()), session.ErrGone)
		lateEnd.Destroy()
		wantError(t, lateEnd.Commit(t.Context()), session.ErrGone)
		if v, _ := name.Get(external(t, m)); v != "anew" {
			t.Errorf("the new life holds %q", v)
		}
	})
	t.Run("destroy, then put: a new life in one request", func(t *testing.T) {
		t.Parallel()
		m := newManager(t, session.Config{})
		s := external(t, m)
		count.Put(s, 1)
		commit(t, s)
		s.Destroy()
		name.Put(s, "anew")
		commit(t, s)
		s = external(t, m)
		if _, ok := count.Get(s); ok {
			t.Error("the old life's value is there")
		}
	})
	t.Run("M13 every lost answer of a first use", func(t *testing.T) {
		t.Parallel()
		for _, op := range []string{"get", "create"} {
			for n := 1; n <= 2; n++ {
				for _, applied := range []bool{true, false} {
					st := newStore()
					m := newManager(t, session.Config{Store: st})
					s := external(t, m)
					count.Update(s, increment)
					if applied {
						st.after = lose(op, n)
					} else {
						st.before = lose(op, n)
					}
					err := s.Commit(t.Context())
					st.before, st.after = nil, nil
					got, _ := count.Get(external(t, m))
					if err == nil && got != 1 || got > 1 || err != nil && !errors.Is(err, session.ErrUnavailable) {
						t.Errorf("%s %d, applied %v: count is %d after %v", op, n, applied, got, err)
					}
				}
			}
		}
	})
	t.Run("a record that can't be read is not written over", func(t *testing.T) {
		t.Parallel()
		st := newStore()
		sealed := newManager(t, session.Config{Store: st, SealKeys: []session.SealKey{session.GenerateSealKey()}})
		s := external(t, sealed)
		count.Put(s, 7)
		commit(t, s)
		other := newManager(t, session.Config{Store: st})
		s = external(t, other)
		count.Put(s, 1)
		wantError(t, s.Commit(t.Context()), session.ErrUnavailable)
		if n, _ := count.Get(external(t, sealed)); n != 7 {
			t.Errorf("count is %d, want 7", n)
		}
	})
	t.Run("IDs of the other kind are refused without the store", func(t *testing.T) {
		t.Parallel()
		st := newStore()
		m := newManager(t, session.Config{Store: st})
		s := external(t, m)
		count.Put(s, 1)
		s.AllowToken()
		commit(t, s)
		random, _ := begin(t, m)
		calls := st.count("any")
		_, err := m.LoadVerified(t.Context(), s.ID())
		wantError(t, err, session.ErrNotFound)
		_, err = m.LoadExternal(t.Context(), random.ID())
		wantError(t, err, session.ErrNotFound)
		if st.count("any") != calls {
			t.Error("the store was asked")
		}
	})
}

func TestExternalExpires(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, session.Config{IdleTimeout: time.Minute})
		s := external(t, m)
		count.Put(s, 5)
		commit(t, s)
		time.Sleep(time.Minute) // dead, but still in the store
		s = external(t, m)
		if n, ok := count.Get(s); ok || s.Stored() {
			t.Errorf("an expired session holds %d", n)
		}
		count.Update(s, increment)
		commit(t, s)
		if n, _ := count.Get(external(t, m)); n != 1 {
			t.Errorf("count is %d, want 1", n)
		}
	})
}

func TestTokens(t *testing.T) {
	t.Parallel()
	m := newManager(t, session.Config{})
	plain, c := begin(t, m)
	s := m.New()
	s.AllowToken()
	commit(t, s)
	t.Run("J15 a session opens for a token only if it was given one", func(t *testing.T) {
		_, err := m.LoadVerified(t.Context(), plain.ID())
		wantError(t, err, session.ErrNotFound)
		_, err = m.LoadOpaque(t.Context(), c)
		wantError(t, err, session.ErrNotFound)
		if _, err = m.LoadVerified(t.Context(), s.ID()); err != nil {
			t.Error(err)
		}
		if _, err = m.LoadOpaque(t.Context(), s.Credential()); err != nil {
			t.Error(err)
		}
	})
	t.Run("S5 a renewed or ended one is dead for tokens too", func(t *testing.T) {
		old := s.ID()
		s.Renew()
		commit(t, s)
		_, err := m.LoadVerified(t.Context(), old)
		wantError(t, err, session.ErrRenewed)
		if _, err := m.LoadVerified(t.Context(), s.ID()); err != nil {
			t.Errorf("the renewed session is closed to tokens: %v", err)
		}
		old = s.ID()
		s.Destroy()
		commit(t, s)
		_, err = m.LoadVerified(t.Context(), old)
		wantError(t, err, session.ErrNotFound)
	})
}
