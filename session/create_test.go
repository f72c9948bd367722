package session_test

import (
	"errors"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

func TestAttributesWaitForTheFirstValue(t *testing.T) {
	t.Parallel()
	m := newManager(t, session.Config{Lifetime: time.Hour})
	s := m.New()
	deadline := time.Now().Add(time.Minute).Truncate(time.Millisecond)
	s.ExpireAt(deadline)
	s.SetIdleTimeout(5 * time.Second)
	s.SetFingerprint("print")
	commit(t, s)
	if s.Stored() {
		t.Fatal("a session without values was stored")
	}
	count.Put(s, 1)
	commit(t, s)
	if !s.Deadline().Equal(deadline) || s.IdleDeadline().After(time.Now().Add(5*time.Second)) || !s.FingerprintIs("print") {
		t.Errorf("it lives until %v or %v", s.Deadline(), s.IdleDeadline())
	}
}

func TestLostCreation(t *testing.T) {
	t.Parallel()
	t.Run("M13 it is tried again under a fresh ID", func(t *testing.T) {
		t.Parallel()
		st := newStore()
		m := newManager(t, session.Config{Store: st})
		st.after = lose("create", 1)
		s, c := begin(t, m)
		wantCount(t, m, c, 1)
		if n := st.count("create"); n != 2 || s.ID() != c.ID() {
			t.Errorf("%d creates, want 2", n)
		}
	})
	t.Run("M5 and given up at last, without a credential", func(t *testing.T) {
		t.Parallel()
		var seen events
		st := newStore()
		m := newManager(t, session.Config{Store: st, Observe: seen.observe})
		st.before = func(string, string) error { return errLost }
		s := m.New()
		count.Put(s, 1)
		err := s.Commit(t.Context())
		wantError(t, err, session.ErrUnavailable)
		wantError(t, err, errLost)
		if !s.Credential().IsZero() || !s.ID().IsZero() || s.Stored() {
			t.Error("a session that isn't stored says that it is")
		}
		if n := len(seen.of(session.StoreFailed)); n != 3 {
			t.Errorf("%d events, want 3", n)
		}
		st.before = nil
		wantError(t, s.Commit(t.Context()), session.ErrUnavailable)
		s.Destroy()
		count.Put(s, 2)
		commit(t, s) // after Destroy it is a new one
		wantCount(t, m, s.Credential(), 2)
	})
}

func TestTooLargeACreationIsSentOnce(t *testing.T) {
	t.Parallel()
	st := newStore()
	m := newManager(t, session.Config{Store: st})
	st.before = func(op, _ string) error {
		if op == "create" {
			return session.ErrTooLarge
		}
		return nil
	}
	s := m.New()
	name.Put(s, "x")
	wantError(t, s.Commit(t.Context()), session.ErrTooLarge)
	if n := st.count("create"); n != 1 {
		t.Errorf("it was sent %d times", n)
	}
	st.before = nil
	commit(t, s)
}

// available is a store half of whose keys can't be reached.
type available struct{ *store }

func (available) Available(key string) bool { return key[len(key)-2]%2 == 0 }

func TestPlacement(t *testing.T) {
	t.Parallel()
	st := available{newStore()}
	st.before = func(op, key string) error {
		if !st.Available(key) {
			return errLost
		}
		return nil
	}
	m := newManager(t, session.Config{Store: st})
	t.Run("M11 new sessions and renewals go where they can be kept", func(t *testing.T) {
		for range 50 {
			s, _ := begin(t, m)
			s.Renew()
			commit(t, s)
		}
		if n := st.count("create"); n != 100 {
			t.Errorf("%d creates for 100 IDs", n)
		}
	})
}

// nowhere is a store without room for anything new.
type nowhere struct{ *store }

func (nowhere) Available(string) bool { return false }

func TestNoPlace(t *testing.T) {
	t.Parallel()
	st := newStore()
	s, c := begin(t, newManager(t, session.Config{Store: st}))
	m := newManager(t, session.Config{Store: nowhere{st}})
	t.Run("M12 a session is not placed where others would not look for it", func(t *testing.T) {
		fresh := m.New()
		count.Put(fresh, 1)
		if err := fresh.Commit(t.Context()); !errors.Is(err, session.ErrUnavailable) || st.count("create") != 1 {
			t.Errorf("%v, and %d creates", err, st.count("create")-1)
		}
	})
	t.Run("S6 nor is the old one given up for that", func(t *testing.T) {
		old := load(t, m, c)
		old.Renew()
		if err := old.Commit(t.Context()); !errors.Is(err, session.ErrUnavailable) {
			t.Error(err)
		}
		wantCount(t, m, s.Credential(), 1)
	})
}
