package session_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coatcheck/coatcheck/session"
	"github.com/coatcheck/coatcheck/session/memory"
)

func TestAnonymousCostsNothing(t *testing.T) {
	t.Parallel()
	t.Run("S15 what changes nothing stores nothing", func(t *testing.T) {
		t.Parallel()
		st := newStore()
		m := newManager(t, session.Config{Store: st})
		for range 1000 {
			s := m.New()
			count.Get(s)
			name.Pop(s)
			name.Delete(s)
			s.Clear()
			s.Renew()
			count.Put(s, 1)
			count.Delete(s)
			commit(t, s)
			if !s.ID().IsZero() || s.Stored() || !s.Credential().IsZero() {
				t.Fatal("an anonymous session got an ID")
			}
		}
		if n := st.count("any"); n != 0 {
			t.Errorf("%d store calls, want 0", n)
		}
	})
	t.Run("a read is one get", func(t *testing.T) {
		t.Parallel()
		st := newStore()
		m := newManager(t, session.Config{Store: st})
		_, c := begin(t, m)
		before := st.count("any")
		s := load(t, m, c)
		count.Get(s)
		commit(t, s)
		if n := st.count("any") - before; n != 1 {
			t.Errorf("%d store calls, want 1", n)
		}
	})
}

func TestValues(t *testing.T) {
	t.Parallel()
	m := newManager(t, session.Config{})
	s, c := begin(t, m)
	name.Put(s, "a<b")
	items.Update(s, func(v []string) []string { return append(v, "coat") })
	commit(t, s)
	s = load(t, m, c)
	if v, ok := name.Get(s); v != "a<b" || !ok {
		t.Errorf("name is %q, %v", v, ok)
	}
	if got, want := s.Keys(), []string{"count", "items", "name"}; !reflect.DeepEqual(got, want) {
		t.Errorf("Keys are %v, want %v", got, want)
	}
	if v, ok := name.Pop(s); v != "a<b" || !ok {
		t.Errorf("Pop gives %q, %v", v, ok)
	}
	if v, ok := name.Get(s); ok {
		t.Errorf("after Pop there is still %q", v)
	}
	count.Delete(s)
	commit(t, s)
	if got, want := load(t, m, c).Keys(), []string{"items"}; !reflect.DeepEqual(got, want) {
		t.Errorf("Keys are %v, want %v", got, want)
	}
	s = load(t, m, c)
	s.Clear()
	name.Put(s, "new")
	commit(t, s)
	if got, want := load(t, m, c).Keys(), []string{"name"}; !reflect.DeepEqual(got, want) {
		t.Errorf("Keys are %v, want %v", got, want)
	}
}

func TestManyKeysMerge(t *testing.T) {
	t.Parallel()
	m := newManager(t, session.Config{})
	s := m.New()
	want := map[string]int{}
	for i := range 300 {
		k := fmt.Sprintf("k%03d", i)
		session.Key[int](k).Put(s, i)
		want[k] = i
	}
	commit(t, s)
	s = load(t, m, s.Credential())
	for i := 0; i < 300; i += 3 {
		k := fmt.Sprintf("k%03d", i)
		session.Key[int](k).Delete(s)
		delete(want, k)
		session.Key[int](k+"x").Put(s, -i)
		want[k+"x"] = -i
	}
	commit(t, s)
	s = load(t, m, s.Credential())
	got := map[string]int{}
	for _, k := range s.Keys() {
		got[k], _ = session.Key[int](k).Get(s)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("values are %v, want %v", got, want)
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
		m1 := newManager(t, session.Config{})
		_, c := begin(t, m1)
		var wg sync.WaitGroup
		for range 1000 {
			wg.Go(func() {
				s, err := m1.Load(t.Context(), c)
				if err != nil {
					t.Error(err)
					return
				}
				count.Update(s, increment)
				if err := s.Commit(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		wantCount(t, m1, c, 1001)
	})
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

func TestBadValues(t *testing.T) {
	t.Parallel()
	const odd session.Key[any] = "odd"
	t.Run("an unencodable value is named and nothing is written", func(t *testing.T) {
		t.Parallel()
		m := newManager(t, session.Config{})
		s, c := begin(t, m)
		count.Put(s, 2)
		odd.Put(s, func() {})
		if err := s.Commit(t.Context()); err == nil || !strings.Contains(err.Error(), `"odd"`) {
			t.Errorf("error is %v, want one that names the key", err)
		}
		wantCount(t, m, c, 1)
		odd.Put(s, "fine")
		commit(t, s)
		wantCount(t, m, c, 2)
	})
	t.Run("an unencodable update likewise", func(t *testing.T) {
		t.Parallel()
		s := newManager(t, session.Config{}).New()
		odd.Update(s, func(any) any { return make(chan int) })
		if err := s.Commit(t.Context()); err == nil || !strings.Contains(err.Error(), `"odd"`) {
			t.Errorf("error is %v, want one that names the key", err)
		}
	})
	for _, key := range []session.Key[int]{"", session.Key[int](strings.Repeat("k", 256))} {
		t.Run(fmt.Sprintf("a key of %d bytes", len(key)), func(t *testing.T) {
			t.Parallel()
			s := newManager(t, session.Config{}).New()
			key.Put(s, 1)
			if err := s.Commit(t.Context()); err == nil {
				t.Error("was committed")
			}
		})
	}
	t.Run("a value of another type reads as absent, with an event", func(t *testing.T) {
		t.Parallel()
		var seen events
		m := newManager(t, session.Config{Observe: seen.observe})
		_, c := begin(t, m)
		s := load(t, m, c)
		if v, ok := session.Key[[]string]("count").Get(s); ok || v != nil {
			t.Errorf("Get gives %v, %v", v, ok)
		}
		ev := seen.of(session.Unreadable)
		if len(ev) != 1 || ev[0].ID != s.ID() || !strings.Contains(ev[0].Err.Error(), "count") {
			t.Errorf("events are %v", ev)
		}
	})
	t.Run("too long a subject", func(t *testing.T) {
		t.Parallel()
		s := newManager(t, session.Config{}).New()
		s.SetSubject(strings.Repeat("s", 1025))
		if err := s.Commit(t.Context()); err == nil {
			t.Error("was committed")
		}
	})
}

func TestDetached(t *testing.T) {
	t.Parallel()
	m := newManager(t, session.Config{})
	s, c := begin(t, m)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	count.Update(s, increment)
	if err := s.Commit(ctx); err != nil {
		t.Fatalf("a cancelled request's commit: %v", err)
	}
	wantCount(t, m, c, 2)
}

func TestM8TooLarge(t *testing.T) {
	t.Parallel()
	t.Run("M8 the stored one is intact", func(t *testing.T) {
		t.Parallel()
		m := newManager(t, session.Config{Store: &memory.Store{MaxBytes: 4096}})
		s, c := begin(t, m)
		name.Put(s, strings.Repeat("x", 5000))
		wantError(t, s.Commit(t.Context()), session.ErrTooLarge)
		wantCount(t, m, c, 1)
		name.Delete(s)
		count.Put(s, 2)
		commit(t, s)
		wantCount(t, m, c, 2)
	})
	t.Run("M8 nor does a renewal give the old one up for it", func(t *testing.T) {
		t.Parallel()
		m := newManager(t, session.Config{Store: limited{newStore()}})
		s, c := begin(t, m)
		name.Put(s, strings.Repeat("x", 2000))
		s.Renew()
		wantError(t, s.Commit(t.Context()), session.ErrTooLarge)
		wantCount(t, m, c, 1)
	})
}

func TestNil(t *testing.T) {
	t.Parallel()
	s := session.FromContext(t.Context())
	if s != nil {
		t.Fatal("a context without a session gives one")
	}
	for name, s := range map[string]*session.Session{"nil": s, "zero": new(session.Session)} {
		count.Put(s, 1)
		count.Delete(s)
		s.Renew()
		s.SetSubject("x")
		s.Clear()
		s.AllowToken()
		s.SetLabel("x")
		s.SetIdleTimeout(1)
		s.ExpireAt(time.Now().Add(time.Hour))
		s.Destroy()
		if n := count.Update(s, increment); n != 1 {
			t.Errorf("Update gives %d", n)
		}
		if _, ok := count.Get(s); ok {
			t.Errorf("a %s session holds something", name)
		}
		if _, ok := count.Pop(s); ok {
			t.Errorf("a %s session holds something", name)
		}
		if s.Stored() || s.Subject() != "" || !s.ID().IsZero() || s.Keys() != nil || !s.Deadline().IsZero() || !s.Credential().IsZero() {
			t.Errorf("a %s session says that it is something", name)
		}
		if err := s.Commit(t.Context()); err == nil || s == nil && !strings.Contains(err.Error(), "is the middleware mounted?") {
			t.Errorf("error is %v", err)
		}
	}
	var m *session.Manager
	for _, m := range []*session.Manager{m, new(session.Manager)} {
		_, err := m.Load(t.Context(), session.Credential{})
		wantError(t, err, session.ErrUnavailable)
		_, err = m.LoadVerified(t.Context(), session.ID{})
		wantError(t, err, session.ErrUnavailable)
		_, err = m.LoadExternal(t.Context(), session.ID{})
		wantError(t, err, session.ErrUnavailable)
		s := m.New()
		count.Put(s, 1)
		s.SetIdleTimeout(1)
		s.ExpireAt(time.Now().Add(time.Hour))
		s.SetSubject("x")
		s.Renew()
		wantError(t, s.Commit(t.Context()), session.ErrUnavailable)
	}
}

func TestContexts(t *testing.T) {
	t.Parallel()
	m1 := newManager(t, session.Config{Name: "one"})
	m2 := newManager(t, session.Config{Name: "two"})
	a, b := m1.New(), m2.New()
	ctx := session.NewContext(session.NewContext(t.Context(), a), b)
	if session.FromContext(ctx) != b || m1.FromContext(ctx) != a || m2.FromContext(ctx) != b {
		t.Error("nested sessions are mixed up")
	}
	again := session.NewContext(ctx, a)
	if session.FromContext(again) != a || session.FromContext(ctx) != b {
		t.Error("a second context of one session changed the first")
	}
	type other struct{}
	if v := ctx.Value(other{}); v != nil {
		t.Errorf("another key gives %v", v)
	}
}

func TestConfigErrors(t *testing.T) {
	t.Parallel()
	_, err := session.NewManager(session.Config{
		Name: "a b", IdleTimeout: -1, Lifetime: 1, MaxLifetime: 1 << 62, RefreshAfter: -1,
		MaxPerSubject: -1, CommitTimeout: 1 << 50, SealKeys: make([]session.SealKey, 17),
	})
	_, err2 := session.NewManager(session.Config{IdleTimeout: time.Minute, RefreshAfter: time.Minute})
	_, err3 := session.NewManager(session.Config{Lifetime: time.Hour, MaxLifetime: time.Minute})
	err = errors.Join(err, err2, err3)
	for _, field := range []string{"Store", "Name", "IdleTimeout", "Lifetime", "MaxLifetime", "RefreshAfter", "MaxPerSubject", "CommitTimeout", "SealKeys"} {
		if err == nil || !strings.Contains(err.Error(), "session.Config."+field) {
			t.Errorf("%s is not reported in %v", field, err)
		}
	}
	var one *session.ConfigError
	if !errors.As(err, &one) {
		t.Errorf("no ConfigError in %v", err)
	}
}

// limited is a store that says how large a value may be.
type limited struct{ *store }

func (limited) MaxValueBytes(string) int { return 1000 }
