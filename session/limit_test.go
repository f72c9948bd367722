package session_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

func TestS14MaxPerSubject(t *testing.T) {
	t.Parallel()
	bubble(t, "S14 the oldest is ended", func(t *testing.T) {
		m := newManager(t, session.Config{MaxPerSubject: 3})
		var all []*session.Session
		for range 5 {
			time.Sleep(time.Second)
			all = append(all, login(t, m, "alice"))
		}
		wantDead(t, m, all[0].Credential())
		wantDead(t, m, all[1].Credential())
		wantIDs(t, m, "alice", all[2].ID(), all[3].ID(), all[4].ID())
		for range 5 { // a renewal is no new session
			all[2].Renew()
			commit(t, all[2])
		}
		wantIDs(t, m, "alice", all[2].ID(), all[3].ID(), all[4].ID())
		all[3].Destroy()
		commit(t, all[3])
		next := login(t, m, "alice") // in the place of the one that ended
		wantIDs(t, m, "alice", all[2].ID(), all[4].ID(), next.ID())
	})
}

func TestLimitCountsWhatStands(t *testing.T) {
	t.Parallel()
	bubble(t, "S14 neither failed logins nor idle sessions push out a live one", func(t *testing.T) {
		st := newStore()
		m := newManager(t, session.Config{Store: st, MaxPerSubject: 3, IdleTimeout: time.Hour})
		login(t, m, "alice")
		login(t, m, "alice")
		time.Sleep(50 * time.Minute)
		active := login(t, m, "alice")
		time.Sleep(20 * time.Minute) // the first two have idled out
		commit(t, load(t, m, active.Credential()))
		login(t, m, "alice")
		load(t, m, active.Credential())
		st.before = func(op, key string) error {
			if op == "create" && !strings.Contains(key, ":subject:") {
				return errLost
			}
			return nil
		}
		failed := m.New()
		failed.SetSubject("alice")
		wantError(t, failed.Commit(t.Context()), session.ErrUnavailable)
		st.before = nil
		login(t, m, "alice")
		load(t, m, active.Credential())
	})
	t.Run("S14 logins at the same time", func(t *testing.T) {
		t.Parallel()
		st := newStore()
		m := newManager(t, session.Config{Store: st, MaxPerSubject: 1})
		st.before = func(op, _ string) error {
			if op == "create" {
				runtime.Gosched()
			}
			return nil
		}
		loginAtOnce(t, m, 16)
		st.before = nil
		if n := len(ids(t, m, "alice")); n > 2 { // two of the same millisecond may spare each other
			t.Errorf("%d sessions live, want 1 or 2", n)
		}
	})
}

func TestManyLoginsCostNoMore(t *testing.T) {
	t.Parallel()
	st := newStore()
	m := newManager(t, session.Config{Store: st, MaxPerSubject: 50})
	for range 60 {
		login(t, m, "alice")
	}
	calls := st.count("any")
	login(t, m, "alice")
	if n := st.count("any") - calls; n > 50+15 {
		t.Errorf("%d store calls for a login at a limit of 50", n)
	}
	calls = st.count("any")
	login(t, m, "bob")
	if n := st.count("any") - calls; n > 4 {
		t.Errorf("%d store calls for a login below the limit, want at most 4", n)
	}
	if n := len(ids(t, m, "alice")); n != 50 {
		t.Errorf("%d sessions, want 50", n)
	}
}
