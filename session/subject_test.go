package session_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/coatcheck/session"
)

func TestAnotherSubjectSeesNoValues(t *testing.T) {
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

func TestLabelsHaveALimit(t *testing.T) {
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

func TestS10SubjectBeginsANewLife(t *testing.T) {
	t.Parallel()
	bubble(t, "S10 a change of subject starts it anew", func(t *testing.T) {
		m := newManager(t, session.Config{Lifetime: 10 * time.Minute, IdleTimeout: 10 * time.Minute})
		s, _ := begin(t, m)
		time.Sleep(9 * time.Minute)
		s.SetSubject("alice")
		commit(t, s)
		if got, want := s.Deadline(), time.Now().Add(10*time.Minute); !got.Equal(want) {
			t.Errorf("deadline is %v, want %v", got, want)
		}
		time.Sleep(time.Minute)
		s.SetSubject("alice") // no change
		commit(t, s)
		if got, want := s.Deadline(), time.Now().Add(9*time.Minute); !got.Equal(want) {
			t.Errorf("deadline is %v, want %v", got, want)
		}
	})
}

func TestIdleTimeoutIsTheLifes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, session.Config{Lifetime: time.Hour, IdleTimeout: time.Minute})
		s, _ := begin(t, m)
		s.SetIdleTimeout(30 * time.Minute)
		commit(t, s)
		s.SetSubject("alice")
		commit(t, s)
		if got, want := s.IdleDeadline(), time.Now().Add(time.Minute); !got.Equal(want) {
			t.Errorf("the next life's idle deadline is %v, want %v", got, want)
		}
		s.SetSubject("bob")
		s.SetIdleTimeout(30 * time.Minute)
		s.ExpireAt(time.Now().Add(40 * time.Minute))
		commit(t, s)
		if got, want := s.IdleDeadline(), time.Now().Add(30*time.Minute); !got.Equal(want) {
			t.Errorf("idle deadline set beside the subject is %v, want %v", got, want)
		}
		if got, want := s.Deadline(), time.Now().Add(40*time.Minute); !got.Equal(want) {
			t.Errorf("deadline set beside the subject is %v, want %v", got, want)
		}
	})
}
