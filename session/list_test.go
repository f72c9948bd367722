package session_test

import (
	"slices"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

func TestS13List(t *testing.T) {
	t.Parallel()
	eachWay(t, "S13 a subject's sessions are listed", func(t *testing.T, m *session.Manager) {
		a, b := login(t, m, "alice"), login(t, m, "alice")
		login(t, m, "bob")
		b.SetLabel("phone")
		b.AllowToken()
		commit(t, b)
		wantIDs(t, m, "alice", a.ID(), b.ID())
		live, err := m.List(t.Context(), "alice")
		if err != nil {
			t.Fatal(err)
		}
		got := live[slices.IndexFunc(live, func(s session.Info) bool { return s.ID == b.ID() })]
		want := session.Info{
			ID: b.ID(), Created: b.Created(), LastSeen: got.LastSeen, Deadline: b.Deadline(), IdleDeadline: b.IdleDeadline(),
			Label: "phone", Token: true,
		}
		if got != want || got.LastSeen.Before(b.Created()) || got.LastSeen.After(time.Now()) {
			t.Errorf("%+v, want %+v", got, want)
		}
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

func TestIdleSessionsAreNotListed(t *testing.T) {
	t.Parallel()
	bubble(t, "S13 what idled out is not listed", func(t *testing.T) {
		m := newManager(t, session.Config{IdleTimeout: time.Minute})
		login(t, m, "alice")
		time.Sleep(time.Minute + time.Second)
		wantIDs(t, m, "alice")
	})
}
