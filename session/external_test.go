package session_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

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
		st := newStore()
		m := newManager(t, session.Config{Store: st})
		s := external(t, m)
		count.Put(s, 1)
		commit(t, s)
		calls := st.count("any")
		s.Renew()
		commit(t, s)
		if n := st.count("any") - calls; n != 0 {
			t.Errorf("Renew has something to write: %d store calls", n)
		}
		s.SetSubject("alice")
		commit(t, s)
		if s := external(t, m); s.Subject() != "alice" || s.ID() != externalID(t) {
			t.Errorf("subject is %q, ID %s", s.Subject(), s.ID())
		}
	})
}

func TestExternalRefusals(t *testing.T) {
	t.Parallel()
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

func TestFirstUseWithoutAnAnswer(t *testing.T) {
	t.Parallel()
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
}

func TestLivesOfAnExternalSession(t *testing.T) {
	t.Parallel()
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

func TestExternalLoginsThatMeet(t *testing.T) {
	t.Parallel()
	t.Run("of one subject: both are kept, in one life", func(t *testing.T) {
		t.Parallel()
		m := newManager(t, session.Config{})
		a, b := external(t, m), external(t, m)
		a.SetSubject("alice")
		b.SetSubject("alice")
		count.Update(b, increment)
		commit(t, a)
		created := a.Created()
		commit(t, b)
		if !b.Created().Equal(created) {
			t.Error("the same subject began another life")
		}
		if n, _ := count.Get(external(t, m)); n != 1 {
			t.Errorf("count is %d", n)
		}
	})
	t.Run("of two subjects: the later one sees nothing of the other's", func(t *testing.T) {
		t.Parallel()
		m := newManager(t, session.Config{})
		a, b := external(t, m), external(t, m)
		a.SetSubject("alice")
		name.Put(a, "alice's")
		b.SetSubject("bob")
		count.Put(b, 1)
		commit(t, a)
		commit(t, b)
		s := external(t, m)
		if v, ok := name.Get(s); ok || s.Subject() != "bob" {
			t.Errorf("%s sees %q", s.Subject(), v)
		}
	})
}

func TestExternalDestroyBeforeItArrives(t *testing.T) {
	t.Parallel()
	st := newStore()
	m := newManager(t, session.Config{Store: st})
	s := external(t, m)
	count.Put(s, 1)
	st.before = func(op, _ string) error {
		if op == "create" {
			return errLost // and still on its way
		}
		return nil
	}
	wantError(t, s.Commit(t.Context()), session.ErrUnavailable)
	st.before = nil
	s.Destroy()
	commit(t, s)
	if err := st.Store.Create(t.Context(), "session:"+encodeID(externalID(t)), []byte("late"), time.Hour); !errors.Is(err, session.ErrExists) {
		t.Errorf("what arrives late gives %v, want ErrExists", err)
	}
}
