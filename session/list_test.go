package session_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

func TestS13Subjects(t *testing.T) {
	t.Parallel()
	for _, keys := range [][]session.SealKey{nil, {session.GenerateSealKey(), session.GenerateSealKey()}} {
		t.Run(fmt.Sprintf("S13 %d keys", len(keys)), func(t *testing.T) {
			t.Parallel()
			m := newManager(t, session.Config{SealKeys: keys})
			a, b, c := login(t, m, "alice"), login(t, m, "alice"), login(t, m, "alice")
			bob := login(t, m, "bob")
			b.SetLabel("phone")
			b.AllowToken()
			commit(t, b)
			live, err := m.List(t.Context(), "alice")
			if err != nil || len(live) != 3 {
				t.Fatalf("%v, %v", live, err)
			}
			i := slices.IndexFunc(live, func(s session.Info) bool { return s.ID == b.ID() })
			if got := live[i]; got.Label != "phone" || !got.Token || got.External || !got.Created.Equal(b.Created()) || !got.Deadline.Equal(b.Deadline()) || !got.IdleDeadline.Equal(b.IdleDeadline()) {
				t.Errorf("%+v", got)
			}
			if err := m.Revoke(t.Context(), "alice", a.ID()); err != nil {
				t.Errorf("Revoke: %v", err)
			}
			wantDead(t, m, a.Credential())
			wantIDs(t, m, "alice", b.ID(), c.ID())
			if err := m.Revoke(t.Context(), "alice", a.ID()); err != nil {
				t.Errorf("Revoke of what it ended: %v", err)
			}
			err = m.Revoke(t.Context(), "alice", bob.ID(), c.ID())
			wantError(t, err, session.ErrNotFound)
			if !strings.Contains(err.Error(), bob.ID().String()) || strings.Contains(err.Error(), c.ID().String()) {
				t.Errorf("%v names the wrong session", err)
			}
			wantIDs(t, m, "bob", bob.ID())
			wantDead(t, m, c.Credential())
			c2, c3 := login(t, m, "alice"), login(t, m, "alice")
			if err := m.RevokeAll(t.Context(), "alice", c2.ID()); err != nil {
				t.Errorf("RevokeAll: %v", err)
			}
			wantIDs(t, m, "alice", c2.ID())
			wantDead(t, m, c3.Credential())
			if err := m.RevokeAll(t.Context(), "alice"); err != nil {
				t.Errorf("RevokeAll: %v", err)
			}
			wantIDs(t, m, "alice")
			wantIDs(t, m, "bob", bob.ID())
		})
	}
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
	t.Run("S13 what was renewed is followed, but not to another subject", func(t *testing.T) {
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
		s = login(t, m, "alice")
		first = s.ID()
		s.SetSubject("bob")
		commit(t, s)
		wantIDs(t, m, "alice")
		wantIDs(t, m, "bob", s.ID())
		wantError(t, m.Revoke(t.Context(), "alice", first), session.ErrNotFound)
		load(t, m, s.Credential())
	})
	t.Run("S13 an external session is listed too", func(t *testing.T) {
		t.Parallel()
		m := newManager(t, session.Config{})
		s := external(t, m)
		count.Put(s, 1)
		commit(t, s)
		s.SetSubject("alice")
		commit(t, s)
		wantIDs(t, m, "alice", s.ID())
		if err := m.RevokeAll(t.Context(), "alice"); err != nil {
			t.Error(err)
		}
		if external(t, m).Stored() {
			t.Error("it is still there")
		}
	})
	t.Run("S13 another seal key in front still finds them", func(t *testing.T) {
		t.Parallel()
		st, k1, k2 := newStore(), session.GenerateSealKey(), session.GenerateSealKey()
		before := newManager(t, session.Config{Store: st, SealKeys: []session.SealKey{k1, k2}})
		after := newManager(t, session.Config{Store: st, SealKeys: []session.SealKey{k2, k1}})
		a, b := login(t, before, "alice"), login(t, after, "alice")
		wantIDs(t, before, "alice", a.ID(), b.ID())
		wantIDs(t, after, "alice", a.ID(), b.ID())
	})
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

func TestM7MazeOfMarkers(t *testing.T) {
	t.Parallel()
	bubble(t, "M7 markers without end", func(t *testing.T) {
		st := newStore()
		m := newManager(t, session.Config{Store: st})
		s := login(t, m, "alice")
		old := s.Credential()
		s.Renew()
		commit(t, s)
		// Whoever writes to the store can make a marker that leads to itself.
		marker := rawValue(t, st, old)
		body := append([]byte(nil), marker[1:len(marker)-4]...)
		id := s.ID()
		copy(body[2:], id[:])
		overwrite(t, st, s.Credential(), asPlainBody(body))
		_, err := m.List(t.Context(), "alice")
		wantError(t, err, session.ErrUnavailable)
		began := time.Now()
		wantError(t, m.Revoke(t.Context(), "alice", old.ID()), session.ErrUnavailable)
		if took := time.Since(began); took > 0 {
			t.Errorf("it took %v", took)
		}
	})
}
