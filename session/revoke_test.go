package session_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

func TestS13Revoke(t *testing.T) {
	t.Parallel()
	eachWay(t, "S13 one is ended, or all, or all others", func(t *testing.T, m *session.Manager) {
		a, b, c := login(t, m, "alice"), login(t, m, "alice"), login(t, m, "alice")
		bob := login(t, m, "bob")
		for range 2 { // what was ended may be ended again
			if err := m.Revoke(t.Context(), "alice", a.ID()); err != nil {
				t.Errorf("Revoke: %v", err)
			}
			wantDead(t, m, a.Credential())
			wantIDs(t, m, "alice", b.ID(), c.ID())
		}
		err := m.Revoke(t.Context(), "alice", bob.ID(), c.ID())
		wantError(t, err, session.ErrNotFound)
		if !strings.Contains(err.Error(), bob.ID().String()) || strings.Contains(err.Error(), c.ID().String()) {
			t.Errorf("%v names the wrong session", err)
		}
		wantIDs(t, m, "bob", bob.ID())
		wantDead(t, m, c.Credential())
		for _, except := range [][]session.ID{{b.ID()}, nil} {
			other := login(t, m, "alice")
			if err := m.RevokeAll(t.Context(), "alice", except...); err != nil {
				t.Errorf("RevokeAll: %v", err)
			}
			wantIDs(t, m, "alice", except...)
			wantDead(t, m, other.Credential())
		}
		wantDead(t, m, b.Credential())
		wantIDs(t, m, "bob", bob.ID())
	})
	t.Run("S13 nobody's sessions are nobody's to list or revoke", func(t *testing.T) {
		t.Parallel()
		m := newManager(t, session.Config{})
		s, c := begin(t, m)
		wantIDs(t, m, "")
		wantError(t, m.Revoke(t.Context(), "", s.ID()), session.ErrNotFound)
		wantError(t, m.Revoke(t.Context(), "alice", s.ID()), session.ErrNotFound)
		wantError(t, m.Revoke(t.Context(), "alice", session.ID{}), session.ErrNotFound)
		wantCount(t, m, c, 1)
	})
	t.Run("S13 what was renewed is followed", func(t *testing.T) {
		t.Parallel()
		m := newManager(t, session.Config{})
		s := login(t, m, "alice")
		first := s.ID()
		s.Renew()
		commit(t, s)
		wantIDs(t, m, "alice", s.ID())
		if err := m.Revoke(t.Context(), "alice", first); err != nil {
			t.Errorf("Revoke: %v", err)
		}
		wantDead(t, m, s.Credential())
	})
}

func TestRevokeIsDetached(t *testing.T) {
	t.Parallel()
	t.Run("S7 S13 it is carried out though the request is cancelled", func(t *testing.T) {
		t.Parallel()
		m := newManager(t, session.Config{})
		a, b := login(t, m, "alice"), login(t, m, "alice")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := errors.Join(m.Revoke(ctx, "alice", a.ID()), m.RevokeAll(ctx, "alice")); err != nil {
			t.Error(err)
		}
		wantDead(t, m, a.Credential())
		wantDead(t, m, b.Credential())
	})
	t.Run("and bounded by CommitTimeout", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			st := newStore()
			m := newManager(t, session.Config{Store: st, CommitTimeout: time.Second})
			a := login(t, m, "alice")
			st.before = func(op, _ string) error {
				if op == "update" {
					return session.ErrConflict
				}
				return nil
			}
			began := time.Now()
			wantError(t, m.Revoke(t.Context(), "alice", a.ID()), session.ErrUnavailable)
			if took := time.Since(began); took > time.Second+10*time.Millisecond {
				t.Errorf("it took %v", took)
			}
		})
	})
}

func TestExceptedSessionsStay(t *testing.T) {
	t.Parallel()
	t.Run("S13 whichever entry leads to them", func(t *testing.T) {
		t.Parallel()
		m := newManager(t, session.Config{})
		s := login(t, m, "alice")
		a, b := load(t, m, s.Credential()), load(t, m, s.Credential())
		a.Renew()
		b.Renew()
		commit(t, a)
		wantError(t, b.Commit(t.Context()), session.ErrGone) // and leaves an entry that leads to a
		if err := m.RevokeAll(t.Context(), "alice", a.ID()); err != nil {
			t.Error(err)
		}
		load(t, m, a.Credential())
	})
	t.Run("S13 after a change of keys", func(t *testing.T) {
		t.Parallel()
		st, k1, k2 := newStore(), session.GenerateSealKey(), session.GenerateSealKey()
		before := newManager(t, session.Config{Store: st, SealKeys: []session.SealKey{k1, k2}})
		after := newManager(t, session.Config{Store: st, SealKeys: []session.SealKey{k2, k1}})
		s := load(t, after, login(t, before, "alice").Credential())
		for range 2 {
			s.Renew()
			commit(t, s)
		}
		if err := after.RevokeAll(t.Context(), "alice", s.ID()); err != nil {
			t.Error(err)
		}
		load(t, after, s.Credential())
	})
}

// TestRevokeAllKeepsWhatIsOnItsWay: a RevokeAll that meets the entry of a
// session which is not stored yet must leave it to the next one.
func TestRevokeAllKeepsWhatIsOnItsWay(t *testing.T) {
	t.Parallel()
	t.Run("S13 a session that arrives after one RevokeAll is ended by the next", func(t *testing.T) {
		t.Parallel()
		st := newStore()
		m, other := newManager(t, session.Config{Store: st}), newManager(t, session.Config{Store: st.Store})
		s := m.New()
		s.SetSubject("alice")
		// The 1st Create is that of the index, the 2nd that of the record.
		st.before = once("create", 2, func() error { return other.RevokeAll(t.Context(), "alice") })
		commit(t, s)
		st.before = nil
		if err := other.RevokeAll(t.Context(), "alice"); err != nil {
			t.Error(err)
		}
		wantDead(t, m, s.Credential())
	})
}

func TestRevokeMeetsRenew(t *testing.T) {
	t.Parallel()
	for at := 1; at <= 8; at++ {
		t.Run(fmt.Sprintf("S13 S6 at call %d", at), func(t *testing.T) {
			t.Parallel()
			for _, all := range []bool{true, false} {
				st := newStore()
				m, other := newManager(t, session.Config{Store: st}), newManager(t, session.Config{Store: st})
				s := login(t, m, "alice")
				id, c := s.ID(), s.Credential()
				s.Renew()
				n, ran := 0, false
				var revoked error
				st.before = func(string, string) error {
					if n++; n == at {
						ran = true
						if all {
							revoked = other.RevokeAll(t.Context(), "alice")
						} else {
							revoked = other.Revoke(t.Context(), "alice", id)
						}
					}
					return nil
				}
				err := s.Commit(t.Context())
				st.before = nil
				if !ran {
					return
				}
				if revoked != nil {
					t.Errorf("Revoke: %v", revoked)
				}
				wantError(t, err, session.ErrGone)
				wantDead(t, m, c)
				wantDead(t, m, s.Credential())
				wantIDs(t, m, "alice")
			}
		})
	}
}

func TestMarkersOfAnotherSubject(t *testing.T) {
	t.Parallel()
	t.Run("S13 alice's old ID revokes nothing of bob's, ended or not", func(t *testing.T) {
		t.Parallel()
		m := newManager(t, session.Config{})
		s := login(t, m, "alice")
		id := s.ID()
		s.SetSubject("bob")
		commit(t, s)
		bobs := s.ID()
		wantIDs(t, m, "alice")
		wantIDs(t, m, "bob", bobs)
		wantError(t, m.Revoke(t.Context(), "alice", id), session.ErrNotFound)
		load(t, m, s.Credential())
		s.Destroy()
		commit(t, s)
		wantError(t, m.Revoke(t.Context(), "alice", bobs), session.ErrNotFound)
		if err := m.Revoke(t.Context(), "bob", bobs); err != nil {
			t.Errorf("of his own, which had ended: %v", err)
		}
	})
	t.Run("S13 an external session whose subject changed is no more alice's", func(t *testing.T) {
		t.Parallel()
		m := newManager(t, session.Config{})
		s := external(t, m)
		s.SetSubject("alice")
		commit(t, s)
		s.SetSubject("bob")
		commit(t, s)
		wantIDs(t, m, "alice")
		wantIDs(t, m, "bob", s.ID())
		if err := m.RevokeAll(t.Context(), "alice"); err != nil {
			t.Error(err)
		}
		if external(t, m).Subject() != "bob" {
			t.Error("bob's session was ended")
		}
	})
}
