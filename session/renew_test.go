package session_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/coatcheck/coatcheck/session"
)

// superseded returns the session of a client that shows a renewed credential,
// and the credential that it was renewed to.
func superseded(t testing.TB, m *session.Manager) (*session.Session, session.Credential) {
	t.Helper()
	s, c := begin(t, m)
	s.Renew()
	commit(t, s)
	old, err := m.Load(t.Context(), c)
	wantError(t, err, session.ErrRenewed)
	if old == nil {
		t.Fatal("no session beside ErrRenewed")
	}
	return old, s.Credential()
}

func TestRenewedCredential(t *testing.T) {
	t.Parallel()
	t.Run("S5 it is anonymous, and may be read", func(t *testing.T) {
		t.Parallel()
		m := newManager(t, session.Config{})
		old, c := superseded(t, m)
		if _, ok := count.Get(old); ok || old.Stored() || !old.ID().IsZero() || !old.Credential().IsZero() || !old.Created().IsZero() {
			t.Error("it sees something")
		}
		commit(t, old)
		wantCount(t, m, c, 1)
	})
	t.Run("S19 any change is gone", func(t *testing.T) {
		t.Parallel()
		for what, change := range map[string]func(s *session.Session){
			"put":        func(s *session.Session) { count.Put(s, 9) },
			"delete":     func(s *session.Session) { count.Delete(s) },
			"renew":      (*session.Session).Renew,
			"nobody":     func(s *session.Session) { s.SetSubject("x"); s.SetSubject("") },
			"allowToken": (*session.Session).AllowToken,
		} {
			m := newManager(t, session.Config{})
			old, c := superseded(t, m)
			change(old)
			if err := old.Commit(t.Context()); !errors.Is(err, session.ErrGone) {
				t.Errorf("%s: error is %v, want ErrGone", what, err)
			}
			wantCount(t, m, c, 1)
		}
	})
	t.Run("a wrong secret learns nothing of it", func(t *testing.T) {
		t.Parallel()
		m := newManager(t, session.Config{})
		s, c := begin(t, m)
		s.Renew()
		commit(t, s)
		forged, err := session.ParseCredential(c.Reveal()[:30] + strings.Repeat("A", 34))
		if err != nil {
			t.Fatal(err)
		}
		_, err = m.Load(t.Context(), forged)
		wantError(t, err, session.ErrNotFound)
	})
}

func TestRenewedCredentialMayStill(t *testing.T) {
	t.Parallel()
	t.Run("S7 it can destroy its successor", func(t *testing.T) {
		t.Parallel()
		m := newManager(t, session.Config{})
		old, c := superseded(t, m)
		old.Destroy()
		commit(t, old)
		wantDead(t, m, c)
	})
	t.Run("S19 it can log in afresh, and leaves its successor alone", func(t *testing.T) {
		t.Parallel()
		m := newManager(t, session.Config{})
		old, c := superseded(t, m)
		old.SetSubject("alice")
		commit(t, old)
		wantCount(t, m, c, 1)
		if s := load(t, m, old.Credential()); s.Subject() != "alice" || old.Credential().ID() == c.ID() {
			t.Errorf("subject is %q", s.Subject())
		}
	})
	t.Run("a chain of renewals is followed to its end", func(t *testing.T) {
		t.Parallel()
		m := newManager(t, session.Config{})
		s, first := begin(t, m)
		for range 5 {
			s.Renew()
			commit(t, s)
		}
		old, err := m.Load(t.Context(), first)
		wantError(t, err, session.ErrRenewed)
		old.Destroy()
		commit(t, old)
		wantDead(t, m, s.Credential())
	})
}

// TestS6FailingRenewal fails a renewal at each of its store calls.
func TestS6FailingRenewal(t *testing.T) {
	t.Parallel()
	for _, applied := range []bool{false, true} {
		for at := 1; at <= 4; at++ {
			t.Run(fmt.Sprintf("S6 from call %d on, the first applied: %v", at, applied), func(t *testing.T) {
				t.Parallel()
				st := newStore()
				m := newManager(t, session.Config{Store: st})
				s, c := begin(t, m)
				s.Renew()
				n, failed := 0, 0
				fail := func(string, string) error {
					if n++; n < at {
						return nil
					}
					failed++
					return errLost
				}
				if applied {
					st.after = fail
				} else {
					st.before = fail
				}
				err := s.Commit(t.Context())
				st.before, st.after = nil, nil
				if failed == 0 {
					if err != nil {
						t.Errorf("nothing failed, but Commit: %v", err)
					}
					return
				}
				wantError(t, err, session.ErrUnavailable)
				if !s.Credential().IsZero() {
					t.Error("a failed renewal gives a credential")
				}
				if old, err := m.Load(t.Context(), c); err == nil {
					if n, _ := count.Get(old); n != 1 { // it was never renewed: as it was
						t.Errorf("count is %d", n)
					}
				}
				count.Put(s, 5)
				wantError(t, s.Commit(t.Context()), session.ErrUnavailable) // nothing more is written
				s.Destroy()
				if err := s.Commit(t.Context()); err != nil && !errors.Is(err, session.ErrGone) {
					t.Errorf("Destroy afterwards: %v", err)
				}
				wantDead(t, m, c)
			})
		}
	}
}

func TestDestinationIsDrawnAgain(t *testing.T) {
	t.Parallel()
	st := newStore()
	m := newManager(t, session.Config{Store: st})
	s, c := begin(t, m)
	s.Renew()
	st.before = lose("get", 1) // the first ID's node gives no answer
	commit(t, s)
	wantDead(t, m, c)
	wantCount(t, m, s.Credential(), 1)
}

func TestLoginMeetsRenewal(t *testing.T) {
	t.Parallel()
	t.Run("S19 a login that meets a renewal begins afresh", func(t *testing.T) {
		t.Parallel()
		m := newManager(t, session.Config{})
		_, c := begin(t, m)
		a, b := load(t, m, c), load(t, m, c)
		b.Renew()
		commit(t, b)
		count.Update(a, increment)
		a.SetSubject("alice")
		commit(t, a)
		wantCount(t, m, b.Credential(), 1)
		wantCount(t, m, a.Credential(), 1) // from nothing: the values went with the renewal
		if s := load(t, m, a.Credential()); s.Subject() != "alice" {
			t.Errorf("subject is %q", s.Subject())
		}
	})
}
