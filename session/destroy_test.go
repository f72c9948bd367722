package session_test

import (
	"errors"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

func TestLogoutMeetsLogin(t *testing.T) {
	t.Parallel()
	t.Run("S7 a logout that was loaded before follows the login", func(t *testing.T) {
		t.Parallel()
		m := newManager(t, session.Config{})
		_, c := begin(t, m)
		out, in := load(t, m, c), load(t, m, c)
		in.SetSubject("alice")
		commit(t, in)
		out.Destroy()
		commit(t, out)
		wantDead(t, m, in.Credential())
		wantIDs(t, m, "alice")
	})
}

func TestUnreadableSuccessor(t *testing.T) {
	t.Parallel()
	st := newStore()
	m := newManager(t, session.Config{Store: st})
	old, c := superseded(t, m)
	overwrite(t, st, c, []byte("garbage"))
	old.Destroy()
	began := time.Now()
	wantError(t, old.Commit(t.Context()), session.ErrGone) // not known to have ended: never success
	if took := time.Since(began); took > time.Second {
		t.Errorf("it took %v to find out", took)
	}
}

func TestMarkersOutliveCommits(t *testing.T) {
	t.Parallel()
	if session.MarkerTTL < 2*session.MaxCommitTimeout {
		t.Errorf("markers live for %v, commits take up to %v", session.MarkerTTL, session.MaxCommitTimeout)
	}
}

func TestMarkersStandForMinutes(t *testing.T) {
	t.Parallel()
	bubble(t, "S5 S8 markers stand for minutes", func(t *testing.T) {
		m := newManager(t, session.Config{})
		renewed, first := begin(t, m)
		renewed.Renew()
		commit(t, renewed)
		ended, second := begin(t, m)
		late := load(t, m, second)
		ended.Destroy()
		commit(t, ended)
		time.Sleep(4 * time.Minute)
		_, err := m.Load(t.Context(), first)
		wantError(t, err, session.ErrRenewed)
		count.Put(late, 9)
		wantError(t, late.Commit(t.Context()), session.ErrGone)
		if err := m.Revoke(t.Context(), "", ended.ID()); !errors.Is(err, session.ErrNotFound) {
			t.Errorf("Revoke: %v", err)
		}
	})
}
