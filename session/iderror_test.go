package session_test

import (
	"context"
	"errors"
	"testing"

	"github.com/coatcheck/coatcheck/session"
)

// severed is a store of which some keys can't be reached.
type severed struct {
	*store
	keys map[string]bool
}

func (s severed) Get(ctx context.Context, key string) ([]byte, uint64, error) {
	if s.keys[key] {
		return nil, 0, errLost
	}
	return s.store.Get(ctx, key)
}

// causes takes joined errors apart: the cause for each ID.
func causes(t *testing.T, err error) map[session.ID]error {
	t.Helper()
	found := make(map[session.ID]error)
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		t.Fatalf("nothing is joined: %v", err)
	}
	for _, one := range joined.Unwrap() {
		var of *session.IDError
		if !errors.As(one, &of) || one.Error() != of.ID.String()+": "+of.Err.Error() {
			t.Fatalf("not an IDError that says what it is: %v", one)
		}
		found[of.ID] = of
	}
	return found
}

func TestErrorsHaveTheirIDs(t *testing.T) {
	t.Parallel()
	st := severed{newStore(), make(map[string]bool)}
	m := newManager(t, session.Config{Store: st})
	up, down, lost := login(t, m, "alice"), login(t, m, "alice"), login(t, m, "alice")
	st.keys[key(down.Credential())], st.keys[key(lost.Credential())] = true, true
	wantUnavailable := func(what string, err error, sessions ...*session.Session) {
		t.Helper()
		found := causes(t, err)
		if len(found) != len(sessions) {
			t.Errorf("%s: %v", what, err)
		}
		for _, s := range sessions {
			wantError(t, found[s.ID()], session.ErrUnavailable)
		}
		wantError(t, err, session.ErrUnavailable)
	}

	live, err := m.List(t.Context(), "alice")
	wantUnavailable("List", err, down, lost)
	if len(live) != 1 || live[0].ID != up.ID() {
		t.Errorf("listed: %+v", live)
	}
	wantUnavailable("Revoke", m.Revoke(t.Context(), "alice", down.ID()), down)
	wantUnavailable("RevokeAll", m.RevokeAll(t.Context(), "alice"), down, lost)
	wantDead(t, m, up.Credential())
}

// Who revokes what isn't the subject's is told which that was, and so is the observer.
func TestRevokeOfOthersIsReported(t *testing.T) {
	t.Parallel()
	var seen events
	m := newManager(t, session.Config{Observe: seen.observe})
	alice, bob, nobody := login(t, m, "alice"), login(t, m, "bob"), session.ID{1}
	found := causes(t, m.Revoke(t.Context(), "alice", bob.ID(), alice.ID(), nobody))
	if len(found) != 2 {
		t.Errorf("%v", found)
	}
	reported := seen.of(session.Rejected)
	if len(reported) != 2 {
		t.Fatalf("%+v", reported)
	}
	for i, id := range []session.ID{bob.ID(), nobody} {
		wantError(t, found[id], session.ErrNotFound)
		if e := reported[i]; e.ID != id || e.Reason != "not this subject's" || e.Subject != "alice" {
			t.Errorf("%+v", e)
		}
	}
	wantDead(t, m, alice.Credential())
	load(t, m, bob.Credential())
}
