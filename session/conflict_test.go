package session_test

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

// incrementOnce is a request of its own.
func incrementOnce(t *testing.T, m *session.Manager, c session.Credential) {
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

func TestConflicts(t *testing.T) {
	t.Parallel()
	t.Run("S17 different keys are all kept", func(t *testing.T) {
		t.Parallel()
		m := newManager(t, session.Config{})
		_, c := begin(t, m)
		a, b := load(t, m, c), load(t, m, c)
		name.Put(a, "a")
		items.Put(b, []string{"b"})
		commit(t, a)
		commit(t, b)
		if got, want := load(t, m, c).Keys(), []string{"count", "items", "name"}; !reflect.DeepEqual(got, want) {
			t.Errorf("Keys are %v, want %v", got, want)
		}
	})
	t.Run("S17 a thousand concurrent Updates give a thousand", func(t *testing.T) {
		t.Parallel()
		m := newManager(t, session.Config{CommitTimeout: time.Minute})
		_, c := begin(t, m)
		var wg sync.WaitGroup
		for range 1000 {
			wg.Go(func() { incrementOnce(t, m, c) })
		}
		wg.Wait()
		wantCount(t, m, c, 1001)
	})
	t.Run("two commits of one session", func(t *testing.T) {
		t.Parallel()
		m := newManager(t, session.Config{})
		s, c := begin(t, m)
		count.Update(s, increment)
		commit(t, s)
		count.Update(s, increment)
		commit(t, s)
		commit(t, s)
		wantCount(t, m, c, 3)
	})
}

func TestPopAndUpdateAreReplayed(t *testing.T) {
	t.Parallel()
	t.Run("Pop replayed removes only what it returned", func(t *testing.T) {
		t.Parallel()
		m := newManager(t, session.Config{})
		s, c := begin(t, m)
		name.Put(s, "first")
		commit(t, s)
		a, b := load(t, m, c), load(t, m, c)
		name.Put(b, "second")
		commit(t, b)
		if v, _ := name.Pop(a); v != "first" {
			t.Fatalf("Pop gives %q", v)
		}
		commit(t, a)
		if v, _ := name.Get(load(t, m, c)); v != "second" {
			t.Errorf("name is %q, want the message that nobody has seen", v)
		}
	})
	t.Run("what Update returned may be outdated, Get after Commit is not", func(t *testing.T) {
		t.Parallel()
		m := newManager(t, session.Config{})
		_, c := begin(t, m)
		a, b := load(t, m, c), load(t, m, c)
		count.Update(b, increment)
		commit(t, b)
		if n := count.Update(a, increment); n != 2 {
			t.Errorf("Update gives %d, want 2", n)
		}
		commit(t, a)
		if n, _ := count.Get(a); n != 3 {
			t.Errorf("after the commit count is %d, want 3", n)
		}
	})
}

func TestChangesOfOneKeyAreReplayedInOrder(t *testing.T) {
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

func TestUpdatesBesideACommit(t *testing.T) {
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
				incrementOnce(t, m, c)
			}
		})
	}
	wg.Wait()
	wantCount(t, m, c, 1+8*20*2)
}

// TestEndlessConflicts meets another commit at every turn.
func TestEndlessConflicts(t *testing.T) {
	t.Parallel()
	for what, do := range map[string]func(s *session.Session){
		"update":  func(s *session.Session) { count.Update(s, increment) },
		"renew":   (*session.Session).Renew,
		"destroy": (*session.Session).Destroy,
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				st := newStore()
				m := newManager(t, session.Config{Store: st})
				_, c := begin(t, m)
				s := load(t, m, c)
				do(s)
				st.before = func(op, _ string) error {
					if op == "update" {
						return session.ErrConflict
					}
					return nil
				}
				began := time.Now()
				wantError(t, s.Commit(t.Context()), session.ErrUnavailable)
				if took := time.Since(began); took < session.DefaultCommitTimeout || took > session.DefaultCommitTimeout+10*time.Millisecond {
					t.Errorf("it took %v, want CommitTimeout", took)
				}
				st.before = nil
				wantCount(t, m, c, 1)
			})
		})
	}
}

func TestStoreFailsWhileReloading(t *testing.T) {
	t.Parallel()
	for what, do := range map[string]func(s *session.Session){
		"update":  func(s *session.Session) { count.Update(s, increment) },
		"renew":   (*session.Session).Renew,
		"destroy": (*session.Session).Destroy,
	} {
		st := newStore()
		m := newManager(t, session.Config{Store: st})
		_, c := begin(t, m)
		s, other := load(t, m, c), load(t, m, c)
		name.Put(other, "first")
		commit(t, other)
		do(s)
		reads := 0
		st.before = func(op, key2 string) error {
			if op == "get" && key2 == key(c) {
				reads++
				return errLost
			}
			return nil
		}
		err := s.Commit(t.Context())
		st.before = nil
		if !errors.Is(err, session.ErrUnavailable) || reads == 0 {
			t.Errorf("%s: error is %v after %d failing reads", what, err, reads)
		}
		wantCount(t, m, c, 1)
		s.Destroy()
		commit(t, s)
		wantDead(t, m, c)
	}
}
