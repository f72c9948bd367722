package session_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

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

func TestCommitInPlace(t *testing.T) {
	t.Parallel()
	m := newManager(t, session.Config{})
	s, c := begin(t, m)
	for what, k := range map[string]struct {
		do   func(s *session.Session)
		want error
	}{
		"a value": {func(s *session.Session) { count.Update(s, increment) }, nil},
		"renewal": {(*session.Session).Renew, session.ErrLate},
		"login":   {func(s *session.Session) { s.SetSubject("alice") }, session.ErrLate},
	} {
		s := load(t, m, c)
		k.do(s)
		if err := s.CommitInPlace(t.Context()); !errors.Is(err, k.want) {
			t.Errorf("%s: error is %v, want %v", what, err, k.want)
		}
	}
	wantCount(t, m, c, 2)
	first := m.New()
	count.Delete(first)
	if err := first.CommitInPlace(t.Context()); err != nil {
		t.Errorf("nothing to keep: %v", err)
	}
	count.Put(first, 1)
	wantError(t, first.CommitInPlace(t.Context()), session.ErrLate)
	s.Destroy()
	if err := s.CommitInPlace(t.Context()); err != nil {
		t.Errorf("Destroy: %v", err)
	}
	wantDead(t, m, c)
	ext := external(t, m)
	count.Put(ext, 1)
	if err := ext.CommitInPlace(t.Context()); err != nil {
		t.Errorf("an external session needs no credential: %v", err)
	}
}

// TestEndlessConflicts meets another commit at every turn.
func TestEndlessConflicts(t *testing.T) {
	t.Parallel()
	for what, do := range map[string]func(s *session.Session){
		"update":  func(s *session.Session) { count.Update(s, increment) },
		"renew":   (*session.Session).Renew,
		"destroy": (*session.Session).Destroy,
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				st := newStore()
				m := newManager(t, session.Config{Store: st})
				_, c := begin(t, m)
				s := load(t, m, c)
				do(s)
				st.before = func(op, _ string) error {
					if op == "update" {
						return session.ErrConflict
					}
					return nil
				}
				began := time.Now()
				wantError(t, s.Commit(t.Context()), session.ErrUnavailable)
				if took := time.Since(began); took < session.DefaultCommitTimeout || took > session.DefaultCommitTimeout+10*time.Millisecond {
					t.Errorf("it took %v, want CommitTimeout", took)
				}
				st.before = nil
				wantCount(t, m, c, 1)
			})
		})
	}
}

// TestM13ResentAndLostAgain loses every answer but leaves the store as it is.
func TestM13ResentAndLostAgain(t *testing.T) {
	t.Parallel()
	for _, never := range []bool{true, false} {
		st := newStore()
		m := newManager(t, session.Config{Store: st})
		_, c := begin(t, m)
		s := load(t, m, c)
		count.Update(s, increment)
		lost := 0
		lose := func(op, _ string) error {
			if op != "update" || !never && lost > 0 {
				return nil
			}
			lost++
			return errLost
		}
		st.before = lose
		err := s.Commit(t.Context())
		st.before = nil
		if never {
			wantError(t, err, session.ErrUnavailable)
			wantCount(t, m, c, 1)
			continue
		}
		if err != nil { // the second attempt got through
			t.Error(err)
		}
		wantCount(t, m, c, 2)
	}
}

func TestStoreFailsWhileReloading(t *testing.T) {
	t.Parallel()
	for what, do := range map[string]func(s *session.Session){
		"update":  func(s *session.Session) { count.Update(s, increment) },
		"renew":   (*session.Session).Renew,
		"destroy": (*session.Session).Destroy,
	} {
		st := newStore()
		m := newManager(t, session.Config{Store: st})
		_, c := begin(t, m)
		s, other := load(t, m, c), load(t, m, c)
		name.Put(other, "first")
		commit(t, other)
		do(s)
		reads := 0
		st.before = func(op, key2 string) error {
			if op == "get" && key2 == key(c) {
				reads++
				return errLost
			}
			return nil
		}
		err := s.Commit(t.Context())
		st.before = nil
		if !errors.Is(err, session.ErrUnavailable) || reads == 0 {
			t.Errorf("%s: error is %v after %d failing reads", what, err, reads)
		}
		wantCount(t, m, c, 1)
		s.Destroy()
		commit(t, s)
		wantDead(t, m, c)
	}
}
