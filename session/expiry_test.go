package session_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

// Each of these runs alone in a bubble of its own time.

func TestS9IdleTimeout(t *testing.T) {
	t.Parallel()
	bubble(t, "S9 dead at T since the last recorded activity", func(t *testing.T) {
		m := newManager(t, session.Config{IdleTimeout: time.Minute, RefreshAfter: time.Second})
		_, c := begin(t, m)
		for range 5 { // activity keeps it
			time.Sleep(50 * time.Second)
			commit(t, load(t, m, c))
		}
		time.Sleep(time.Minute - time.Millisecond)
		load(t, m, c)
		time.Sleep(time.Millisecond)
		wantDead(t, m, c)
	})
}

func TestS9RefreshAfter(t *testing.T) {
	t.Parallel()
	bubble(t, "S9 activity is recorded once in RefreshAfter", func(t *testing.T) {
		st := newStore()
		m := newManager(t, session.Config{Store: st, IdleTimeout: time.Minute, RefreshAfter: 10 * time.Second})
		_, c := begin(t, m)
		time.Sleep(10 * time.Second)
		commit(t, load(t, m, c))
		if n := st.count("update"); n != 0 {
			t.Errorf("%d writes within RefreshAfter, want 0", n)
		}
		time.Sleep(time.Millisecond)
		s := load(t, m, c)
		commit(t, s)
		commit(t, s)
		if n := st.count("update"); n != 1 {
			t.Errorf("%d writes after RefreshAfter, want 1", n)
		}
		if got, want := s.IdleDeadline(), time.Now().Add(time.Minute); !got.Equal(want) {
			t.Errorf("idle deadline is %v, want %v", got, want)
		}
	})
}

func TestS10Lifetime(t *testing.T) {
	t.Parallel()
	bubble(t, "S10 no touch, commit or renewal extends it", func(t *testing.T) {
		m := newManager(t, session.Config{IdleTimeout: time.Minute, Lifetime: 10 * time.Minute})
		s, c := begin(t, m)
		created, deadline := s.Created(), s.Deadline()
		for i := range 11 {
			time.Sleep(50 * time.Second)
			s = load(t, m, c)
			count.Update(s, increment)
			if i%2 == 0 {
				s.Renew()
			}
			commit(t, s)
			c = s.Credential()
			if !s.Created().Equal(created) || !s.Deadline().Equal(deadline) {
				t.Fatalf("after %d commits it lives from %v to %v, want %v to %v", i, s.Created(), s.Deadline(), created, deadline)
			}
		}
		time.Sleep(time.Until(deadline) - time.Millisecond)
		load(t, m, c)
		time.Sleep(time.Millisecond)
		wantDead(t, m, c)
	})
}

func TestS11DeadlinesAreTheRecords(t *testing.T) {
	t.Parallel()
	bubble(t, "S11 a stale record with time left in the store is refused", func(t *testing.T) {
		st := newStore()
		m := newManager(t, session.Config{Store: st, IdleTimeout: time.Minute})
		_, c := begin(t, m)
		time.Sleep(time.Minute + 30*time.Second) // the store's own time to live is not over yet
		before := st.count("get")
		wantDead(t, m, c)
		if _, _, err := st.Store.Get(t.Context(), key(c)); err != nil {
			t.Errorf("the store holds nothing any more (%v): the test shows nothing", err)
		}
		if n := st.count("get") - before; n != 1 {
			t.Errorf("%d gets, want 1", n)
		}
	})
}

func TestExpireAt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, session.Config{Lifetime: time.Hour, MaxLifetime: 24 * time.Hour, IdleTimeout: time.Hour})
		s, c := begin(t, m)
		s.ExpireAt(time.Now().Add(2 * time.Hour))
		s.SetIdleTimeout(3 * time.Hour)
		commit(t, s)
		time.Sleep(2*time.Hour - time.Millisecond)
		s = load(t, m, c)
		s.ExpireAt(time.Now().Add(1000 * time.Hour))
		commit(t, s)
		if got, want := s.Deadline(), s.Created().Add(24*time.Hour); !got.Equal(want) {
			t.Errorf("deadline is %v, want MaxLifetime's %v", got, want)
		}
		s.SetIdleTimeout(1)
		commit(t, s)
		if got, want := s.IdleDeadline(), time.Now().Add(time.Second); !got.Equal(want) {
			t.Errorf("idle deadline is %v, want %v", got, want)
		}
		s.ExpireAt(time.Now())
		commit(t, s)
		wantDead(t, m, c)
		if !s.Destroyed() {
			t.Error("a past ExpireAt did not destroy")
		}
	})
}

func TestRefreshNeverFailsAndNeverRevives(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		st := newStore()
		m := newManager(t, session.Config{Store: st, IdleTimeout: time.Minute})
		_, c := begin(t, m)
		time.Sleep(30 * time.Second)
		for _, err := range []error{errLost, session.ErrConflict, session.ErrNotFound} {
			s := load(t, m, c)
			st.before = once("update", 1, func() error { return err })
			commit(t, s)
		}
		s, other := load(t, m, c), load(t, m, c)
		other.Destroy()
		commit(t, other)
		commit(t, s) // a read that meets a logout
		wantDead(t, m, c)
	})
}

func TestLongConnection(t *testing.T) {
	t.Parallel()
	bubble(t, "S9 S10 activity is recorded after a commit too, until the absolute deadline", func(t *testing.T) {
		m := newManager(t, session.Config{IdleTimeout: 30 * time.Minute, Lifetime: 2 * time.Hour})
		_, c := begin(t, m)
		s := load(t, m, c)
		count.Update(s, increment)
		commit(t, s)
		for range 23 {
			time.Sleep(5 * time.Minute)
			commit(t, s)
		}
		wantCount(t, m, c, 2)
		time.Sleep(5 * time.Minute)
		wantDead(t, m, c)
	})
}

func TestExpiredDuringTheRequest(t *testing.T) {
	t.Parallel()
	for what, do := range map[string]func(s *session.Session){
		"put":      func(s *session.Session) { count.Put(s, 9) },
		"renew":    (*session.Session).Renew,
		"login":    func(s *session.Session) { s.SetSubject("alice") },
		"extended": func(s *session.Session) { s.ExpireAt(time.Now().Add(30 * time.Minute)) },
		"refresh":  func(*session.Session) {},
	} {
		t.Run("S9 S10 "+what, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m := newManager(t, session.Config{IdleTimeout: time.Minute, Lifetime: time.Minute, MaxLifetime: time.Hour})
				_, c := begin(t, m)
				s := load(t, m, c)
				time.Sleep(time.Minute) // the store's own time to live isn't over yet
				do(s)
				err := s.Commit(t.Context())
				if what == "refresh" && err != nil || what != "refresh" && !errors.Is(err, session.ErrGone) {
					t.Errorf("error is %v", err)
				}
				wantDead(t, m, c)
			})
		})
	}
}

func TestClocksThatDiffer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		st := newStore()
		long := newManager(t, session.Config{Store: st, IdleTimeout: time.Hour})
		_, c := begin(t, long)
		// A process that gives less, as one whose clock is behind does.
		short := newManager(t, session.Config{Store: st, IdleTimeout: time.Minute})
		time.Sleep(30 * time.Second)
		s := load(t, short, c)
		commit(t, s)
		if got, want := s.IdleDeadline(), s.Created().Add(time.Hour); !got.Equal(want) {
			t.Errorf("a refresh moved the idle deadline to %v, want %v", got, want)
		}
	})
}

func TestRefreshGivesTheSessionsOwnTimeout(t *testing.T) {
	t.Parallel()
	bubble(t, "S9 a refresh gives the session's own idle timeout", func(t *testing.T) {
		m := newManager(t, session.Config{IdleTimeout: time.Hour, Lifetime: 24 * time.Hour})
		s, c := begin(t, m)
		s.SetIdleTimeout(5 * time.Hour)
		commit(t, s)
		time.Sleep(2 * time.Hour)
		s = load(t, m, c)
		commit(t, s)
		if got, want := s.IdleDeadline(), time.Now().Add(5*time.Hour); !got.Equal(want) {
			t.Errorf("idle deadline is %v, want %v", got, want)
		}
	})
}

func TestDeadlineDuringACommit(t *testing.T) {
	t.Parallel()
	bubble(t, "S9 a conflict, then the deadline", func(t *testing.T) {
		st := newStore()
		m := newManager(t, session.Config{Store: st, IdleTimeout: time.Minute, Lifetime: time.Minute})
		_, c := begin(t, m)
		a, b := load(t, m, c), load(t, m, c)
		count.Update(b, increment)
		commit(t, b)
		count.Update(a, increment)
		time.Sleep(time.Minute - time.Millisecond)
		st.before = once("update", 1, func() error {
			time.Sleep(time.Millisecond)
			return nil
		})
		wantError(t, a.Commit(t.Context()), session.ErrGone)
		wantDead(t, m, c)
	})
}

func TestCommitAfterTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, session.Config{IdleTimeout: time.Minute})
		_, c := begin(t, m)
		s, other := load(t, m, c), load(t, m, c)
		count.Update(other, increment)
		commit(t, other) // s has to read again
		time.Sleep(time.Minute)
		count.Update(s, increment)
		wantError(t, s.Commit(t.Context()), session.ErrGone)
		wantError(t, s.Commit(t.Context()), session.ErrGone)
		wantDead(t, m, c)
	})
}
