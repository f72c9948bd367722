package session_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

func TestIndexIsPruned(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		st := newStore()
		m := newManager(t, session.Config{Store: st, IdleTimeout: time.Minute})
		login(t, m, "alice")
		login(t, m, "alice")
		time.Sleep(10 * time.Minute)
		s2 := login(t, m, "alice")
		wantIDs(t, m, "alice", s2.ID())
		gets := st.count("get")
		wantIDs(t, m, "alice", s2.ID())
		if n := st.count("get") - gets; n != 2 { // the index and one record
			t.Errorf("%d gets for a list of one, want 2: the dead ones are still listed", n)
		}
	})
}

func TestIndexHeals(t *testing.T) {
	t.Parallel()
	isIndex := func(key string) bool { return strings.Contains(key, ":subject:") }
	t.Run("it never fails a login or a refresh, which heals it", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var seen events
			st := newStore()
			m := newManager(t, session.Config{Store: st, Observe: seen.observe})
			st.before = func(_, key string) error {
				if isIndex(key) {
					return errLost
				}
				return nil
			}
			s := login(t, m, "alice")
			s.Renew()
			commit(t, s)
			time.Sleep(10 * time.Minute)
			commit(t, load(t, m, s.Credential()))
			if len(seen.of(session.StoreFailed)) != 3 {
				t.Errorf("%d events, want 3", len(seen.of(session.StoreFailed)))
			}
			_, err := m.List(t.Context(), "alice")
			wantError(t, err, session.ErrUnavailable)
			wantError(t, m.RevokeAll(t.Context(), "alice"), session.ErrUnavailable)
			st.before = nil
			wantIDs(t, m, "alice")
			time.Sleep(10 * time.Minute)
			commit(t, load(t, m, s.Credential()))
			wantIDs(t, m, "alice", s.ID())
		})
	})
	t.Run("what can't be read is written anew", func(t *testing.T) {
		t.Parallel()
		var seen events
		st := newStore()
		m := newManager(t, session.Config{Store: st, Observe: seen.observe})
		var key string
		st.after = func(_, k string) error {
			if isIndex(k) {
				key = k
			}
			return nil
		}
		login(t, m, "alice")
		_, version, err := st.Store.Get(t.Context(), key)
		if err := errors.Join(err, st.Store.Update(t.Context(), key, []byte("garbage"), version, time.Hour)); err != nil {
			t.Fatal(err)
		}
		b := login(t, m, "alice")
		wantIDs(t, m, "alice", b.ID())
		if len(seen.of(session.Unreadable)) != 1 {
			t.Errorf("%d events, want 1", len(seen.of(session.Unreadable)))
		}
	})
}

func TestSessionOutOfReach(t *testing.T) {
	t.Parallel()
	t.Run("what can't be reached is named", func(t *testing.T) {
		t.Parallel()
		st := newStore()
		m := newManager(t, session.Config{Store: st})
		a, b := login(t, m, "alice"), login(t, m, "alice")
		down := key(a.Credential())
		st.before = func(_, key string) error {
			if key == down {
				return errLost
			}
			return nil
		}
		live, err := m.List(t.Context(), "alice")
		if len(live) != 1 || live[0].ID != b.ID() || !errors.Is(err, session.ErrUnavailable) || !strings.Contains(err.Error(), a.ID().String()) {
			t.Errorf("%v, %v", live, err)
		}
		err = m.RevokeAll(t.Context(), "alice")
		if !errors.Is(err, session.ErrUnavailable) || !strings.Contains(err.Error(), a.ID().String()) {
			t.Errorf("RevokeAll: %v", err)
		}
		st.before = nil
		wantIDs(t, m, "alice", a.ID())
	})
}

func TestLoginsAtOnceAreAllListed(t *testing.T) {
	t.Parallel()
	m := newManager(t, session.Config{})
	loginAtOnce(t, m, 50)
	if n := len(ids(t, m, "alice")); n != 50 {
		t.Errorf("%d sessions are listed, want 50", n)
	}
}

func TestLogoutLeavesTheIndex(t *testing.T) {
	t.Parallel()
	st := newStore()
	m := newManager(t, session.Config{Store: st})
	keep := login(t, m, "alice")
	for range 5 {
		s := login(t, m, "alice")
		s.Destroy()
		commit(t, s)
	}
	gets := st.count("get")
	wantIDs(t, m, "alice", keep.ID())
	if n := st.count("get") - gets; n != 2 { // the index and one record
		t.Errorf("%d gets for a list of one, want 2", n)
	}
}
