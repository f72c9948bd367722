package session_test

import (
	"context"
	"errors"
	"strings"
	"testing"

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

func TestCommitOutlivesItsRequest(t *testing.T) {
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

func TestCommitInPlaceMovesNothing(t *testing.T) {
	t.Parallel()
	m := newManager(t, session.Config{})
	s, c := begin(t, m)
	for what, k := range map[string]struct {
		do   func(s *session.Session)
		want error
	}{
		"a value": {func(s *session.Session) { count.Update(s, increment) }, nil},
		"renewal": {(*session.Session).Renew, session.ErrLate},
		"login":   {func(s *session.Session) { s.SetSubject("alice") }, session.ErrLate},
	} {
		s := load(t, m, c)
		k.do(s)
		if err := s.CommitInPlace(t.Context()); !errors.Is(err, k.want) {
			t.Errorf("%s: error is %v, want %v", what, err, k.want)
		}
	}
	wantCount(t, m, c, 2)
	first := m.New()
	count.Delete(first)
	if err := first.CommitInPlace(t.Context()); err != nil {
		t.Errorf("nothing to keep: %v", err)
	}
	count.Put(first, 1)
	wantError(t, first.CommitInPlace(t.Context()), session.ErrLate)
	s.Destroy()
	if err := s.CommitInPlace(t.Context()); err != nil {
		t.Errorf("Destroy: %v", err)
	}
	wantDead(t, m, c)
	ext := external(t, m)
	count.Put(ext, 1)
	if err := ext.CommitInPlace(t.Context()); err != nil {
		t.Errorf("an external session needs no credential: %v", err)
	}
}

// limited is a store that says how large a value may be.
type limited struct{ *store }

func (limited) MaxValueBytes(string) int { return 1000 }
