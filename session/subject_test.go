package session_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

// login stores a new session of a subject's.
func login(t testing.TB, m *session.Manager, subject string) *session.Session {
	t.Helper()
	s := m.New()
	s.SetSubject(subject)
	commit(t, s)
	return s
}

// ids lists a subject's sessions.
func ids(t testing.TB, m *session.Manager, subject string) []session.ID {
	t.Helper()
	live, err := m.List(t.Context(), subject)
	if err != nil {
		t.Fatalf("List: %v", err)
	}
	var ids []session.ID
	for _, s := range live {
		ids = append(ids, s.ID)
	}
	return ids
}

func wantIDs(t testing.TB, m *session.Manager, subject string, want ...session.ID) {
	t.Helper()
	got := ids(t, m, subject)
	order := func(a, b session.ID) int { return strings.Compare(a.String(), b.String()) }
	slices.SortFunc(got, order)
	slices.SortFunc(want, order)
	if !slices.Equal(got, want) {
		t.Errorf("%s's sessions are %v, want %v", subject, got, want)
	}
}

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

func TestSubjectValues(t *testing.T) {
	t.Parallel()
	m := newManager(t, session.Config{})
	s, _ := begin(t, m)
	s.SetSubject("alice")
	commit(t, s)
	if n, _ := count.Get(s); n != 1 {
		t.Errorf("a login lost the anonymous session's values")
	}
	s.SetSubject("bob")
	name.Put(s, "bob's")
	commit(t, s)
	s = load(t, m, s.Credential())
	if got := s.Keys(); !slices.Equal(got, []string{"name"}) || s.Subject() != "bob" {
		t.Errorf("%s sees %v", s.Subject(), got)
	}
	before := s.ID()
	s.SetSubject("carol")
	s.SetSubject("bob")
	commit(t, s)
	if s.ID() == before || len(s.Keys()) != 0 || s.Subject() != "bob" {
		t.Errorf("there and back: ID %s, keys %v, subject %s", s.ID(), s.Keys(), s.Subject())
	}
}

func TestFingerprint(t *testing.T) {
	t.Parallel()
	m := newManager(t, session.Config{})
	s := m.New()
	if !s.FingerprintIs("") || s.FingerprintIs("x") {
		t.Error("a session without a fingerprint matches the wrong ones")
	}
	s.SetSubject("alice")
	s.SetFingerprint("one")
	check := func(s *session.Session, want string) {
		t.Helper()
		for _, p := range []string{"", "one", "two"} {
			if got := s.FingerprintIs(p); got != (p == want) {
				t.Errorf("fingerprint is %q: %v, want it to be %q", p, got, want)
			}
		}
	}
	check(s, "one")
	commit(t, s)
	check(load(t, m, s.Credential()), "one")
	s.SetFingerprint("two")
	commit(t, s)
	check(load(t, m, s.Credential()), "two")
	s.SetSubject("bob")
	check(s, "")
	commit(t, s)
	check(load(t, m, s.Credential()), "")
	s.SetFingerprint("one")
	commit(t, s)
	s.SetFingerprint("")
	commit(t, s)
	check(load(t, m, s.Credential()), "")
}

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

func TestIndexIsPruned(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		st := newStore()
		m := newManager(t, session.Config{Store: st, IdleTimeout: time.Minute})
		login(t, m, "alice")
		s := login(t, m, "alice")
		time.Sleep(10 * time.Minute)
		s2 := login(t, m, "alice")
		wantIDs(t, m, "alice", s2.ID())
		_ = s
		gets := st.count("get")
		wantIDs(t, m, "alice", s2.ID())
		if n := st.count("get") - gets; n != 2 { // the index and one record
			t.Errorf("%d gets for a list of one, want 2: the dead ones are still listed", n)
		}
	})
}

func TestIndexLost(t *testing.T) {
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

func TestManyLogins(t *testing.T) {
	t.Parallel()
	m := newManager(t, session.Config{})
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			s := m.New()
			s.SetSubject("alice")
			if err := s.Commit(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := len(ids(t, m, "alice")); n != 50 {
		t.Errorf("%d sessions are listed, want 50", n)
	}
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
