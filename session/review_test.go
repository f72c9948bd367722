package session_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

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

func TestLifeLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	m := newManager(t, session.Config{})
	s := login(t, m, "alice")
	s.SetLabel("Alice's phone")
	s.AllowToken()
	commit(t, s)
	t.Run("S13 one person's label is not shown to the next", func(t *testing.T) {
		s := load(t, m, s.Credential())
		s.SetSubject("bob")
		commit(t, s)
		live, err := m.List(t.Context(), "bob")
		if err != nil || len(live) != 1 || live[0].Label != "" {
			t.Errorf("%+v, %v", live, err)
		}
	})
	t.Run("J15 a token given to the life before opens nothing", func(t *testing.T) {
		s := m.New()
		s.AllowToken()
		commit(t, s)
		s.SetSubject("victim")
		commit(t, s)
		_, err := m.LoadVerified(t.Context(), s.ID())
		wantError(t, err, session.ErrNotFound)
		s.SetSubject("other")
		s.AllowToken()
		commit(t, s)
		if _, err := m.LoadVerified(t.Context(), s.ID()); err != nil {
			t.Errorf("allowed in the same request: %v", err)
		}
	})
}

// TestVersionsBeginAgain empties the store, after which versions are given
// again, as by a restart of memcached.
func TestVersionsBeginAgain(t *testing.T) {
	t.Parallel()
	for what, do := range map[string]func(s *session.Session){
		"update":  func(s *session.Session) { count.Put(s, 9) },
		"destroy": (*session.Session).Destroy,
	} {
		st := newStore()
		m := newManager(t, session.Config{Store: st})
		a := external(t, m)
		a.SetSubject("alice")
		commit(t, a)
		late := external(t, m)
		do(late)
		st.Store = newStore().Store
		b := external(t, m)
		b.SetSubject("bob")
		commit(t, b)
		if err := late.Commit(t.Context()); !errors.Is(err, session.ErrGone) {
			t.Errorf("%s: error is %v, want ErrGone", what, err)
		}
		if s := external(t, m); s.Subject() != "bob" {
			t.Errorf("%s: the session is %q's", what, s.Subject())
		}
	}
}

func TestAttributesWaitForTheFirstValue(t *testing.T) {
	t.Parallel()
	m := newManager(t, session.Config{Lifetime: time.Hour})
	s := m.New()
	deadline := time.Now().Add(time.Minute).Truncate(time.Millisecond)
	s.ExpireAt(deadline)
	s.SetIdleTimeout(5 * time.Second)
	s.SetFingerprint("print")
	commit(t, s)
	if s.Stored() {
		t.Fatal("a session without values was stored")
	}
	count.Put(s, 1)
	commit(t, s)
	if !s.Deadline().Equal(deadline) || s.IdleDeadline().After(time.Now().Add(5*time.Second)) || !s.FingerprintIs("print") {
		t.Errorf("it lives until %v or %v", s.Deadline(), s.IdleDeadline())
	}
}

func TestUpdateBesideACommit(t *testing.T) {
	t.Parallel()
	m := newManager(t, session.Config{})
	_, c := begin(t, m)
	shared := load(t, m, c)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				count.Update(shared, increment)
				if err := shared.Commit(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			for range 20 {
				s, err := m.Load(t.Context(), c)
				if err != nil {
					t.Error(err)
					return
				}
				count.Update(s, increment)
				if err := s.Commit(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	wantCount(t, m, c, 1+8*20*2)
}

func TestSeveralChangesOfOneKeyAndAConflict(t *testing.T) {
	t.Parallel()
	m := newManager(t, session.Config{})
	for what, k := range map[string]struct {
		do   func(s *session.Session)
		want int
	}{
		"S17 two updates":          {func(s *session.Session) { count.Update(s, increment); count.Update(s, increment) }, 103},
		"S17 put, then update":     {func(s *session.Session) { count.Put(s, 50); count.Update(s, increment) }, 51},
		"S17 update, then put":     {func(s *session.Session) { count.Update(s, increment); count.Put(s, 50) }, 50},
		"S17 delete, then update":  {func(s *session.Session) { count.Delete(s); count.Update(s, increment) }, 1},
		"S17 clear, then update":   {func(s *session.Session) { s.Clear(); count.Update(s, increment) }, 1},
		"S17 a bad put, then none": {func(s *session.Session) { session.Key[any]("x").Put(s, func() {}); s.Clear(); count.Put(s, 7) }, 7},
	} {
		_, c := begin(t, m)
		s, other := load(t, m, c), load(t, m, c)
		k.do(s)
		count.Update(other, func(n int) int { return n + 100 })
		commit(t, other)
		if err := s.Commit(t.Context()); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		wantCount(t, m, c, k.want)
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

func TestConcurrentLoginsOfAnExternalSession(t *testing.T) {
	t.Parallel()
	m := newManager(t, session.Config{})
	a, b := external(t, m), external(t, m)
	a.SetSubject("alice")
	b.SetSubject("alice")
	count.Update(b, increment)
	commit(t, a)
	created := a.Created()
	commit(t, b)
	if !b.Created().Equal(created) {
		t.Error("the same subject began another life")
	}
	if n, _ := count.Get(external(t, m)); n != 1 {
		t.Errorf("count is %d", n)
	}
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

func TestMarkersOutliveCommits(t *testing.T) {
	t.Parallel()
	if session.MarkerTTL < 2*session.MaxCommitTimeout {
		t.Errorf("markers live for %v, commits take up to %v", session.MarkerTTL, session.MaxCommitTimeout)
	}
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

func TestCreationOfTooMuch(t *testing.T) {
	t.Parallel()
	st := newStore()
	m := newManager(t, session.Config{Store: st})
	st.before = func(op, _ string) error {
		if op == "create" {
			return session.ErrTooLarge
		}
		return nil
	}
	s := m.New()
	name.Put(s, "x")
	wantError(t, s.Commit(t.Context()), session.ErrTooLarge)
	if n := st.count("create"); n != 1 {
		t.Errorf("it was sent %d times", n)
	}
	st.before = nil
	commit(t, s)
}

func TestLabels(t *testing.T) {
	t.Parallel()
	s := newManager(t, session.Config{}).New()
	s.SetSubject("alice")
	s.SetLabel(strings.Repeat("x", 256))
	if err := s.Commit(t.Context()); err == nil {
		t.Error("a label of 256 bytes was committed")
	}
	s.SetLabel(strings.Repeat("x", 255))
	commit(t, s)
}

func TestNothingIsReportedOfACallerWhoLeft(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		ended  error
		events int
	}{
		"the client has left":       {context.Canceled, 0},
		"the client's time is over": {context.DeadlineExceeded, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var seen events
			st := newStore()
			m := newManager(t, session.Config{Store: st, Observe: seen.observe})
			_, c := begin(t, m)
			ctx := &endedLater{Context: t.Context()}
			st.before = func(string, string) error { ctx.err = test.ended; return fmt.Errorf("store: %w", test.ended) }
			_, err := m.Load(ctx, c)
			wantError(t, err, session.ErrUnavailable)
			if got := seen.of(session.StoreFailed); len(got) != test.events {
				t.Errorf("events: %v, want %d", got, test.events)
			}
		})
	}
}

// endedLater is a context that ends when its error is set.
type endedLater struct {
	context.Context
	err error
}

func (c *endedLater) Err() error { return c.err }

func TestHalfAReplayIsNone(t *testing.T) {
	t.Parallel()
	const ratio session.Key[float64] = "ratio"
	for what, f := range map[string]func(v float64) float64{
		"an error": func(v float64) float64 { return 1 / v }, // of nothing: infinite, which JSON can't hold
		"a panic": func(v float64) float64 {
			if v == 0 {
				panic("nothing")
			}
			return 1 / v
		},
	} {
		m := newManager(t, session.Config{})
		s, c := begin(t, m)
		ratio.Put(s, 2)
		commit(t, s)
		a, b := load(t, m, c), load(t, m, c)
		ratio.Update(a, f)
		count.Put(a, 50)
		ratio.Put(b, 0)
		commit(t, b)
		for range 3 {
			err := func() (err error) {
				defer func() {
					if r := recover(); r != nil {
						err = fmt.Errorf("panic: %v", r)
					}
				}()
				return a.Commit(t.Context())
			}()
			if err == nil {
				t.Errorf("%s: half of the changes were committed as if they were all", what)
			}
		}
		wantCount(t, m, c, 1)
	}
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
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				s := m.New()
				s.SetSubject("alice")
				if err := s.Commit(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		st.before = nil
		if n := len(ids(t, m, "alice")); n > 2 { // two of the same millisecond may spare each other
			t.Errorf("%d sessions live, want 1 or 2", n)
		}
	})
}

func TestExternalSubjectsThatMeet(t *testing.T) {
	t.Parallel()
	m := newManager(t, session.Config{})
	a, b := external(t, m), external(t, m)
	a.SetSubject("alice")
	name.Put(a, "alice's")
	b.SetSubject("bob")
	count.Put(b, 1)
	commit(t, a)
	commit(t, b)
	s := external(t, m)
	if v, ok := name.Get(s); ok || s.Subject() != "bob" {
		t.Errorf("%s sees %q", s.Subject(), v)
	}
}

func TestExternalDestroyBeforeItArrives(t *testing.T) {
	t.Parallel()
	st := newStore()
	m := newManager(t, session.Config{Store: st})
	s := external(t, m)
	count.Put(s, 1)
	st.before = func(op, _ string) error {
		if op == "create" {
			return errLost // and still on its way
		}
		return nil
	}
	wantError(t, s.Commit(t.Context()), session.ErrUnavailable)
	st.before = nil
	s.Destroy()
	commit(t, s)
	if err := st.Store.Create(t.Context(), "session:"+encodeID(externalID(t)), []byte("late"), time.Hour); !errors.Is(err, session.ErrExists) {
		t.Errorf("what arrives late gives %v, want ErrExists", err)
	}
}

func TestTimesOfMarkersAndLists(t *testing.T) {
	t.Parallel()
	bubble(t, "S13 what idled out is not listed", func(t *testing.T) {
		m := newManager(t, session.Config{IdleTimeout: time.Minute})
		login(t, m, "alice")
		time.Sleep(time.Minute + time.Second)
		wantIDs(t, m, "alice")
	})
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
