package session_test

import (
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
